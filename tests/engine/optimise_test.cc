// Functions move on from the baseline to optimised code while they run: between calls, and at loops of calls in
// progress.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// All of it at once: at the second call or iteration compiled, at the next one optimised.
EngineConfig at_once() {
  return {.tier_threshold = 1, .tier_threads = 0, .optimise_threshold = 0, .records_tier_changes = true};
}

bool has_change(const Engine& engine, std::string_view function, TierChange::Reason reason) {
  return std::ranges::any_of(engine.tier_changes(), [&](const TierChange& change) {
    if (change.tier == "llvm") CHECK(change.failure == "");
    return change.tier == "llvm" && change.function == function && change.reason == reason;
  });
}

// Calls `run` (i64) -> (i64) in the interpreter, and where everything moves up at once.
void check_same(const char* text, std::string_view moved, std::int64_t n) {
  CAPTURE(text);
  std::vector<std::int64_t> results;
  for (const bool optimises : {false, true}) {
    EngineConfig config = at_once();
    if (!optimises) config.tier = TierSelection::interpreter;
    const Engine engine = must(Engine::create(config));
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, text)));
    results.push_back(must(must(instance.function<std::int64_t(std::int64_t)>("run"))(n)));
    if (optimises) CHECK(has_change(engine, moved, TierChange::Reason::loop));
  }
  CHECK(results[0] == results[1]);
}

}  // namespace

TEST_CASE("A call in progress goes on in optimised code at its loop, with all that it has") {
  if (!has_optimising()) return;
  SECTION("locals of every type") {
    check_same(R"((module (memory 1)
      (func $run (export "run") (param $n i64) (result i64)
          (local $a i32) (local $b f32) (local $c f64) (local $d v128) (local $e externref) (local $unused i64)
        (local.set $b (f32.const 1.5))
        (local.set $d (v128.const i32x4 1 2 3 4))
        (loop $again
          (local.set $a (i32.add (local.get $a) (i32.const 3)))
          (local.set $b (f32.mul (local.get $b) (f32.const 1.25)))
          (local.set $c (f64.add (local.get $c) (f64.promote_f32 (local.get $b))))
          (local.set $d (i32x4.add (local.get $d) (v128.const i32x4 5 6 7 8)))
          (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
        (i64.add (i64.add (i64.extend_i32_u (local.get $a)) (i64.reinterpret_f64 (local.get $c)))
                 (i64.add (i64x2.extract_lane 1 (local.get $d)) (i64.extend_i32_u (ref.is_null (local.get $e)))))))
    )",
               "run", 20);
  }
  SECTION("operands below the loop, constants among them, and its parameters") {
    check_same(R"((module
      (func $run (export "run") (param $n i64) (result i64) (local $x i64)
        (local.get $n)
        (i64.const 1000)
        (f64.const 2.5)
        (f32.const -0.5)
        (v128.const i64x2 7 9)
        (i32.clz (i32.const 5))
        (i64.mul (local.get $n) (i64.const 3))
        (i64.const 4)
        (loop $again (param i64 i64) (result i64)
          (i64.add)
          (i64.const 11)
          (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0)))
          (i64.xor))
        (local.set $x)
        (i64.extend_i32_u)
        (local.set $x (i64.add (local.get $x)))
        (i64x2.extract_lane 1)
        (local.set $x (i64.add (local.get $x)))
        (i64.extend_i32_u (i32.reinterpret_f32))
        (local.set $x (i64.add (local.get $x)))
        (i64.reinterpret_f64)
        (local.set $x (i64.add (local.get $x)))
        (local.set $x (i64.add (local.get $x)))
        (i64.add (local.get $x))))
    )",
               "run", 30);
  }
  SECTION("loops within loops, with branches out of both") {
    check_same(R"((module
      (func $run (export "run") (param $n i64) (result i64) (local $i i64) (local $j i64) (local $sum i64)
        (block $out
          (loop $outer
            (local.set $j (i64.const 0))
            (loop $inner
              (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.xor (local.get $i) (local.get $j))))
              (br_if $out (i64.eq (i64.rem_u (local.get $sum) (i64.const 1009)) (i64.const 77)))
              (local.set $j (i64.add (local.get $j) (i64.const 1)))
              (br_if $outer (i64.eq (i64.and (local.get $sum) (i64.const 0xff)) (local.tee $i (i64.add (local.get $i) (i64.const 1)))))
              (br_if $inner (i64.lt_u (local.get $j) (local.get $n))))
            (br_if $outer (i64.lt_u (local.get $i) (i64.const 5000)))))
        (local.get $sum)))
    )",
               "run", 12);
  }
  SECTION("results in registers and in memory, and arguments that came there") {
    check_same(R"((module
      (func $many (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64 f64)
        (loop $again
          (local.set 7 (i64.add (local.get 7) (local.get 6)))
          (br_if $again (i64.ne (local.tee 0 (i64.sub (local.get 0) (i64.const 1))) (i64.const 0))))
        (local.get 7) (local.get 1) (local.get 6) (local.get 5) (f64.const 2))
      (func $run (export "run") (param $n i64) (result i64)
        (call $many (local.get $n) (i64.const 2) (i64.const 3) (i64.const 5) (i64.const 7) (i64.const 11) (local.get $n)
                    (i64.const 17))
        (i64.trunc_f64_s) (i64.add) (i64.mul) (i64.sub) (i64.mul)))
    )",
               "many", 9);
  }
  SECTION("a try around the loop catches what is thrown in it") {
    check_same(R"((module
      (tag $odd (param i64))
      (func $thrower (param i64)
        (if (i64.eqz (i64.rem_u (local.get 0) (i64.const 13))) (then (throw $odd (local.get 0)))))
      (func $run (export "run") (param $n i64) (result i64) (local $sum i64)
        (block $caught (result i64)
          (try_table (result i64) (catch $odd $caught)
            (loop $again
              (call $thrower (local.get $n))
              (local.set $sum (i64.add (local.get $sum) (local.get $n)))
              (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
            (i64.const -1)))
        (i64.add (local.get $sum))))
    )",
               "run", 38);
  }
}

TEST_CASE("Objects that only the frame of a moved call knows survive collections") {
  if (!has_optimising()) return;
  check_same(R"((module
    (type $cell (struct (field $value (mut i64)) (field $next (ref null $cell))))
    (func $run (export "run") (param $n i64) (result i64) (local $list (ref null $cell)) (local $sum i64)
      (struct.new $cell (i64.const 100) (ref.null $cell))
      (loop $again
        (local.set $list (struct.new $cell (local.get $n) (local.get $list)))
        (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
      (block $end
        (loop $add
          (br_if $end (ref.is_null (local.get $list)))
          (local.set $sum (i64.add (local.get $sum) (struct.get $cell $value (local.get $list))))
          (local.set $list (struct.get $cell $next (local.get $list)))
          (br $add)))
      (struct.get $cell $value)
      (i64.add (local.get $sum))))
  )",
             "run", 500);
}

TEST_CASE("A trap in a moved call has the backtrace that it would have had") {
  if (!has_optimising()) return;
  constexpr const char* kText = R"((module
    (memory 1)
    (func $fill (param $at i32)
      (loop $again
        (i32.store8 (local.get $at) (i32.const 1))
        (local.set $at (i32.add (local.get $at) (i32.const 997)))
        (br $again)))
    (func $run (export "run") (call $fill (i32.const 5)) (call $fill (i32.const 5)))))";
  std::vector<std::string> traps;
  for (const TierSelection tier : {TierSelection::interpreter, TierSelection::automatic}) {
    EngineConfig config = at_once();
    config.tier = tier;
    const Engine engine = must(Engine::create(config));
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, kText)));
    const auto result = must(instance.function<void()>("run"))();
    REQUIRE_FALSE(result.has_value());
    traps.push_back(result.error().to_string());
    if (tier == TierSelection::automatic) CHECK(has_change(engine, "fill", TierChange::Reason::loop));
  }
  CHECK(traps[0] == traps[1]);
}

TEST_CASE("Recursion goes on in optimised code, whoever began it, and still ends") {
  if (!has_optimising()) return;
  constexpr const char* kText = R"((module
    (func $fib (export "fib") (param i64) (result i64)
      (if (result i64) (i64.lt_u (local.get 0) (i64.const 2))
        (then (local.get 0))
        (else (i64.add (call $fib (i64.sub (local.get 0) (i64.const 1)))
                       (call $fib (i64.sub (local.get 0) (i64.const 2)))))))
    (func $deep (export "deep") (param i64) (result i64)
      (i64.add (i64.const 1) (call $deep (i64.add (local.get 0) (i64.const 1)))))))";
  const Engine engine = must(Engine::create(at_once()));
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, kText)));
  CHECK(must(must(instance.function<std::int64_t(std::int64_t)>("fib"))(20)) == 6765);
  CHECK(has_change(engine, "fib", TierChange::Reason::calls));
  const auto deep = must(instance.function<std::int64_t(std::int64_t)>("deep"))(0);
  REQUIRE_FALSE(deep.has_value());
  CHECK(deep.error().code == TrapCode::stack_overflow);
}

TEST_CASE("Where it is not wanted, nothing is optimised") {
  EngineConfig config = at_once();
  config.optimises = false;
  const Engine engine = must(Engine::create(config));
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, R"((module
    (func (export "run") (param i64) (loop $l (br_if $l (i32.wrap_i64 (local.tee 0 (i64.sub (local.get 0) (i64.const 1)))))))))")));
  must(must(instance.function<void(std::int64_t)>("run"))(1000));
  CHECK(std::ranges::none_of(engine.tier_changes(), [](const TierChange& change) { return change.tier == "llvm"; }));
}

TEST_CASE("Of a body that is too large to be optimised, a loop is from which little is left") {
  if (!has_optimising()) return;
  constexpr std::string_view kLoop = R"(
    (loop $again
      (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3)) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0)))))";
  std::string nothing;
  for (int i = 0; i < 200'000; ++i) nothing += "nop ";
  const auto text = [&](std::string_view before, std::string_view behind, std::string_view around) {
    return std::string("(module (func $run (export \"run\") (param $n i64) (result i64) (local $sum i64) ")
        .append(around.empty() ? "" : "(loop $outer ")
        .append(before)
        .append(kLoop)
        .append(behind)
        .append(around)
        .append("(local.get $sum)))");
  };
  check_same(text(nothing, "", "").c_str(), "run", 20);
  // What stands before comes again, or there is too much behind.
  const std::string large[] = {text(nothing, "", "(br_if $outer (i64.ne (local.get $n) (i64.const 0))))"),
                               text("", nothing, "")};
  for (const std::string& each : large) {
    const Engine engine = must(Engine::create(at_once()));
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, each)));
    CHECK(must(must(instance.function<std::int64_t(std::int64_t)>("run"))(3)) == 3 * (3 * 3 + 2) + 1);
    CHECK(std::ranges::any_of(engine.tier_changes(), [](const TierChange& change) {
      return change.tier == "llvm" && change.failure.contains("the optimising compiler takes 131072 at most");
    }));
  }
}

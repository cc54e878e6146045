// Recursive functions whose calls return at once for some arguments, in optimised code: results, traps in what is
// looked at before the call, backtraces, exceptions and the end of the stack are those of the interpreter.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::string_view kRecursion = R"((module $recursion
  (import "host" "look" (func $look (param i32)))
  (memory 1)
  (tag $end (param i32))
  (table $table funcref (elem $fib))
  ;; Nodes of a list: the next one, and a number. The last one's next is null, or nowhere.
  (data (i32.const 64) "\50\00\00\00\05\00\00\00")
  (data (i32.const 80) "\60\00\00\00\07\00\00\00")
  (data (i32.const 96) "\00\00\00\00\09\00\00\00")
  (data (i32.const 128) "\90\00\00\00\05\00\00\00")
  (data (i32.const 144) "\ff\ff\0f\00\07\00\00\00")

  (func $fib (export "fib") (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 2)) (then (return (local.get 0))))
    (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))
  (func $list (export "list") (param i32) (result i32)
    (if (i32.eqz (i32.load (local.get 0))) (then (return (i32.load offset=4 (local.get 0)))))
    (i32.add (i32.load offset=4 (local.get 0)) (call $list (i32.load (local.get 0)))))
  (func $divide (export "divide") (param i32) (result i32)
    (if (i32.eqz (i32.rem_s (i32.const 1000) (local.get 0))) (then (return (local.get 0))))
    (i32.add (call $divide (i32.sub (local.get 0) (i32.const 3))) (i32.const 1)))
  (func $results (param i32) (result i32 i64 f64)
    (if (result i32 i64 f64) (i32.le_s (local.get 0) (i32.const 0))
      (then (i32.const 1) (i64.extend_i32_s (local.get 0)) (f64.const 0.5))
      (else (call $results (i32.sub (local.get 0) (i32.const 2))) (f64.const 2) (f64.mul))))
  (func (export "results") (param i32) (result i32) (local f64 i64)
    (call $results (local.get 0))
    (local.set 1) (local.set 2)
    (i32.add (i32.wrap_i64 (local.get 2)))
    (i32.add (i32.trunc_sat_f64_s (local.get 1))))
  (func $nothing (export "nothing") (param i32) (result i32)
    (call $count (local.get 0))
    (i32.load (i32.const 1024)))
  (func $count (param i32)
    (if (i32.lt_s (local.get 0) (i32.const 1)) (then (return)))
    (i32.store (i32.const 1024) (i32.add (i32.load (i32.const 1024)) (local.get 0)))
    (call $count (i32.sub (local.get 0) (i32.const 1)))
    (call $count (i32.sub (local.get 0) (i32.const 2))))
  (func $catch (export "catch") (param i32) (result i32)
    (if (i32.gt_s (local.get 0) (i32.const 20)) (then (return (local.get 0))))
    (if (i32.eq (local.get 0) (i32.const 17)) (then (throw $end (i32.const 400))))
    (block $caught (result i32)
      (try_table (result i32) (catch $end $caught)
        (i32.add (call $catch (i32.add (local.get 0) (i32.const 4))) (i32.const 1)))
      (return)))
  (func $looks (export "looks") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 5))))
    (call $look (local.get 0))
    (i32.add (call $looks (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $other_way (export "other way") (param i32) (result i32)
    (if (result i32) (i32.gt_u (local.get 0) (i32.const 6))
      (then (call $other_way (i32.sub (local.get 0) (call $other_way (i32.shr_u (local.get 0) (i32.const 1))))))
      (else (i32.const 3))))
  (func $endless (export "endless") (param i32) (result i32)
    (if (i32.eq (local.get 0) (i32.const -1)) (then (return (i32.const 0))))
    (i32.add (call $endless (i32.add (local.get 0) (i32.const 2))) (i32.const 1)))
))";

}  // namespace

TEST_CASE("Recursion that returns early gives and traps as in the interpreter") {
  const auto& known = tiers();
  if (std::ranges::find(known, TierSelection::optimising) == known.end()) return;
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(kRecursion.data()), kRecursion.size());
  const auto run = [&](TierSelection tier, const char* function, std::int32_t argument) {
    const Engine engine = must(Engine::create({.tier = tier}));
    const Module module = must(Module::from_bytes(engine, bytes));
    Store store(engine);
    Linker linker(engine);
    std::string seen;
    linker.define("host", "look", [&seen](std::int32_t value) -> std::expected<void, Trap> {
      seen += " " + std::to_string(value);
      if (value == 9) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "nine"});
      return {};
    });
    const Instance instance = must(linker.instantiate(store, module));
    const auto result = must(instance.function<std::int32_t(std::int32_t)>(function))(argument);
    return (result ? std::to_string(*result) : result.error().to_string()) + seen;
  };
  constexpr std::string_view kTrees[] = {"fib", "nothing", "looks", "other way"};
  int trapped = 0;
  for (const char* const function : {"fib", "list", "divide", "results", "nothing", "catch", "looks", "other way"}) {
    for (const std::int32_t argument : {0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 13, 17, 21, 64, 80, 96, 128, 144, -1, -7}) {
      // More would take too long, or have no end.
      const bool is_tree = std::ranges::count(kTrees, std::string_view(function)) != 0;
      if (is_tree && static_cast<std::uint32_t>(argument) > 21) continue;
      CAPTURE(function, argument);
      const std::string expected = run(TierSelection::interpreter, function, argument);
      CHECK(run(TierSelection::optimising, function, argument) == expected);
      if (expected.starts_with("trap")) ++trapped;
    }
  }
  CHECK(trapped >= 5);
}

TEST_CASE("Recursion that never returns early ends at the end of the stack") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(kRecursion.data()), kRecursion.size());
    const Module module = must(Module::from_bytes(engine, bytes));
    Store store(engine);
    Linker linker(engine);
    linker.define("host", "look", [](std::int32_t) {});
    const Instance instance = must(linker.instantiate(store, module));
    const auto endless = must(instance.function<std::int32_t(std::int32_t)>("endless"));
    CHECK(endless(0).error().code == TrapCode::stack_overflow);
    CHECK(must(endless(-7)) == 3);
  }
}

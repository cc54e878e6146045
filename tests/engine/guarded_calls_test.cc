// Calls by reference that look first whether it is a likely callee are the same calls: whatever the table holds by
// then, in every tier, with the same traps and backtraces; and what is counted says that they do look.
#include <algorithm>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// One function of each type is in a table from the start.
constexpr std::string_view kCalls = R"((module $calls
  (type $unary (func (param i32) (result i32)))
  (type $many (func (param i32 f64 i64 i32 i32 i32 i32) (result i32 f64 i64 i32)))
  (type $pair (struct (field i32)))
  (type $maker (func (param i32) (result (ref $pair))))
  (memory 1)
  (tag $small (param i32))
  (table $t (export "table") 8 funcref)
  (elem (table $t) (i32.const 1) func $divide $many_of $throw $make)

  (func $divide (type $unary) (i32.add (i32.div_u (i32.const 100) (local.get 0)) (i32.load (local.get 0))))
  (func $many_of (type $many)
    (i32.add (local.get 0) (local.get 6)) (f64.mul (local.get 1) (f64.const 2)) (i64.sub (local.get 2) (i64.const 3))
    (i32.add (local.get 3) (i32.add (local.get 4) (local.get 5))))
  (func $throw (param i64) (throw $small (i32.wrap_i64 (local.get 0))))
  (func $make (type $maker) (struct.new $pair (local.get 0)))

  (func (export "indirect") (param i32 i32) (result i32) (call_indirect $t (type $unary) (local.get 0) (local.get 1)))
  (func (export "tail") (param i32 i32) (result i32)
    (return_call_indirect $t (type $unary) (local.get 0) (local.get 1)))
  (func (export "reference") (param i32 i32) (result i32)
    (call_ref $unary (local.get 0) (ref.cast (ref null $unary) (table.get $t (local.get 1)))))
  (func (export "tail by reference") (param i32 i32) (result i32)
    (return_call_ref $unary (local.get 0) (ref.cast (ref null $unary) (table.get $t (local.get 1)))))
  (func (export "many") (param i32 i32) (result i32) (local $a i32) (local $b i64) (local $c f64) (local $d i32)
    (call_indirect $t (type $many) (local.get 0) (f64.const 1.5) (i64.const 40) (i32.const 5) (i32.const 6)
      (i32.const 7) (i32.const 8) (local.get 1))
    (local.set $a) (local.set $b) (local.set $c) (local.set $d)
    (i32.add (i32.mul (local.get $a) (i32.wrap_i64 (local.get $b)))
      (i32.add (i32.trunc_f64_s (local.get $c)) (local.get $d))))
  (func (export "caught") (param i32 i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $small $caught)
        (call_indirect $t (param i64) (i64.extend_i32_s (local.get 0)) (local.get 1)))
      (return (i32.const -1))))
  (func (export "collected") (param i32 i32) (result i32) (local $first (ref null $pair)) (local $sum i32)
    (local.set $first (struct.new $pair (i32.const 70)))
    (loop $on
      (local.set $sum (i32.add (local.get $sum)
        (struct.get $pair 0 (call_indirect $t (type $maker) (local.get 0) (local.get 1)))))
      (br_if $on (i32.gt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0))))
    (i32.add (local.get $sum) (struct.get $pair 0 (local.get $first))))
  (func (export "poke") (param i32 i32) (result i32) (i32.store (local.get 0) (local.get 1)) (i32.const 0))
  (func (export "set") (param i32 i32) (result i32)
    (table.set $t (local.get 0) (table.get $t (local.get 1))) (i32.const 0))
))";

struct Call {
  const char* function;
  std::int32_t first;
  std::int32_t second;
};
constexpr Call kEach[] = {{"indirect", 4, 1},
                          {"indirect", 0, 1},
                          {"indirect", 66'000, 1},
                          {"indirect", 4, 0},
                          {"indirect", 4, 2},
                          {"indirect", 4, 8},
                          {"indirect", 4, -1},
                          {"tail", 5, 1},
                          {"tail", 0, 1},
                          {"tail", 5, 0},
                          {"tail", 5, 3},
                          {"tail", 5, 100},
                          {"reference", 10, 1},
                          {"reference", 0, 1},
                          {"reference", 10, 0},
                          {"tail by reference", 7, 1},
                          {"tail by reference", 0, 1},
                          {"tail by reference", 7, 0},
                          {"many", 3, 2},
                          {"many", 3, 1},
                          {"caught", 9, 3},
                          {"caught", 9, 0},
                          {"collected", 400, 4},
                          {"collected", 400, 3}};

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string behaviour(const Engine& engine) {
  std::ostringstream seen;
  Store store(engine);
  Linker linker(engine);
  const Module module = must(Module::from_bytes(engine, bytes_of(kCalls)));
  const Instance instance = must(linker.instantiate(store, module));
  const auto call = [&](const Call& one) {
    seen << one.function << ' ' << one.first << ' ' << one.second << ": ";
    const auto function = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>(one.function));
    const auto result = function(one.first, one.second);
    if (result) {
      seen << *result;
    } else {
      seen << result.error().to_string();
      for (const StackFrame& frame : result.error().backtrace) {
        seen << ' ' << frame.function_index << '+' << frame.offset.value_or(0);
      }
    }
    seen << '\n';
  };
  // Twice, since automatic engines compile meanwhile.
  for (int round = 0; round < 2; ++round) {
    for (const Call& one : kEach) call(one);
  }
  // The same function of another instance is another function: its memory is another one.
  const Instance other = must(linker.instantiate(store, module));
  const Table table = must(instance.table("table"));
  must(table.set(1, must(other.table("table")).get(1).value()));
  must(must(other.function<std::int32_t(std::int32_t, std::int32_t)>("poke"))(4, 1000));
  for (const Call& one : kEach) call(one);
  // Of the likely type at another place, and nothing where it was.
  call({"set", 7, 1});
  call({"set", 1, 0});
  call({"indirect", 4, 7});
  call({"indirect", 4, 1});
  return seen.str();
}

// Of six that the table holds, one is called; by "mixed", as many as it is told. One of them is not tiny, so that not
// all are looked for.
constexpr std::string_view kOneOfSix = R"((module
  (type $unary (func (param i32) (result i32)))
  (table 6 funcref)
  (elem (i32.const 0) $double $triple $negate $square $same $half)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $triple (type $unary) (i32.mul (local.get 0) (i32.const 3)))
  (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func $same (type $unary)
    nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop
    nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop nop
    (local.get 0))
  (func $half (type $unary) (i32.shr_u (local.get 0) (i32.const 1)))
  (func (export "sum") (param $count i32) (param $which i32) (result i32) (local $sum i32)
    (loop $on
      (local.set $sum (i32.add (local.get $sum)
        (call_indirect (type $unary) (local.get $count) (local.get $which))))
      (br_if $on (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum))
  (func (export "mixed") (param $count i32) (param $different i32) (result i32) (local $sum i32)
    (loop $on
      (local.set $sum (i32.add (local.get $sum)
        (call_indirect (type $unary) (local.get $count) (i32.rem_u (local.get $count) (local.get $different)))))
      (br_if $on (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $sum))
))";

// What "mixed" is to give.
std::int32_t mixed(std::int32_t count, std::int32_t different) {
  std::int32_t sum = 0;
  for (std::int32_t i = count; i > 0; --i) {
    const std::int32_t results[] = {2 * i, 3 * i, -i, i * i, i, i / 2};
    sum += results[i % different];
  }
  return sum;
}

// Two of a type, which is few.
constexpr std::string_view kOneOfTwo = R"((module
  (type $unary (func (param i32) (result i32)))
  (table 2 funcref)
  (elem (i32.const 0) $double $triple)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $triple (type $unary) (i32.mul (local.get 0) (i32.const 3)))
  (func (export "call") (param i32 i32) (result i32) (call_indirect (type $unary) (local.get 0) (local.get 1)))
))";

// Six tiny ones, and room for others.
constexpr std::string_view kTiny = R"((module
  (type $unary (func (param i32) (result i32)))
  (type $other (func (result i32)))
  (table (export "table") 10 funcref)
  (elem (i32.const 0) $double $triple $negate $square $same $half $seven)
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $triple (type $unary) (i32.mul (local.get 0) (i32.const 3)))
  (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (func $seven (type $other) (i32.const 7))
  (func $square (type $unary) (i32.mul (local.get 0) (local.get 0)))
  (func $same (type $unary) (local.get 0))
  (func $half (type $unary) (i32.div_u (i32.const 1000) (local.get 0)))
  (func (export "call") (param i32 i32) (result i32) (call_indirect (type $unary) (local.get 0) (local.get 1)))
  (func (export "tail") (param i32 i32) (result i32) (return_call_indirect (type $unary) (local.get 0) (local.get 1)))
))";
constexpr std::string_view kForeign = R"((module
  (import "tiny" "table" (table 10 funcref))
  (elem (i32.const 1) $more)
  (elem (i32.const 7) $more)
  (func $more (param i32) (result i32) (i32.add (local.get 0) (i32.const 1000)))
))";

// What the calls give, before and after functions of another instance came into the table.
std::string behaviour_of_tiny(const Engine& engine) {
  std::ostringstream seen;
  Store store(engine);
  Linker linker(engine);
  const Instance tiny = must(linker.instantiate(store, must(Module::from_bytes(engine, bytes_of(kTiny)))));
  const auto call_all = [&] {
    for (const char* const name : {"call", "tail"}) {
      const auto call = must(tiny.function<std::int32_t(std::int32_t, std::int32_t)>(name));
      for (const std::int32_t argument : {5, 0}) {
        for (std::int32_t which = -1; which < 12; ++which) {
          const auto result = call(argument, which);
          seen << name << ' ' << argument << ' ' << which << ": "
               << (result ? std::to_string(*result) : result.error().to_string()) << '\n';
        }
      }
    }
  };
  call_all();
  linker.define_instance("tiny", tiny);
  must(linker.instantiate(store, must(Module::from_bytes(engine, bytes_of(kForeign)))));
  call_all();
  return seen.str();
}

}  // namespace

TEST_CASE("Guarded calls are the calls that they stand for, whatever the table holds") {
  const std::string expected = behaviour(must(Engine::create({.tier = TierSelection::interpreter})));
  CHECK(expected.contains("indirect 4 1: 25\n"));
  CHECK(expected.contains("indirect 4 1: 1025\n"));
  CHECK(expected.contains("uninitialized element"));
  CHECK(expected.contains("caught 9 3: 9"));
  for (const TierSelection tier : tiers()) {
    for (const bool is_strict : {false, true}) {
      INFO("tier " << static_cast<int>(tier) << ", strict " << is_strict);
      CHECK(behaviour(must(Engine::create({.tier = tier, .strict_memory = is_strict}))) == expected);
    }
  }
}

TEST_CASE("Calls by reference are counted where they are guarded") {
  if (!has_optimising()) return;
  const Engine engine = must(Engine::create({.tier = TierSelection::optimising, .counts_optimisations = true}));
  must(must(Module::from_bytes(engine, bytes_of(kCalls))).prepare());
  CHECK(optimisation_count(engine, "guarded_calls") == 7);
  CHECK(optimisation_count(engine, "inlined_calls") >= 6);
  CHECK(optimisation_count(engine, "polls") > 0);
  // Of six functions, any may be meant.
  const Engine other = must(Engine::create({.tier = TierSelection::optimising, .counts_optimisations = true}));
  must(must(Module::from_bytes(other, bytes_of(kOneOfSix))).prepare());
  CHECK(optimisation_count(other, "guarded_calls") == 0);
}

TEST_CASE("Calls by reference look for each of a few") {
  if (!has_optimising()) return;
  const Engine engine = must(Engine::create({.tier = TierSelection::optimising, .counts_optimisations = true}));
  Store store(engine);
  const Module module = must(Module::from_bytes(engine, bytes_of(kOneOfTwo)));
  must(module.prepare());
  CHECK(optimisation_count(engine, "guarded_calls") == 1);
  CHECK(optimisation_count(engine, "inlined_calls") == 2);
  const auto call =
      must(must(Linker(engine).instantiate(store, module)).function<std::int32_t(std::int32_t, std::int32_t)>("call"));
  CHECK(must(call(7, 0)) == 14);
  CHECK(must(call(7, 1)) == 21);
  CHECK_FALSE(call(7, 2).has_value());
}

TEST_CASE("Calls by reference find one of many tiny functions by its place") {
  const std::string expected = behaviour_of_tiny(must(Engine::create({.tier = TierSelection::interpreter})));
  CHECK(expected.contains("call 5 3: 25\n"));
  CHECK(expected.contains("call 5 7: 1005\n"));
  for (const TierSelection tier : tiers()) {
    INFO("tier " << static_cast<int>(tier));
    const Engine engine = must(
        Engine::create({.tier = tier, .tier_threshold = 1, .counts_optimisations = tier == TierSelection::optimising}));
    CHECK(behaviour_of_tiny(engine) == expected);
    if (tier != TierSelection::optimising) continue;
    CHECK(optimisation_count(engine, "guarded_calls") == 2);
    CHECK(optimisation_count(engine, "inlined_calls") >= 6);
  }
}

TEST_CASE("Calls by reference are guarded for those whom the same call was seen to reach") {
  if (!has_optimising()) return;
  // Some turns of a loop are interpreted before it is compiled.
  const Engine engine = must(Engine::create(
      {.tier_threshold = 100, .tier_threads = 0, .optimise_threshold = 0, .counts_optimisations = true}));
  Store store(engine);
  const Module module = must(Module::from_bytes(engine, bytes_of(kOneOfSix)));
  // Two instances share what was seen.
  const Instance first = must(Linker(engine).instantiate(store, module));
  const auto of_first = must(first.function<std::int32_t(std::int32_t, std::int32_t)>("mixed"));
  for (int i = 0; i < 5; ++i) CHECK(must(of_first(1000, 3)) == mixed(1000, 3));
  CHECK(optimisation_count(engine, "guarded_calls") > 0);
  CHECK(optimisation_count(engine, "inlined_calls") >= 3);
  for (const std::int32_t different : {1, 2, 4, 5, 6}) {
    INFO(different);
    CHECK(must(of_first(1000, different)) == mixed(1000, different));
  }
  const Instance second = must(Linker(engine).instantiate(store, module));
  CHECK(must(must(second.function<std::int32_t(std::int32_t, std::int32_t)>("mixed"))(1000, 6)) == mixed(1000, 6));
}

TEST_CASE("Calls by reference are guarded for those whom a profile shows the same call to reach") {
  if (!has_optimising()) return;
  const Engine recording = must(Engine::create({.records_profile = true}));
  const Module observed = must(Module::from_bytes(recording, bytes_of(kOneOfSix)));
  {
    Store store(recording);
    const Instance instance = must(Linker(recording).instantiate(store, observed));
    // All run as much, but one of the calls reaches two of them only.
    const auto mixed_of = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("mixed"));
    must(mixed_of(100'000, 2));
    const auto sum = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("sum"));
    for (std::int32_t which = 0; which < 6; ++which) must(sum(50'000, which));
  }
  const Profile profile = must(Profile::parse(observed.profile().to_text()));
  REQUIRE(profile == observed.profile());
  std::size_t known = 0;
  for (const Profile::Function& function : profile.functions) {
    for (const Profile::Callee& callee : function.callees) {
      if (function.index == 7) CHECK((callee.function && *callee.function < 2 && callee.count == 50'000));
      if (function.index == 6) CHECK(callee.count == (callee.function ? 50'000 : 100'000));
      ++known;
    }
  }
  CHECK(known == 2 + 5);
  const Engine engine = must(Engine::create({.tier = TierSelection::baseline, .counts_optimisations = true}));
  const Module module = must(Module::from_bytes(engine, bytes_of(kOneOfSix)));
  must(module.compile({.profile = &profile}));
  CHECK(optimisation_count(engine, "guarded_calls") == 1);
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  const auto call = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("mixed"));
  for (const std::int32_t different : {1, 2, 3, 6}) CHECK(must(call(1000, different)) == mixed(1000, different));
}

TEST_CASE("Calls by reference are not guarded where the same call was seen to reach many") {
  if (!has_optimising()) return;
  const Engine engine = must(Engine::create(
      {.tier_threshold = 100, .tier_threads = 0, .optimise_threshold = 0, .counts_optimisations = true}));
  Store store(engine);
  const Instance instance =
      must(Linker(engine).instantiate(store, must(Module::from_bytes(engine, bytes_of(kOneOfSix)))));
  const auto call = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("mixed"));
  for (int i = 0; i < 5; ++i) CHECK(must(call(1000, 6)) == mixed(1000, 6));
  CHECK(optimisation_count(engine, "polls") > 0);
  CHECK(optimisation_count(engine, "guarded_calls") == 0);
}

TEST_CASE("Calls by reference are guarded for the only one that runs, and reach the others as well") {
  if (!has_optimising()) return;
  // Each is compiled at its second call, and optimised at the one after that.
  const Engine engine = must(
      Engine::create({.tier_threshold = 1, .tier_threads = 0, .optimise_threshold = 0, .counts_optimisations = true}));
  Store store(engine);
  const Instance instance =
      must(Linker(engine).instantiate(store, must(Module::from_bytes(engine, bytes_of(kOneOfSix)))));
  const auto sum = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("sum"));
  for (int i = 0; i < 5; ++i) CHECK(must(sum(100, 1)) == 15'150);
  CHECK(optimisation_count(engine, "guarded_calls") > 0);
  CHECK(must(sum(100, 0)) == 10'100);
  CHECK(must(sum(100, 2)) == -5'050);
  CHECK(must(sum(100, 1)) == 15'150);
}

TEST_CASE("Calls by reference are guarded for the one that a profile shows") {
  if (!has_optimising()) return;
  const Engine interpreter = must(Engine::create({.tier = TierSelection::interpreter, .records_profile = true}));
  const Module observed = must(Module::from_bytes(interpreter, bytes_of(kOneOfSix)));
  {
    Store store(interpreter);
    const Instance instance = must(Linker(interpreter).instantiate(store, observed));
    must(must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("sum"))(100'000, 2));
  }
  const Profile profile = observed.profile();
  for (const bool uses_profile : {false, true}) {
    const Engine engine = must(Engine::create({.tier = TierSelection::baseline, .counts_optimisations = true}));
    const Module module = must(Module::from_bytes(engine, bytes_of(kOneOfSix)));
    must(module.compile({.profile = uses_profile ? &profile : nullptr}));
    CHECK(optimisation_count(engine, "guarded_calls") == (uses_profile ? 1 : 0));
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    const auto sum = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("sum"));
    CHECK(must(sum(100, 2)) == -5'050);
    CHECK(must(sum(100, 0)) == 10'100);
  }
}

// Fuel: what code is charged for, exactly, and the same in every tier.
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// One engine of each kind whose code charges; functions of the automatic ones are compiled at their second call or
// iteration, or a little later.
void in_every_engine(const std::function<void(const Engine&)>& check) {
  for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
    const bool guards = checks == BoundsChecks::guard_pages;
    for (const TierSelection tier : tiers()) {
      INFO("tier " << static_cast<int>(tier) << (guards ? ", guard pages" : ", explicit checks"));
      check(must(Engine::create({.bounds_checks = checks, .tier = tier, .fuel = true})));
    }
    for (const std::uint32_t threshold : {1, 2, 7}) {
      INFO("automatic from " << threshold << (guards ? " on, guard pages" : " on, explicit checks"));
      check(must(
          Engine::create({.bounds_checks = checks, .fuel = true, .tier_threshold = threshold, .tier_threads = 0})));
    }
  }
}

constexpr std::string_view kCosts = R"((module
  (type $pair (func (param i32 i32) (result i32)))
  (type $box (struct (field i32)))
  (tag $e (param i32))
  (memory 1)
  (table $t funcref (elem $add))
  (elem declare func $add)
  (func (export "nothing"))
  (func $add (export "add") (type $pair) (i32.add (local.get 0) (local.get 1)))
  (func (export "count") (param $n i32)
    (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "until") (param $n i32)
    (loop $again (br_if $again (i32.lt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0)))))
  (func (export "while") (param $n i32)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again))))
  (func (export "choose") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.add (i32.const 1) (i32.const 2)))))
  (func (export "compare") (param i32) (result i32)
    (if (result i32) (i32.gt_u (local.get 0) (i32.const 7)) (then (i32.const 1)) (else (i32.const 0))))
  (func (export "compare_f64") (param f64) (result i32)
    (if (result i32) (f64.lt (local.get 0) (f64.const 0.5)) (then (i32.const 1)) (else (nop) (i32.const 0))))
  (func (export "no_else") (param i32) (if (local.get 0) (then (nop) (nop))))
  (func (export "select") (param i32 i32) (result i32)
    (select (i32.const 1) (i32.const 2) (i32.lt_s (local.get 0) (local.get 1))))
  (func (export "leave") (block $out (br $out) (unreachable) (nop)) (nop))
  (func (export "return") (param i32) (result i32) (return (local.get 0)) (nop) (unreachable))
  (func (export "out") (param i32) (result i32) (br_if 0 (local.get 0) (local.get 0)) (drop) (i32.const 0))
  (func (export "kept_condition") (param i32 i32) (result i32)
    (i32.lt_s (local.get 0) (local.get 1)) (block (br_if 0 (local.get 0)) (nop)) (br_if 0 (i32.const 5)))
  (func (export "table") (param i32)
    (block $b (block $a (br_table $a $b (local.get 0))) (return)) (nop) (nop))
  (func (export "table_values") (param i32) (result i32)
    (block $b (result i32) (block $a (result i32) (br_table $a $b 2 (i32.const 4) (local.get 0))) (i32.add (i32.const 1))))
  (func (export "call") (drop (call $add (i32.const 1) (i32.const 2))))
  (func (export "call_indirect") (drop (call_indirect (type $pair) (i32.const 1) (i32.const 2) (i32.const 0))))
  (func (export "call_ref") (drop (call_ref $pair (i32.const 1) (i32.const 2) (ref.func $add))))
  (func (export "tail") (type $pair) (return_call $add (local.get 0) (local.get 1)))
  (func (export "tail_indirect") (type $pair)
    (return_call_indirect (type $pair) (local.get 0) (local.get 1) (i32.const 0)))
  (func (export "tail_ref") (type $pair) (return_call_ref $pair (local.get 0) (local.get 1) (ref.func $add)))
  (func $throw (param i32) (throw $e (local.get 0)))
  (func (export "catch") (result i32)
    (block $h (result i32) (try_table (catch $e $h) (throw $e (i32.const 3))) (i32.const 0)))
  (func (export "catch_call") (result i32)
    (block $h (result i32) (try_table (catch $e $h) (call $throw (i32.const 3))) (i32.const 0)))
  (func (export "not_thrown") (result i32)
    (block $h (result i32) (try_table (catch $e $h) (nop)) (i32.const 0)))
  (func (export "throw_ref") (param i32)
    (block $outer (result exnref)
      (try_table (catch_all_ref $outer)
        (throw_ref (block $inner (result exnref) (try_table (catch_all_ref $inner) (call $throw (local.get 0)))
          (unreachable))))
      (unreachable))
    (drop))
  (func (export "null") (param externref) (block $n (drop (br_on_null $n (local.get 0))) (nop)))
  (func (export "not_null") (param externref)
    (block $n (result (ref extern)) (br_on_non_null $n (local.get 0)) (return)) (drop) (nop))
  (func (export "cast") (param i32) (result i32)
    (drop (block $is (result i31ref)
      (br_on_cast $is anyref i31ref
        (if (result anyref) (local.get 0) (then (ref.i31 (i32.const 1))) (else (struct.new $box (i32.const 1)))))
      (drop) (return (i32.const 0))))
    (i32.const 1))
  (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "load") (param i32) (result i32) (nop) (drop (call $add (i32.const 1) (i32.const 2)))
    (i32.load (local.get 0)))
  (func (export "unreachable") (nop) (unreachable))
  (func (export "fill") (memory.fill (i32.const 0) (i32.const 1) (i32.const 60000)))
))";

struct Case {
  std::string_view name;
  std::vector<Value> arguments;
  std::uint64_t cost;
  std::optional<TrapCode> trap = {};
};

const std::vector<Case>& cases() {
  static const std::int64_t host = 8;
  static const Value not_null = ExternRef{const_cast<std::int64_t*>(&host)};
  static const std::vector<Case> all = {
      {"nothing", {}, 1},
      {"add", {1, 2}, 4},
      {"count", {1}, 6},
      {"count", {1000}, 5001},
      {"until", {5}, 8},
      {"until", {std::numeric_limits<std::int32_t>::min() + 1}, 15},
      {"while", {0}, 4},
      {"while", {100}, 804},
      {"choose", {1}, 4},
      {"choose", {0}, 6},
      {"compare", {8}, 6},
      {"compare", {7}, 6},
      {"compare_f64", {0.0}, 6},
      {"compare_f64", {std::numeric_limits<double>::quiet_NaN()}, 7},
      {"no_else", {0}, 3},
      {"no_else", {1}, 5},
      {"select", {1, 2}, 7},
      {"leave", {}, 3},
      {"return", {1}, 2},
      {"out", {1}, 3},
      {"out", {0}, 6},
      {"kept_condition", {1, 2}, 7},
      {"kept_condition", {0, 0}, 8},
      {"table", {0}, 3},
      {"table", {1}, 5},
      {"table", {-1}, 5},
      {"table_values", {0}, 6},
      {"table_values", {1}, 4},
      {"table_values", {2}, 3},
      {"call", {}, 9},
      {"call_indirect", {}, 10},
      {"call_ref", {}, 10},
      {"tail", {1, 2}, 7},
      {"tail_indirect", {1, 2}, 8},
      {"tail_ref", {1, 2}, 8},
      {"catch", {}, 3},
      {"catch_call", {}, 5},
      {"not_thrown", {}, 3},
      {"throw_ref", {5}, 7},
      {"null", {Value::zero_of(ValueType::externref())}, 3},
      {"null", {not_null}, 5},
      {"not_null", {Value::zero_of(ValueType::externref())}, 3},
      {"not_null", {not_null}, 5},
      {"cast", {1}, 8},
      {"cast", {0}, 8},
      {"divide", {1}, 4},
      {"divide", {0}, 0, TrapCode::integer_divide_by_zero},
      {"load", {65532}, 12},
      {"load", {65533}, 8, TrapCode::memory_out_of_bounds},
      {"unreachable", {}, 2, TrapCode::unreachable},
      {"fill", {}, 5},
  };
  return all;
}

std::string text_of(const Case& item) {
  std::string text(item.name);
  for (const Value& argument : item.arguments) text += " " + argument.to_string();
  return text;
}

// Where a call stopped for want of fuel: the functions and places of its backtrace.
std::string stop(Store& store, const Instance& instance, std::string_view name, std::uint64_t fuel,
                 const std::vector<Value>& arguments = {}) {
  must(store.set_fuel(fuel));
  const auto results = must(instance.func(name)).call(arguments);
  if (results) return "returned";
  if (results.error().code != TrapCode::out_of_fuel) return results.error().to_string();
  CHECK(results.error().message == "out of fuel");
  std::string places;
  for (const StackFrame& frame : results.error().backtrace) {
    places += std::to_string(frame.function_index) + "@" + std::to_string(frame.offset.value_or(0)) + " ";
  }
  return places + std::to_string(results.error().omitted_frames);
}

}  // namespace

TEST_CASE("Fuel: every kind of instruction costs what it should, in every tier, first and later") {
  in_every_engine([](const Engine& engine) {
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, kCosts)));
    for (int round = 0; round < 4; ++round) {
      for (const Case& item : cases()) {
        INFO(text_of(item) << ", round " << round);
        must(store.set_fuel(1'000'000));
        const auto results = must(instance.func(item.name)).call(item.arguments);
        CHECK(results.has_value() == !item.trap);
        if (!results) CHECK(results.error().code == item.trap);
        CHECK(1'000'000 - must(store.fuel()) == item.cost);
      }
    }
  });
}

TEST_CASE("Fuel: what suffices to the last unit suffices, and one less does not, at one place in every tier") {
  std::vector<std::vector<std::string>> all;
  in_every_engine([&](const Engine& engine) {
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, kCosts)));
    std::vector<std::string>& places = all.emplace_back();
    for (int round = 0; round < 3; ++round) {
      for (const Case& item : cases()) {
        if (item.trap) continue;
        INFO(text_of(item) << ", round " << round);
        CHECK(stop(store, instance, item.name, item.cost, item.arguments) == "returned");
        CHECK(must(store.fuel()) == 0);
        for (std::uint64_t fuel = 0; fuel < item.cost; fuel += fuel < 40 ? 1 : 97) {
          const std::string place = stop(store, instance, item.name, fuel, item.arguments);
          CHECK(place != "returned");
          CHECK(must(store.fuel()) == 0);
          places.push_back(place);
        }
      }
    }
    CHECK(places == all.front());
  });
}

TEST_CASE("Fuel: whatever goes on for ever ends, at one place in every tier") {
  constexpr std::string_view kEndless = R"((module
    (type $none (func))
    (type $box (struct))
    (tag $e)
    (table $t funcref (elem $indirect $indirect_back))
    (elem declare func $by_reference)
    (func (export "br") (loop $l (br $l)))
    (func (export "br_if") (param i32) (loop $l (br_if $l (i32.eqz (local.get 0)))))
    (func (export "table") (param i32) (loop $l (br_table $l $l $l (local.get 0))))
    (func (export "nested") (param i32)
      (loop $a (loop $b (br_if $a (local.tee 0 (i32.eqz (local.get 0)))) (br $b))))
    (func (export "thrown") (loop $l (try_table (catch_all $l) (throw $e))))
    (func $throw (throw $e))
    (func (export "thrown_in_call") (loop $l (try_table (catch $e $l) (call $throw))))
    (func (export "rethrown")
      (loop $l (try_table (catch_all $l)
        (throw_ref (block $r (result exnref) (try_table (catch_all_ref $r) (call $throw)) (unreachable))))))
    (func (export "null") (param externref) (loop $l (drop (br_on_null $l (local.get 0))) (br $l)))
    (func (export "cast") (ref.i31 (i32.const 1)) (loop $l (param anyref) (drop (br_on_cast $l anyref i31ref))))
    (func $recursive (export "recursive") (call $recursive))
    (func $tail (export "tail") (return_call $tail))
    (func $indirect (export "tail_indirect") (return_call_indirect (type $none) (i32.const 1)))
    (func $indirect_back (return_call_indirect (type $none) (i32.const 0)))
    (func $by_reference (export "tail_ref") (return_call_ref $none (ref.func $by_reference)))
  ))";
  std::vector<std::vector<std::string>> all;
  in_every_engine([&](const Engine& engine) {
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, kEndless)));
    std::vector<std::string>& places = all.emplace_back();
    for (int round = 0; round < 3; ++round) {
      for (const ExportType& item : instance.module().exports()) {
        std::vector<Value> arguments;
        for (const ValueType type : std::get<FunctionType>(item.type.type).params) {
          arguments.push_back(Value::zero_of(type));
        }
        for (const std::uint64_t fuel : {0, 1, 100, 1001, 1002}) {
          INFO(item.name << " with " << fuel << ", round " << round);
          places.push_back(stop(store, instance, item.name, fuel, arguments));
          CHECK(places.back().find('@') != std::string::npos);
        }
      }
    }
    CHECK(places == all.front());
  });
}

TEST_CASE("Fuel: with more of it the store goes on") {
  in_every_engine([](const Engine& engine) {
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, R"((module
      (global $n (export "n") (mut i32) (i32.const 0))
      (func (export "run") (loop $l (global.set $n (i32.add (global.get $n) (i32.const 1))) (br $l)))
      (func (export "n_is") (result i32) (global.get $n))))")));
    const auto n = [&] { return must(instance.global("n")).get().as<std::int32_t>(); };
    CHECK(stop(store, instance, "run", 50) == stop(store, instance, "run", 50));
    // Ten rounds each, and one that was not paid for.
    CHECK(n() == 22);
    CHECK(stop(store, instance, "run", 5000).find('@') != std::string::npos);
    CHECK(n() == 1023);
    // There is nothing left, so not even this.
    CHECK(must(instance.func("n_is")).call({}).error().code == TrapCode::out_of_fuel);
    CHECK(stop(store, instance, "n_is", 2) == "returned");
  });
}

TEST_CASE("Fuel: host functions find what is left, and may change it") {
  in_every_engine([](const Engine& engine) {
    Store store(engine);
    Linker linker(engine);
    std::vector<std::uint64_t> seen;
    linker.define("env", "look", [&] { seen.push_back(store.fuel().value()); });
    linker.define("env", "take", [&](std::int32_t cost) {
      store.set_fuel(store.fuel().value() - static_cast<std::uint32_t>(cost)).value();
    });
    linker.define("env", "stop", [&] { store.set_fuel(0).value(); });
    const Instance instance = must(linker.instantiate(store, load_text(engine, R"((module
      (import "env" "look" (func $look))
      (import "env" "take" (func $take (param i32)))
      (import "env" "stop" (func $stop))
      (table funcref (elem $look))
      (func (export "run") (param $n i32)
        (loop $l
          (nop) (call $look) (nop) (nop)
          (if (i32.and (local.get $n) (i32.const 1)) (then (call_indirect (i32.const 0))) (else (nop) (call $look)))
          (call $take (i32.const 100))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (return_call $look))
      (func (export "endless") (loop $l (call $stop) (br $l)))))")));
    for (int round = 0; round < 3; ++round) {
      seen.clear();
      must(store.set_fuel(10'000));
      must(must(instance.func("run")).call(std::vector<Value>{3}));
      CHECK(seen == std::vector<std::uint64_t>{9998, 9990, 9881, 9873, 9764, 9756, 9648});
      CHECK(must(store.fuel()) == 9648);
      CHECK(stop(store, instance, "endless", 1'000'000).find('@') != std::string::npos);
    }
  });
}

TEST_CASE("Fuel: a store begins with none, and a start function needs some") {
  in_every_engine([](const Engine& engine) {
    Store store(engine);
    CHECK(must(store.fuel()) == 0);
    const Module module = load_text(engine, "(module (func $start (nop) (nop)) (start $start))");
    const auto failed = Linker(engine).instantiate(store, module);
    REQUIRE_FALSE(failed);
    REQUIRE(failed.error().trap() != nullptr);
    CHECK(failed.error().trap()->code == TrapCode::out_of_fuel);
    must(store.set_fuel(4));
    must(Linker(engine).instantiate(store, module));
    CHECK(must(store.fuel()) == 1);
    must(store.set_fuel(std::numeric_limits<std::uint64_t>::max()));
    CHECK(must(store.fuel()) == std::numeric_limits<std::int64_t>::max());
  });
}

TEST_CASE("Fuel: calls from one store into another take from the callee's") {
  in_every_engine([](const Engine& engine) {
    Store outer(engine);
    Store inner(engine);
    const Module leaf = load_text(engine, R"((module (func (export "f") (nop) (nop))))");
    const Instance callee = must(Linker(engine).instantiate(inner, leaf));
    Linker linker(engine);
    linker.define("env", "f", [&] { must(must(callee.func("f")).call({})); });
    const Instance caller = must(linker.instantiate(outer, load_text(engine, R"((module
      (import "env" "f" (func $f)) (func (export "run") (call $f) (call $f))))")));
    must(outer.set_fuel(100));
    must(inner.set_fuel(100));
    must(must(caller.func("run")).call({}));
    CHECK(must(outer.fuel()) == 97);
    CHECK(must(inner.fuel()) == 94);
  });
}

TEST_CASE("Fuel: without the option there is none") {
  const Engine engine;
  Store store(engine);
  CHECK(store.set_fuel(5).error().kind == ErrorKind::argument);
  CHECK(store.fuel().error().kind == ErrorKind::argument);
  const Instance instance = must(Linker(engine).instantiate(store, load_text(engine, kCosts)));
  must(must(instance.func("count")).call(std::vector<Value>{1000}));
}

TEST_CASE("Fuel: threads get half of what their starter has, so that all of them end") {
  in_every_engine([](const Engine& engine) {
    Linker linker(engine);
    linker.define_wasi(WasiConfig());
    Store store(engine);
    must(store.set_fuel(100'000));
    const Instance instance = must(linker.instantiate(store, load_text(engine, R"((module
      (import "env" "memory" (memory 1 1 shared))
      (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
      (export "memory" (memory 0))
      (func (export "wasi_thread_start") (param i32 i32) (loop $l (br_if $l (local.get 1))))
      (func (export "spawn") (param i32) (result i32) (call $spawn (local.get 0)))
      (func (export "wait") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))))")));
    CHECK(must(must(instance.func("spawn")).call(std::vector<Value>{0})).at(0).as<std::int32_t>() > 0);
    CHECK(must(store.fuel()) == 49'998);
    // One that goes on for ever ends, and with it the program.
    const auto spawned = must(instance.func("spawn")).call(std::vector<Value>{1});
    if (spawned) {
      const auto waited = must(instance.func("wait")).call({});
      REQUIRE_FALSE(waited);
      CHECK(waited.error().code == TrapCode::out_of_fuel);
    } else {
      CHECK(spawned.error().code == TrapCode::out_of_fuel);
    }
  });
}

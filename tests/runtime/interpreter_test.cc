// The runtime with a real tier: what has to hold between interpreted code, host functions and the store.
#include "interp/interpreter.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "fake_tier.h"

namespace wasi::runtime {
namespace {

using namespace test;
using wasm::kI32, wasm::kI64;

struct InterpreterWorld : World {
  explicit InterpreterWorld(StoreOptions options = {}) : World(options, interp::make_interpreter()) {}
};

StoreOptions with_stack(std::uint64_t bytes) {
  return {.limits = {.stack_bytes = bytes}, .checks = BoundsChecks::guard_pages};
}

// The byte offset is there, whatever it is.
std::string without_offsets(const Trap& trap) {
  std::string text = trap.message;
  for (const StackFrame& frame : trap.backtrace) {
    text += " < " + frame.module + "!" + frame.function + (frame.offset ? "" : " (no offset)");
  }
  return text;
}

TEST_CASE("an access out of bounds traps in both ways of checking, with its place", "[interpreter]") {
  const BoundsChecks checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
  InterpreterWorld world({.limits = {}, .checks = checks});
  Instance& instance = world.instantiate(R"((module $app (memory 1)
    (func $load (param i32) (result i32) (i32.load offset=4 (local.get 0)))
    (func $run (export "run") (param i32) (result i32) (i32.add (i32.const 1) (call $load (local.get 0))))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))))");
  const auto run = [&](std::uint32_t address) {
    Slot slots[1] = {{.u64 = address}};
    const auto done = world.call(instance, "run", slots);
    return done ? std::to_string(slots[0].u32) : without_offsets(done.error());
  };
  const std::string trap = "out of bounds memory access < app!load < app!run";
  CHECK(run(65528) == "1");
  CHECK(run(65529) == trap);
  CHECK(run(0xFFFFFFFF) == trap);
  Slot slots[1] = {};
  REQUIRE(world.call(instance, "grow", slots).has_value());
  CHECK(slots[0].u32 == 1);
  CHECK(run(65529) == "1");
  CHECK(run(131072 - 7) == trap);
}

TEST_CASE("a deadline stops an interpreted loop", "[interpreter][interrupt]") {
  InterpreterWorld world;
  Instance& instance = world.instantiate(R"((module $app (func $spin (export "spin") (loop (br 0)))))");
  world.store->keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(10));
  const auto done = world.call(instance, "spin");
  REQUIRE_FALSE(done.has_value());
  CHECK(without_offsets(done.error()) == "deadline exceeded < app!spin");
}

TEST_CASE("a deadline stops endless recursion by tail calls", "[interpreter][interrupt]") {
  InterpreterWorld world;
  Instance& instance = world.instantiate(R"((module (func $spin (export "spin") (return_call $spin))))");
  world.store->keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(10));
  CHECK(world.call(instance, "spin").error().code == TrapCode::deadline_exceeded);
}

TEST_CASE("guest recursion exhausts the Wasm stack, and the store goes on", "[interpreter]") {
  InterpreterWorld world(with_stack(64 << 10));
  Instance& instance = world.instantiate(R"((module
    (func $down (export "down") (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
        (else (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))))))");
  const auto down = [&](std::uint32_t depth) {
    Slot slots[1] = {{.u64 = depth}};
    const auto done = world.call(instance, "down", slots);
    return done ? std::to_string(slots[0].u32) : done.error().message;
  };
  for (int i = 0; i < 3; ++i) {
    CHECK(down(100) == "100");
    CHECK(down(1'000'000) == "call stack exhausted");
  }
}

// At every depth the host calls back with more arguments than may fit: they must not be laid over the
// records of the calls in progress.
TEST_CASE("arguments of nested calls stop at the records of the calls around them", "[interpreter]") {
  InterpreterWorld world(with_stack(64 << 10));
  auto target = std::make_shared<FuncRef*>();
  static int refused;
  static int served;
  refused = served = 0;
  HostFunction* back = world.host_function(
      {}, {},
      [](void* data, HostCall& call) -> std::optional<Trap> {
        std::vector<Slot> slots(100);
        for (std::size_t i = 0; i < slots.size(); ++i) slots[i].u64 = UINT64_MAX - i;
        const auto done = call.store.call(**static_cast<FuncRef**>(data), slots);
        if (done) CHECK(slots[0].u64 == UINT64_MAX - 99);
        if (!done) CHECK(done.error().code == TrapCode::stack_overflow);
        ++(done ? served : refused);
        return std::nullopt;
      },
      target);
  std::string params;
  for (int i = 0; i < 100; ++i) params += " i64";
  Instance& instance = world.instantiate(R"((module (import "" "back" (func $back))
    (func $last (export "last") (param)" + params +
                                             R"() (result i64) (local.get 99))
    (func $down (export "down") (param i32) (call $back) (call $down (i32.add (local.get 0) (i32.const 1))))))",
                                         {External(&back->ref)});
  *target = instance.find_export("last")->func;
  Slot slots[1] = {{.u64 = 0}};
  const auto done = world.call(instance, "down", slots);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == TrapCode::stack_overflow);
  CHECK(done.error().backtrace.back().function == "down");
  CHECK(served > 0);
  CHECK(refused > 0);
  CHECK(world.store->exec().top == nullptr);
}

TEST_CASE("calls between instances, through tables and back through the host", "[interpreter]") {
  InterpreterWorld world;
  HostFunction* twice = world.host_function({kI64}, {kI64}, [](void*, HostCall& call) -> std::optional<Trap> {
    call.slots[0].u64 *= 2;
    return std::nullopt;
  });
  Instance& library = world.instantiate(R"((module (import "" "twice" (func $twice (param i64) (result i64)))
    (memory 1) (data (i32.const 0) "\07")
    (table (export "table") 4 funcref) (elem (i32.const 1) $seven $twice)
    (func $seven (export "seven") (param i64) (result i64)
      (i64.add (local.get 0) (i64.extend_i32_u (i32.load8_u (i32.const 0)))))))",
                                        {External(&twice->ref)});
  Instance& program = world.instantiate(R"((module $program (import "" "table" (table 4 funcref))
    (import "" "seven" (func $seven (param i64) (result i64)))
    (type $t (func (param i64) (result i64)))
    (memory 1) (data (i32.const 0) "\09")
    (func $run (export "run") (param i64 i32) (result i64)
      (call_indirect (type $t) (call $seven (local.get 0)) (local.get 1))
      (i64.extend_i32_u (i32.load8_u (i32.const 0))) (i64.add))))",
                                        {*library.find_export("table"), *library.find_export("seven")});
  const auto run = [&](std::uint64_t value, std::uint32_t index) {
    Slot slots[2] = {{.u64 = value}, {.u64 = index}};
    const auto done = world.call(program, "run", slots);
    return done ? std::to_string(slots[0].u64) : without_offsets(done.error());
  };
  CHECK(run(1, 1) == "24");  // 1 + 7 + 7 + 9
  CHECK(run(1, 2) == "25");  // (1 + 7) * 2 + 9
  CHECK(run(1, 0).starts_with("uninitialized element"));
  CHECK(run(1, 4).starts_with("undefined element"));
}

TEST_CASE("a body that does not validate traps when it is first called", "[interpreter]") {
  InterpreterWorld world;
  Instance& instance = world.instantiate(R"((module $app (func $bad (export "bad") (result i32) (i64.const 1))
    (func (export "good") (result i32) (i32.const 5))))");
  Slot slots[1] = {};
  REQUIRE(world.call(instance, "good", slots).has_value());
  CHECK(slots[0].u32 == 5);
  const auto done = world.call(instance, "bad", slots);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == TrapCode::invalid_function);
  CHECK_THAT(done.error().message, Catch::StartsWith("invalid function body: invalid module at offset 0x") &&
                                       Catch::Contains("type mismatch"));
}

TEST_CASE("a host function that is called last knows its caller", "[interpreter]") {
  InterpreterWorld world;
  static Instance* caller;
  HostFunction* look = world.host_function({}, {}, [](void*, HostCall& call) -> std::optional<Trap> {
    caller = call.caller;
    return std::nullopt;
  });
  Instance& instance = world.instantiate(R"((module (import "" "look" (func $look))
    (func (export "run") (return_call $look))))",
                                         {External(&look->ref)});
  REQUIRE(world.call(instance, "run").has_value());
  CHECK(caller == &instance);
}

}  // namespace
}  // namespace wasi::runtime

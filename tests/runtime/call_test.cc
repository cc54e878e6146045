// Calls from the host and from guests: arguments and results, nesting, who the caller is.
#include <catch2/catch.hpp>

#include "fake_tier.h"

namespace wasi::runtime {
namespace {

using namespace test;
using wasm::kI32, wasm::kI64;

// (a, b) -> (b, a)
void swap_slots(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self);
  std::swap(slots[0], slots[1]);
}

TEST_CASE("a call passes arguments in slots and returns results in them", "[call]") {
  World world;
  world.tier.functions["swap"] = swap_slots;
  Instance& instance = world.instantiate(R"((module
    (func $swap (export "swap") (param i32 i64) (result i64 i32) local.get 1 local.get 0)))");
  Slot slots[2] = {{.u64 = 1}, {.u64 = 2}};
  for (int i = 0; i < 3; ++i) REQUIRE(world.call(instance, "swap", slots));
  CHECK(slots[0].u64 == 2);
  CHECK(slots[1].u64 == 1);
  CHECK(world.tier.prepared == 1);
  CHECK(world.store->exec().top == nullptr);
  CHECK(world.store->exec().host_entry == nullptr);
}

TEST_CASE("a function reference is unique per instance and function", "[call]") {
  World world;
  const std::string_view module = R"((module (func $f (export "f") (export "g") nop)))";
  Instance& first = world.instantiate(module);
  Instance& second = world.instantiate(module);
  CHECK(first.find_export("f")->func == first.find_export("g")->func);
  CHECK(first.find_export("f")->func != second.find_export("f")->func);
  CHECK_FALSE(first.find_export("h").has_value());
}

TEST_CASE("exports of a module with many are found by name", "[call]") {
  World world;
  std::string wat = "(module (memory 1) (func $f nop)";
  for (int i = 0; i < 100; ++i) wat += "(export \"f" + std::to_string(i) + "\" (func 0))";
  wat += R"((export "m" (memory 0))))";
  Instance& instance = world.instantiate(wat);
  CHECK(instance.find_export("f0")->kind == wasm::ExternalKind::func);
  CHECK(instance.find_export("f99")->func == instance.func_ref(wasm::FuncIndex(0)));
  CHECK(instance.find_export("m")->memory == instance.memory(0));
  CHECK_FALSE(instance.find_export("f100").has_value());
}

TEST_CASE("the host may call a host function, which has no caller then", "[call]") {
  World world;
  HostFunction* twice = world.host_function(
      {kI32}, {kI32},
      [](void* data, HostCall& call) -> std::optional<Trap> {
        CHECK(call.caller == nullptr);
        CHECK(call.memory() == nullptr);
        call.slots[0].u32 *= *static_cast<std::uint32_t*>(data);
        return std::nullopt;
      },
      std::make_shared<std::uint32_t>(2));
  Slot slots[1] = {{.u64 = 21}};
  REQUIRE(world.store->call(twice->ref, slots));
  CHECK(slots[0].u32 == 42);
}

void call_import_0(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self);
  call_import(instance, 0, slots);
}

TEST_CASE("a host function knows its caller and the caller's memory", "[call]") {
  World world;
  world.tier.functions["run"] = call_import_0;
  static Instance* caller;
  static Memory* memory;
  HostFunction* look = world.host_function({}, {}, [](void*, HostCall& call) -> std::optional<Trap> {
    caller = call.caller;
    memory = call.memory();
    return std::nullopt;
  });
  SECTION("exported as memory") {
    Instance& instance = world.instantiate(R"((module (import "" "look" (func))
      (memory 1) (memory (export "memory") 2) (func $run (export "run") nop)))",
                                           {External(&look->ref)});
    REQUIRE(world.call(instance, "run"));
    CHECK(caller == &instance);
    CHECK(memory == instance.memory(1));
  }
  SECTION("not exported") {
    Instance& instance = world.instantiate(R"((module (import "" "look" (func))
      (memory 1) (func $run (export "run") nop)))",
                                           {External(&look->ref)});
    REQUIRE(world.call(instance, "run"));
    CHECK(memory == instance.memory(0));
  }
  SECTION("none, though something else is called memory") {
    Instance& instance = world.instantiate(R"((module (import "" "look" (func))
      (func $run (export "run") (export "memory") nop)))",
                                           {External(&look->ref)});
    REQUIRE(world.call(instance, "run"));
    CHECK(caller == &instance);
    CHECK(memory == nullptr);
  }
}

// Sums 1..n by calling itself through the host. Its slots: n, a value that must survive the call, the
// argument of the host function.
void sum_down(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self);
  const std::uint64_t n = slots[0].u64;
  if (n == 0) return;
  slots[1].u64 = n * 1000;
  slots[2].u64 = n - 1;
  call_import(instance, 0, slots + 2);
  CHECK(slots[1].u64 == n * 1000);
  CHECK(slots[0].u64 == n);
  slots[0].u64 = n + slots[2].u64;
}

TEST_CASE("calls nest through host functions without touching live slots", "[call]") {
  World world;
  world.tier.functions["sum"] = sum_down;
  auto target = std::make_shared<FuncRef*>();
  HostFunction* back = world.host_function(
      {kI64}, {kI64},
      [](void* data, HostCall& call) -> std::optional<Trap> {
        Slot slots[1] = {call.slots[0]};
        auto done = call.store.call(**static_cast<FuncRef**>(data), slots);
        if (!done) return std::move(done).error();
        call.slots[0] = slots[0];
        return std::nullopt;
      },
      target);
  Instance& instance = world.instantiate(R"((module (import "" "back" (func (param i64) (result i64)))
    (func $sum (export "sum") (param i64) (result i64) i64.const 0)))",
                                         {External(&back->ref)});
  *target = instance.find_export("sum")->func;
  Slot slots[1] = {{.u64 = 100}};
  REQUIRE(world.call(instance, "sum", slots));
  CHECK(slots[0].u64 == 5050);
  CHECK(world.store->exec().free_slot == world.store->exec().stack_begin);
}

TEST_CASE("one store's guest may run another store's through the host", "[call]") {
  World outer;
  World inner;
  inner.tier.functions["fail"] = [](VmContext* instance, Slot* slots, FunctionCode* self) {
    const FakeFrame frame(instance, slots, self);
    raise_trap(*instance->exec, TrapCode::unreachable);
  };
  static Instance* inner_instance;
  static World* inner_world;
  inner_world = &inner;
  inner_instance = &inner.instantiate(R"((module (func $fail (export "fail") nop)))");
  outer.tier.functions["run"] = call_import_0;
  HostFunction* call_inner = outer.host_function({kI32}, {kI32}, [](void*, HostCall& call) -> std::optional<Trap> {
    const auto done = inner_world->call(*inner_instance, "fail");
    call.slots[0].u32 = !done && done.error().code == TrapCode::unreachable ? 7 : 0;
    return std::nullopt;
  });
  Instance& instance = outer.instantiate(R"((module (import "" "call_inner" (func (param i32) (result i32)))
    (func $run (export "run") (param i32) (result i32) i32.const 0)))",
                                         {External(&call_inner->ref)});
  Slot slots[1] = {{.u64 = 0}};
  REQUIRE(outer.call(instance, "run", slots));
  CHECK(slots[0].u32 == 7);
}

}  // namespace
}  // namespace wasi::runtime

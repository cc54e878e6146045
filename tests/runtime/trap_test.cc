// Traps: what they say, where they unwind to, what they leave behind.
#include <catch2/catch.hpp>
#include <stdexcept>

#include "fake_tier.h"
#include "runtime/tuning.h"

namespace wasi::runtime {
namespace {

using namespace test;
using wasm::kI32;

void inner(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self, 0x31);
  raise_trap(*instance->exec, TrapCode::integer_overflow);
}

void outer(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self, 0x42);
  call_defined(instance, 0, slots);
}

TEST_CASE("a trap has message, code and a backtrace with names and offsets", "[trap]") {
  World world;
  world.tier.functions["inner"] = inner;
  world.tier.functions["outer"] = outer;
  Instance& instance = world.instantiate(R"((module $app
    (func $inner nop) (func $outer (export "run") nop)))");
  const auto result = world.call(instance, "run");
  REQUIRE_FALSE(result.has_value());
  const Trap& trap = result.error();
  CHECK(trap.code == TrapCode::integer_overflow);
  CHECK(trap.to_string() ==
        "trap: integer overflow\n"
        "    0: app!inner @ 0x31\n"
        "    1: app!outer @ 0x42");
  CHECK(trap.backtrace[0].function_index == 0);
  CHECK(trap.omitted_frames == 0);
  // The store can be used again.
  CHECK(world.store->exec().top == nullptr);
  CHECK(world.store->exec().host_entry == nullptr);
  CHECK_FALSE(world.call(instance, "run").has_value());
}

// Recurses as deep as the first slot says, then traps.
void recurse(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self, slots[0].u64 + 1);
  if (slots[0].u64 == 0) raise_trap(*instance->exec, TrapCode::unreachable);
  slots[1].u64 = slots[0].u64 - 1;
  call_defined(instance, 0, slots + 1);
}

TEST_CASE("a deep backtrace keeps its innermost and outermost frames", "[trap]") {
  World world;
  world.tier.functions["recurse"] = recurse;
  Instance& instance = world.instantiate(R"((module (func $recurse (export "recurse") (param i64) nop)))");
  Slot slots[1] = {{.u64 = 999}};
  const auto result = world.call(instance, "recurse", slots);
  REQUIRE_FALSE(result.has_value());
  const Trap& trap = result.error();
  REQUIRE(trap.backtrace.size() == kMaxBacktraceFrames);
  CHECK(trap.omitted_frames == 1000 - kMaxBacktraceFrames);
  CHECK(trap.backtrace.front().offset == 1);
  CHECK(trap.backtrace[kMaxBacktraceFrames / 2 - 1].offset == kMaxBacktraceFrames / 2);
  CHECK(trap.backtrace[kMaxBacktraceFrames / 2].offset == 1000 - kMaxBacktraceFrames / 2 + 1);
  CHECK(trap.backtrace.back().offset == 1000);
}

TEST_CASE("a function without a name is called by its export in backtraces", "[trap]") {
  World world;
  world.tier.functions[""] = inner;
  Instance& instance = world.instantiate(R"((module (func (export "exported") nop)))");
  const auto result = world.call(instance, "exported");
  REQUIRE_FALSE(result.has_value());
  REQUIRE(result.error().backtrace.size() == 1);
  CHECK(result.error().backtrace[0].function == "exported");
}

TEST_CASE("a function that cannot be prepared traps with the reason", "[trap]") {
  World world;
  Instance& instance = world.instantiate(R"((module (func $missing (export "run") nop)))");
  const auto result = world.call(instance, "run");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == TrapCode::invalid_function);
  CHECK(result.error().message == "invalid function body: invalid module at offset 0x7: no fake function $missing");
}

void call_import_0(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self, 0x10);
  call_import(instance, 0, slots);
}

constexpr std::string_view kCallsHost = R"((module $guest (import "" "host" (func (param i32)))
  (func $run (export "run") (param i32) nop)))";

// Counts itself, to see that host functions' objects are destroyed before a trap unwinds.
struct Counted {
  Counted() { ++alive; }
  ~Counted() { --alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  static inline int alive = 0;
};

TEST_CASE("what a host function throws becomes a trap", "[trap]") {
  World world;
  world.tier.functions["run"] = call_import_0;
  HostFunction* host = world.host_function({kI32}, {}, [](void*, HostCall& call) -> std::optional<Trap> {
    const Counted counted;
    if (call.slots[0].u32 == 0) throw std::runtime_error("no such thing");
    throw 5;
  });
  Instance& instance = world.instantiate(kCallsHost, {External(&host->ref)});
  Slot slots[1] = {{.u64 = 0}};
  const auto standard = world.call(instance, "run", slots);
  REQUIRE_FALSE(standard.has_value());
  CHECK(standard.error().code == TrapCode::host_error);
  CHECK(standard.error().to_string() == "trap: error in a host function: no such thing\n    0: guest!run @ 0x10");
  slots[0].u64 = 1;
  const auto other = world.call(instance, "run", slots);
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().message == "error in a host function: an exception that is no std::exception");
  CHECK(Counted::alive == 0);
}

TEST_CASE("a trap that a host function returns stops the guest after its objects are gone", "[trap]") {
  World world;
  world.tier.functions["run"] = call_import_0;
  HostFunction* host = world.host_function({kI32}, {}, [](void*, HostCall&) -> std::optional<Trap> {
    const Counted counted;
    return Trap{.code = TrapCode::exit, .message = {}, .backtrace = {}, .omitted_frames = 0, .exit_status = 3};
  });
  Instance& instance = world.instantiate(kCallsHost, {External(&host->ref)});
  Slot slots[1] = {{.u64 = 0}};
  const auto result = world.call(instance, "run", slots);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().is_exit());
  CHECK(result.error().exit_status == 3);
  CHECK(result.error().backtrace.empty());
  CHECK(Counted::alive == 0);
  CHECK(world.store->exec().free_slot == world.store->exec().stack_begin);
}

// Guest and host call each other until something is exhausted.
TEST_CASE("endless recursion through host and guest ends with a trap", "[trap]") {
  World world;
  world.tier.functions["run"] = [](VmContext* instance, Slot* slots, FunctionCode* self) {
    if (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < instance->exec->native_limit) {
      raise_trap(*instance->exec, TrapCode::stack_overflow);
    }
    const FakeFrame frame(instance, slots, self, 0x10);
    call_import(instance, 0, slots);
  };
  auto target = std::make_shared<FuncRef*>();
  static int deepest;
  deepest = 0;
  HostFunction* host = world.host_function(
      {kI32}, {},
      [](void* data, HostCall& call) -> std::optional<Trap> {
        const Counted counted;
        ++deepest;
        Slot slots[1] = {call.slots[0]};
        auto done = call.store.call(**static_cast<FuncRef**>(data), slots);
        return done ? std::optional<Trap>() : std::move(done).error();
      },
      target);
  Instance& instance = world.instantiate(kCallsHost, {External(&host->ref)});
  *target = instance.find_export("run")->func;
  Slot slots[1] = {{.u64 = 0}};
  const auto result = world.call(instance, "run", slots);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == TrapCode::stack_overflow);
  CHECK(result.error().message == "call stack exhausted");
  CHECK(result.error().omitted_frames > 0);
  CHECK(deepest > 100);
  CHECK(Counted::alive == 0);
  CHECK(world.store->exec().host_entry == nullptr);
}

TEST_CASE("a call whose arguments do not fit on the Wasm stack traps", "[trap]") {
  World world({.limits = {.stack_bytes = 4096}, .checks = BoundsChecks::guard_pages});
  HostFunction* host = world.host_function({}, {}, [](void*, HostCall&) { return std::optional<Trap>(); });
  std::vector<Slot> slots(4096 / sizeof(Slot) + 1, Slot{.u64 = 0});
  const auto result = world.store->call(host->ref, slots);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == TrapCode::stack_overflow);
  CHECK(world.store->call(host->ref, std::span(slots).first(100)).has_value());
}

}  // namespace
}  // namespace wasi::runtime

// Interruption: deadlines, requests from other threads, stale flags; and the stack limit through which machine code
// learns of it.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "fake_tier.h"
#include "runtime/services.h"
#include "support/fiber.h"
#include "support/sanitizers.h"

namespace wasi::runtime {
namespace {

using namespace test;
using std::chrono::steady_clock, std::chrono::milliseconds, std::chrono::hours;

std::atomic<bool> is_looping;

// A loop with a poll at its head, as every tier has.
void loop_forever(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self, 0x77);
  is_looping = true;
  for (;;) {
    if (instance->exec->interrupt.load(std::memory_order_relaxed) != 0) handle_interrupt(*instance->exec);
  }
}

void poll_once(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self);
  if (instance->exec->interrupt.load(std::memory_order_relaxed) != 0) handle_interrupt(*instance->exec);
}

struct LoopWorld : World {
  LoopWorld() {
    tier.functions["loop"] = loop_forever;
    tier.functions["poll"] = poll_once;
    instance = &instantiate(R"((module $app (func $loop (export "loop") nop) (func $poll (export "poll") nop)))");
  }
  Instance* instance;
};

TEST_CASE("a deadline stops an endless loop", "[interrupt]") {
  LoopWorld world;
  world.store->keep_deadline(steady_clock::now() + milliseconds(20));
  const auto result = world.call(*world.instance, "loop");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().to_string() == "trap: deadline exceeded\n    0: app!loop @ 0x77");
  // It stays passed until another is set.
  const auto again = world.call(*world.instance, "poll");
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == TrapCode::deadline_exceeded);
  world.store->keep_deadline(std::nullopt);
  CHECK(world.call(*world.instance, "poll").has_value());
  CHECK(world.store->exec().interrupt.load() == 0);
  world.store->keep_deadline(steady_clock::now() + hours(1));
  CHECK(world.call(*world.instance, "poll").has_value());
}

TEST_CASE("deadlines fire in their order, whatever the order in which they were set", "[interrupt]") {
  LoopWorld late;
  LoopWorld early;
  late.store->keep_deadline(steady_clock::now() + hours(1));
  early.store->keep_deadline(steady_clock::now() + milliseconds(10));
  CHECK(early.call(*early.instance, "loop").error().code == TrapCode::deadline_exceeded);
  CHECK(late.call(*late.instance, "poll").has_value());
}

TEST_CASE("a deadline that has passed when it is set stops the next loop", "[interrupt]") {
  LoopWorld world;
  world.store->keep_deadline(steady_clock::now() - milliseconds(1));
  CHECK(world.call(*world.instance, "loop").error().code == TrapCode::deadline_exceeded);
}

TEST_CASE("another thread interrupts a running guest, once", "[interrupt]") {
  LoopWorld world;
  is_looping = false;
  std::thread other([&] {
    while (!is_looping) std::this_thread::yield();
    world.store->interrupt();
  });
  const auto result = world.call(*world.instance, "loop");
  other.join();
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == TrapCode::interrupted);
  CHECK(result.error().message == "interrupted");
  CHECK(world.call(*world.instance, "poll").has_value());
}

TEST_CASE("a store may run on one thread after another", "[interrupt][call]") {
  LoopWorld world;
  REQUIRE(world.call(*world.instance, "poll").has_value());
  std::uintptr_t limit_here = 0;
  std::uintptr_t limit_there = 0;
  HostFunction* host = world.host_function(
      {}, {},
      [](void* data, HostCall& call) -> std::optional<Trap> {
        *static_cast<std::uintptr_t*>(data) = call.store.exec().native_limit;
        return std::nullopt;
      },
      std::shared_ptr<void>(&limit_here, [](void*) {}));
  REQUIRE(world.store->call(host->ref, {}).has_value());
  std::thread other([&] {
    host->data = std::shared_ptr<void>(&limit_there, [](void*) {});
    (void)world.store->call(host->ref, {});
  });
  other.join();
  CHECK(limit_here != 0);
  CHECK(limit_there != 0);
  CHECK(limit_here != limit_there);
}

// --- machine code compares its stack pointer with the stack limit, and nothing else

bool compare_stack(VmContext* instance) {
  ExecState& exec = *instance->exec;
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  if (here >= exec.stack_limit.load(std::memory_order_relaxed)) return false;
  exec.native_sp = here;
  services::check_stack(instance);
  return true;
}

// Gives whether the comparison went the slow way.
void enter_natively(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self);
  slots[0].u64 = compare_stack(instance) ? 1 : 0;
}

void loop_natively(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self, 0x88);
  is_looping = true;
  for (;;) static_cast<void>(compare_stack(instance));
}

struct NativeWorld : World {
  NativeWorld() {
    tier.functions["loop"] = loop_natively;
    tier.functions["enter"] = enter_natively;
    tier.functions["through"] = [](VmContext* vm, Slot* slots, FunctionCode* self) {
      const FakeFrame frame(vm, slots, self);
      call_import(vm, 0, slots);
    };
    HostFunction* host = host_function(
        {}, {},
        [](void* data, HostCall& call) -> std::optional<Trap> {
          const auto inside = *static_cast<std::function<void()>*>(data);  // it may set another
          inside();
          // The caller goes on with what it had.
          call.slots[0].u64 = call.store.exec().stack_limit == call.store.exec().native_limit ? 0 : 1;
          return std::nullopt;
        },
        std::shared_ptr<void>(&inside, [](void*) {}));
    instance = &instantiate(R"((module $app (import "" "host" (func))
      (func $loop (export "loop") nop) (func $enter (export "enter") nop) (func $through (export "through") nop)))",
                            {External(&host->ref)});
  }
  std::expected<bool, TrapCode> enter(std::string_view function = "enter") {
    Slot slots[1] = {};
    const auto called = call(*instance, function, slots);
    if (!called) return std::unexpected(called.error().code);
    return slots[0].u64 != 0;
  }

  Instance* instance;
  std::function<void()> inside = [] {};  // the host function
};

TEST_CASE("machine code that loops stops for deadlines and interrupts", "[interrupt]") {
  NativeWorld world;
  CHECK(world.enter() == false);
  world.store->keep_deadline(steady_clock::now() + milliseconds(20));
  const auto result = world.call(*world.instance, "loop");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().to_string() == "trap: deadline exceeded\n    0: app!loop @ 0x88");
  // It stays passed, also where code only compares.
  CHECK(world.enter() == std::unexpected(TrapCode::deadline_exceeded));
  CHECK(world.enter() == std::unexpected(TrapCode::deadline_exceeded));
  world.store->keep_deadline(std::nullopt);
  // A stale raise costs one look.
  CHECK(world.enter() == true);
  CHECK(world.enter() == false);

  is_looping = false;
  std::thread other([&] {
    while (!is_looping) std::this_thread::yield();
    world.store->interrupt();
  });
  const auto interrupted = world.call(*world.instance, "loop");
  other.join();
  CHECK(interrupted.error().code == TrapCode::interrupted);
  CHECK(world.enter() == false);
}

TEST_CASE("a wish of before a call is seen in it, and so is one that is still there behind a trap", "[interrupt]") {
  NativeWorld world;
  world.store->interrupt();
  CHECK(world.enter() == std::unexpected(TrapCode::interrupted));
  CHECK(world.enter() == false);
  world.store->interrupt();
  world.store->clear_interrupt();
  CHECK(world.enter() == true);
  CHECK(world.enter() == false);
  // The end of a program is for good.
  const auto program = std::make_shared<Program>();
  world.store->join(program);
  program->end({.code = TrapCode::exit, .exit_status = 3});
  for (int i = 0; i < 3; ++i) CHECK(world.enter() == std::unexpected(TrapCode::exit));
}

TEST_CASE("an entry on another stack changes the limit, and loses no wish", "[interrupt]") {
  NativeWorld world;
  CHECK(world.enter("through") == false);
  const std::uintptr_t limit_here = world.store->exec().stack_limit;
  std::uintptr_t limit_there = 0;
  const auto call_there = [&](bool is_interrupted) {
    wasi::test::Fiber fiber(256U << 10, [&](wasi::test::Fiber& self) {
      world.store->set_native_stack({reinterpret_cast<std::uintptr_t>(self.stack().data()),
                                     reinterpret_cast<std::uintptr_t>(self.stack().data() + self.stack().size())});
      world.inside = [&] { limit_there = world.store->exec().stack_limit; };
      if (is_interrupted) world.store->interrupt();
      static_cast<void>(world.enter(is_interrupted ? "enter" : "through"));
    });
    fiber.resume();
  };
  call_there(false);
  CHECK(limit_there != limit_here);
  CHECK(limit_there != kRaisedStackLimit);
  world.inside = [] {};
  CHECK(world.enter("through") == false);
  CHECK(world.store->exec().stack_limit == limit_here);
  // A call on another stack, from a host function: behind it the outer limit stands again.
  world.inside = [&] {
    world.inside = [] {};
    call_there(false);
  };
  CHECK(world.enter("through") == false);
  // And a wish that nobody has answered yet is kept.
  world.store->interrupt();
  world.inside = [] {};
  call_there(true);
  CHECK(world.enter() == false);
}

// Two threads at once, many times: one does `a`, now somewhat earlier than the other does `b`, now later; then `after`.
template <class A, class B, class After>
void race(A a, B b, After after) {
#if defined(WASI_TEST_SANITIZER)
  constexpr int kRounds = 2'000;
#else
  constexpr int kRounds = 20'000;
#endif
  std::atomic<int> begun = 0;
  std::atomic<int> done = 0;
  std::thread other([&] {
    for (int round = 1; round <= kRounds; ++round) {
      while (begun != round) std::this_thread::yield();
      b();
      done = round;
    }
  });
  for (int round = 1; round <= kRounds; ++round) {
    begun = round;
    // The other one hears of it some time later.
    for (std::atomic<int> wait = round % 512; wait > 0;) wait = wait - 1;
    a();
    while (done != round) std::this_thread::yield();
    after();
  }
  other.join();
}

TEST_CASE("a raise of the stack limit is lost to nobody who lowers it at that moment", "[interrupt]") {
  ExecState exec;
  exec.native_limit = 1000;
  VmContext vm;
  vm.exec = &exec;
  exec.native_sp = 2000;
  int lost = 0;
  // A wish that a poll finds stale, so that it comes back.
  const auto wish = [&] { set_interrupt(exec, kInterruptDeadline); };
  const auto count_lost = [&] {
    lost += exec.interrupt != 0 && exec.stack_limit != kRaisedStackLimit ? 1 : 0;
    exec.interrupt = 0;
    exec.stack_limit = 1000;
  };
  race([&] { set_stack_limit(exec, 1000); }, wish, count_lost);
  CHECK(lost == 0);
  race([&] { services::check_stack(&vm); }, wish, count_lost);
  CHECK(lost == 0);
}

}  // namespace
}  // namespace wasi::runtime

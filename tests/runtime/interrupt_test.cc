// Interruption: deadlines, requests from other threads, stale flags.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "fake_tier.h"

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

}  // namespace
}  // namespace wasi::runtime

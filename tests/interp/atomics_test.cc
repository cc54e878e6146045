// Atomic accesses: values, traps, and threads that meet in a shared memory. The official suite has the values of all
// instructions; here are the edges that it leaves out.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "machine.h"

namespace wasi::interp::test {
namespace {

std::string trap_of(Machine& machine, std::string_view function, const Values& arguments) {
  const auto result = machine.call(function, arguments);
  return result ? "no trap" : result.error().message;
}

constexpr std::string_view kAccesses = R"((module
  (memory $shared 1 4 shared)
  (func (export "load") (param i32) (result i32) (i32.atomic.load (local.get 0)))
  (func (export "load_far") (param i32) (result i64) (i64.atomic.load offset=0xffff_fff8 (local.get 0)))
  (func (export "load16") (param i32) (result i64) (i64.atomic.load16_u offset=2 (local.get 0)))
  (func (export "plain") (param i32) (result i64) (i64.load (local.get 0)))
  (func (export "store") (param i32 i64) (i64.atomic.store (local.get 0) (local.get 1)))
  (func (export "store8") (param i32 i64) (i64.atomic.store8 (local.get 0) (local.get 1)))
  (func (export "add") (param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1)))
  (func (export "sub16") (param i32 i64) (result i64) (i64.atomic.rmw16.sub_u (local.get 0) (local.get 1)))
  (func (export "exchange") (param i32 i32 i32) (result i32)
    (i32.atomic.rmw8.cmpxchg_u (local.get 0) (local.get 1) (local.get 2)))
  (func (export "wait") (param i32 i32 i64) (result i32)
    (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "wait64") (param i32 i64 i64) (result i32)
    (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "notify") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))
  (func (export "fence") (result i32) (atomic.fence) (i32.const 3))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
))";

constexpr std::string_view kUnshared = R"((module
  (memory 1)
  (func (export "add") (param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1)))
  (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))
  (func (export "notify") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1)))
))";

TEST_CASE("atomic accesses are aligned and inside", "[atomics]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(kAccesses);
    REQUIRE(machine.call("store", {8, 0x1122334455667788}));
    CHECK(machine.value("load", {8}) == 0x55667788);
    CHECK(machine.value("load16", {8}) == 0x5566);
    CHECK(machine.value("add", {8, 0xFFFFFFFF}) == 0x55667788);
    CHECK(machine.value("load", {8}) == 0x55667787);
    CHECK(machine.value("sub16", {8, 0x7788}) == 0x7787);
    CHECK(machine.value("load16", {6}) == 0xFFFF);
    REQUIRE(machine.call("store8", {8, 0xABCD}));
    CHECK(machine.value("exchange", {8, 0x100CD, 0x55}) == 0xCD);  // the expected value is narrowed, too
    CHECK(machine.value("exchange", {8, 0xCD, 0x66}) == 0x55);
    CHECK(machine.value("plain", {8}) == 0x112233445566FF55);
    CHECK(machine.value("fence") == 3);

    for (const std::uint64_t index : {65536, 65540, -4}) {
      CHECK(trap_of(machine, "load", {index & 0xFFFFFFFF}) == "out of bounds memory access");
      CHECK(trap_of(machine, "store", {(index & 0xFFFFFFFF) - 4, 1}) == "out of bounds memory access");
      CHECK(trap_of(machine, "notify", {index & 0xFFFFFFFF, 1}) == "out of bounds memory access");
    }
    CHECK(trap_of(machine, "load_far", {8}) == "out of bounds memory access");
    for (const std::uint64_t index : {1, 2, 3, 5}) {
      CHECK(trap_of(machine, "load", {index}) == "unaligned atomic");
      CHECK(trap_of(machine, "store", {index, 1}) == "unaligned atomic");
      CHECK(trap_of(machine, "wait", {index, 0, 0}) == "unaligned atomic");
      CHECK(trap_of(machine, "notify", {index, 1}) == "unaligned atomic");
    }
    CHECK(trap_of(machine, "wait64", {4, 0, 0}) == "unaligned atomic");
    CHECK(trap_of(machine, "load16", {1}) == "unaligned atomic");
    CHECK(machine.trap("load", {1}).find(" @ 0x") != std::string::npos);
  }
}

TEST_CASE("a wait ends at once or by its timeout", "[atomics]") {
  Machine machine;
  machine.instantiate(kAccesses);
  CHECK(machine.value("wait", {0, 1, UINT64_MAX}) == 1);
  CHECK(machine.value("wait", {0, 0, 0}) == 2);
  CHECK(machine.value("wait", {0, 0, 1'000'000}) == 2);
  CHECK(machine.value("wait64", {0, 0, 1000}) == 2);
  CHECK(machine.value("wait64", {0, 1ULL << 32, UINT64_MAX}) == 1);
  CHECK(machine.value("notify", {0, 0xFFFFFFFF}) == 0);
}

TEST_CASE("atomic accesses to a memory that is not shared are like others, and nobody waits there", "[atomics]") {
  Machine machine;
  machine.instantiate(kUnshared);
  CHECK(machine.value("add", {65532, 1}) == 0);
  CHECK(machine.value("add", {65532, 1}) == 1);
  CHECK(trap_of(machine, "add", {65536, 1}) == "out of bounds memory access");
  CHECK(trap_of(machine, "add", {65531, 1}) == "unaligned atomic");
  CHECK(machine.value("notify", {0}) == 0);
  CHECK(machine.trap("wait").starts_with("expected shared memory @ "));
}

TEST_CASE("a wait ends when its store is interrupted or its time is over", "[atomics]") {
  Machine machine;
  machine.instantiate(kAccesses);
  std::thread other([&] { machine.store().interrupt(); });
  CHECK(trap_of(machine, "wait", {0, 0, UINT64_MAX}) == "interrupted");
  other.join();
  CHECK(machine.value("wait", {0, 0, 0}) == 2);
  machine.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  CHECK(trap_of(machine, "wait", {0, 0, UINT64_MAX}) == "deadline exceeded");
  CHECK(trap_of(machine, "wait64", {0, 0, INT64_MAX}) == "deadline exceeded");
}

TEST_CASE("a shared memory grows in place", "[atomics]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    runtime::Instance& instance = machine.instantiate(kAccesses);
    const std::uint8_t* const base = instance.memory(0)->view()->base;
    CHECK(machine.value("grow", {2}) == 1);
    CHECK(machine.value("size") == 3);
    CHECK(machine.value("grow", {2}) == 0xFFFFFFFF);
    CHECK(machine.value("grow", {1}) == 3);
    CHECK(instance.memory(0)->view()->base == base);
    REQUIRE(machine.call("store", {4 * 65536 - 8, 7}));
    CHECK(machine.value("plain", {4 * 65536 - 8}) == 7);
    CHECK(trap_of(machine, "plain", {4 * 65536 - 7}) == "out of bounds memory access");
  }
}

// --- several threads, each with a machine of its own

constexpr std::string_view kShared = R"((module (memory (export "memory") 1 64 shared)))";
constexpr std::string_view kWorker = R"((module
  (memory (import "shared" "memory") 1 64 shared)
  ;; A lock at 0, a number at 4 that it protects.
  (func $lock
    (block $done
      (loop $again
        (br_if $done (i32.eqz (i32.atomic.rmw.cmpxchg (i32.const 0) (i32.const 0) (i32.const 1))))
        (drop (memory.atomic.wait32 (i32.const 0) (i32.const 1) (i64.const -1)))
        (br $again))))
  (func $unlock
    (i32.atomic.store (i32.const 0) (i32.const 0))
    (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))
  (func (export "count") (param i32)
    (loop $again
      (call $lock)
      (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (i32.const 1)))
      (call $unlock)
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "add_each") (param i32)
    (loop $again
      (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
      (drop (i64.atomic.rmw8.add_u (i32.const 17) (i64.const 1)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "wait_at") (param i32) (result i32)
    (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const -1)))
  (func (export "notify_at") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "size") (result i32) (memory.size))
  (func (export "touch_last") (result i32)
    (local i32)
    (local.set 0 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)))
    (i32.store (local.get 0) (i32.const 1))
    (i32.load (local.get 0)))
))";

// Machines in which "shared" is one and the same memory.
class Group {
 public:
  explicit Group(int count, Mode mode = {}) {
    machines_.push_back(std::make_unique<Machine>(mode));
    const auto storage = machines_[0]->instantiate(kShared, "shared").memory(0)->storage();
    for (int i = 1; i < count; ++i) {
      machines_.push_back(std::make_unique<Machine>(mode));
      machines_.back()->share("shared", storage);
    }
    for (const auto& machine : machines_) machine->instantiate(kWorker);
  }
  Machine& operator[](int index) { return *machines_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] int size() const { return static_cast<int>(machines_.size()); }
  // On a thread for each machine; Catch2 is for one thread, so what goes wrong is counted.
  template <class F>
  int run(F function) {
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (const auto& machine : machines_) {
      threads.emplace_back([&] { failures += function(*machine) ? 0 : 1; });
    }
    for (std::thread& thread : threads) thread.join();
    return failures;
  }
  std::uint32_t at(std::uint32_t address) {
    std::uint32_t value;
    std::memcpy(&value, machines_[0]->newest().memory(0)->bytes().data() + address, sizeof value);
    return value;
  }

 private:
  std::vector<std::unique_ptr<Machine>> machines_;
};

TEST_CASE("threads count under a lock of theirs, and atomically", "[atomics][threads]") {
  for (const Mode mode : {kModes[0], kModes[1]}) {
    INFO(describe(mode));
    Group group(4, mode);
    constexpr std::uint64_t kTimes = 2000;
    CHECK(group.run([](Machine& machine) { return machine.call("count", {kTimes}).has_value(); }) == 0);
    CHECK(group.at(4) == 4 * kTimes);
    CHECK(group.run([](Machine& machine) { return machine.call("add_each", {kTimes}).has_value(); }) == 0);
    CHECK(group.at(8) == 4 * kTimes);
    CHECK(group.at(16) == (4 * kTimes & 0xFF) << 8);
  }
}

TEST_CASE("notify wakes as many as it is told, in their order, and nobody at other addresses", "[atomics][threads]") {
  Group group(4);
  std::atomic<int> woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&group, &woken, i] {
      const auto result = group[i].call("wait_at", {i == 2 ? std::uint64_t{64} : std::uint64_t{32}});
      if (result && result->front() == 0) ++woken;
    });
  }
  Machine& notifier = group[3];
  CHECK(notifier.value("notify_at", {128, 100}) == 0);
  CHECK(notifier.value("notify_at", {32, 0}) == 0);
  // They come to sleep some time, one after the other.
  std::uint64_t sum = 0;
  while (sum < 2) sum += notifier.value("notify_at", {32, 1});
  threads[0].join();
  threads[1].join();
  CHECK(woken == 2);
  while (notifier.value("notify_at", {64, 100}) == 0) {
  }
  threads[2].join();
  CHECK(woken == 3);
}

TEST_CASE("what one thread grows, all have", "[atomics][threads]") {
  for (const Mode mode : {kModes[0], kModes[1]}) {
    INFO(describe(mode));
    Group group(4, mode);
    const int failures = group.run([](Machine& machine) {
      for (int i = 0; i < 15; ++i) {
        const auto old_pages = machine.call("grow");
        if (!old_pages || old_pages->front() == 0xFFFFFFFF) return false;
        if (machine.value("size") <= old_pages->front()) return false;
        const auto touched = machine.call("touch_last");
        if (!touched || touched->front() != 1) return false;
      }
      return true;
    });
    CHECK(failures == 0);
    for (int i = 0; i < group.size(); ++i) CHECK(group[i].value("size") == 61);
  }
}

}  // namespace
}  // namespace wasi::interp::test

// Linear memories: growth, limits, both kinds of bounds checks, and faults in guard pages.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "fake_tier.h"
#include "runtime/guarded_memory.h"
#include "runtime/memory_storage.h"
#include "runtime/tuning.h"
#include "support/sanitizers.h"
#include "wasm/limits.h"

namespace wasi::runtime {
namespace {

using namespace test;
using wasm::kI32, wasm::kI64;

constexpr std::uint64_t kMaxPages64 = wasm::max_pages(wasm::AddressType::i64, wasm::kPageLog2);

wasm::MemoryType pages(std::uint64_t min, std::optional<std::uint64_t> max = std::nullopt) {
  return {.limits = {.min = min, .max = max}};
}

StoreOptions with_checks(BoundsChecks checks) { return {.limits = {}, .checks = checks}; }

TEST_CASE("a memory grows within its maximum and keeps its content", "[memory]") {
  const BoundsChecks checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
  // With explicit checks, a small maximum is reserved and a large one makes the storage move.
  const std::uint64_t maximum = GENERATE(std::uint64_t{4}, std::uint64_t{1000});
  World world(with_checks(checks));
  Memory& memory = **world.store->add_memory(pages(1, maximum));
  CHECK(memory.checks() == checks);
  REQUIRE(memory.pages() == 1);
  memory.bytes()[0] = 1;
  memory.bytes()[65535] = 2;
  CHECK(memory.grow(0) == 1);
  CHECK(memory.grow(2) == 1);
  REQUIRE(memory.pages() == 3);
  CHECK(memory.view()->byte_size == 3 * 65536);
  CHECK(memory.bytes()[0] == 1);
  CHECK(memory.bytes()[65535] == 2);
  CHECK(memory.bytes()[65536] == 0);
  memory.bytes()[3 * 65536 - 1] = 3;
  CHECK(memory.grow(maximum - 2) == -1);
  CHECK(memory.grow(UINT64_MAX) == -1);
  CHECK(memory.pages() == 3);
  CHECK(memory.grow(maximum - 3) == 3);
  CHECK(memory.pages() == maximum);
  CHECK(memory.bytes()[3 * 65536 - 1] == 3);
  CHECK(memory.grow(1) == -1);
}

TEST_CASE("a memory of single bytes grows by them, within and beyond the host's pages", "[memory]") {
  const BoundsChecks checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
  const std::uint64_t maximum = GENERATE(std::uint64_t{100'000}, std::uint64_t{UINT32_MAX});
  World world(with_checks(checks));
  wasm::MemoryType type = pages(10, maximum);
  type.page_log2 = 0;
  Memory& memory = **world.store->add_memory(type);
  // No guard begins behind the tenth byte.
  CHECK(memory.checks() == BoundsChecks::explicit_checks);
  REQUIRE(memory.bytes().size() == 10);
  memory.bytes()[9] = 1;
  CHECK(memory.grow(4085) == 10);
  CHECK(memory.grow(1) == 4095);
  CHECK(memory.grow(1) == 4096);
  CHECK(memory.pages() == 4097);
  CHECK(memory.bytes()[9] == 1);
  CHECK(memory.bytes()[4096] == 0);
  memory.bytes()[4096] = 2;
  CHECK(memory.grow(maximum - 4096) == -1);
  CHECK(memory.grow(UINT64_MAX) == -1);
  CHECK(memory.grow(90'000) == 4097);
  CHECK(memory.bytes()[4096] == 2);
  CHECK(memory.bytes()[94'096] == 0);
}

TEST_CASE("memories have at most the pages that memory.size can tell", "[memory]") {
  using enum wasm::AddressType;
  static_assert(wasm::max_pages(i32, 16) == 65536 && wasm::max_pages(i64, 16) == 1ULL << 48);
  static_assert(wasm::max_pages(i32, 0) == UINT32_MAX && wasm::max_pages(i64, 0) == UINT64_MAX);
  World world;
  wasm::MemoryType type{.limits = {.min = UINT64_MAX, .max = {}}, .address = i64, .page_log2 = 0};
  const auto memory = world.store->add_memory(type);
  REQUIRE_FALSE(memory);
  CHECK(memory.error().kind == ErrorKind::limit);
}

TEST_CASE("a guarded memory does not move, and ends where code relies on that it ends", "[memory]") {
  World world;
  Memory& memory = **world.store->add_memory(pages(0));
  if (memory.checks() != BoundsChecks::guard_pages) return;  // no room in this process
  const std::uint8_t* const base = memory.view()->base;
  CHECK(memory.grow(65536) == -1);
  CHECK(memory.grow(65535) == 0);
  CHECK(memory.grow(1) == -1);
  CHECK(memory.view()->base == base);
  CHECK(memory.bytes().size() == (1ULL << 32) - kNeverInMemory);
  memory.bytes()[(1ULL << 32) - kNeverInMemory - 1] = 1;
  CHECK(memory.owns(reinterpret_cast<std::uintptr_t>(base) + kGuardedReservation + kGuardBytes - 1));
  CHECK_FALSE(memory.owns(reinterpret_cast<std::uintptr_t>(base) + kGuardedReservation + kGuardBytes));
  // One that begins larger has none.
  CHECK(MemoryStorage::can_be_guarded(pages(65535)));
  CHECK_FALSE(MemoryStorage::can_be_guarded(pages(65536)));
}

TEST_CASE("ranges of a memory are checked without overflow", "[memory]") {
  World world;
  Memory& memory = **world.store->add_memory(pages(1));
  CHECK(memory.range(0, 65536)->size() == 65536);
  CHECK(memory.range(65536, 0)->empty());
  CHECK_FALSE(memory.range(65536, 1).has_value());
  CHECK_FALSE(memory.range(1, 65536).has_value());
  CHECK_FALSE(memory.range(UINT64_MAX, 2).has_value());
  CHECK_FALSE(memory.range(2, UINT64_MAX).has_value());
}

TEST_CASE("all memories of a store share its limit", "[memory]") {
  World world({.limits = {.memory_bytes = 5 * 65536}, .checks = BoundsChecks::guard_pages});
  Memory& first = **world.store->add_memory(pages(2));
  Memory& second = **world.store->add_memory(pages(2));
  CHECK(first.grow(2) == -1);
  CHECK(first.grow(1) == 2);
  CHECK(second.grow(1) == -1);
  const auto third = world.store->add_memory(pages(1));
  REQUIRE_FALSE(third.has_value());
  CHECK(third.error().kind == ErrorKind::limit);
  CHECK(third.error().message == "a memory of 65536 bytes exceeds the store's limit of 327680 bytes");
}

wasm::MemoryType shared_pages(std::uint64_t min, std::uint64_t max, wasm::AddressType address = {}) {
  return {.limits = {.min = min, .max = max}, .address = address, .is_shared = true};
}

TEST_CASE("a shared memory is the same in every store that has it", "[memory]") {
  const BoundsChecks checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
  World first(with_checks(checks));
  World second({.limits = {.memory_bytes = 4 * 65536}, .checks = checks});
  Memory& memory = **first.store->add_memory(shared_pages(1, 1000));
  Memory& other = **second.store->add_memory(memory.storage());
  CHECK(*second.store->add_memory(memory.storage()) == &other);
  CHECK(other.view() == memory.view());
  const std::uint8_t* const base = memory.view()->base;
  // The store that grows must have room for all of it.
  CHECK(memory.grow(2) == 1);
  CHECK(other.pages() == 3);
  CHECK(other.grow(2) == -1);
  CHECK(other.grow(1) == 3);
  CHECK(memory.grow(100) == 4);
  CHECK(other.pages() == 104);
  CHECK(other.grow(1) == -1);
  CHECK(memory.view()->base == base);
  other.bytes()[104 * 65536 - 1] = 1;
  CHECK(memory.bytes()[104 * 65536 - 1] == 1);
  CHECK(memory.grow(897) == -1);

  World third({.limits = {.memory_bytes = 65536}, .checks = checks});
  const auto refused = third.store->add_memory(memory.storage());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::limit);
}

TEST_CASE("a shared memory outlives the store that made it", "[memory]") {
  World world;
  auto maker = std::make_unique<World>();
  Memory& memory = **world.store->add_memory((*maker->store->add_memory(shared_pages(1, 2)))->storage());
  memory.bytes()[0] = 5;
  maker.reset();
  CHECK(memory.bytes()[0] == 5);
  CHECK(memory.grow(1) == 1);
}

TEST_CASE("a shared memory of a maximum that does not fit gets what there is", "[memory]") {
  World world;
  Memory& memory = **world.store->add_memory(shared_pages(1, kMaxPages64, wasm::AddressType::i64));
  const std::uint8_t* const base = memory.view()->base;
  CHECK(memory.grow(100) == 1);
  CHECK(memory.view()->base == base);
  CHECK(memory.grow(kMaxPages64 - 101) == -1);
}

wasm::MemoryType wide_pages(std::uint64_t min, std::optional<std::uint64_t> max = std::nullopt) {
  return {.limits = {.min = min, .max = max}, .address = wasm::AddressType::i64};
}

TEST_CASE("a memory with 64-bit addresses has explicit checks and grows beyond 4 GiB", "[memory]") {
  World world;
  Memory& memory = **world.store->add_memory(wide_pages(1));
  CHECK(memory.checks() == BoundsChecks::explicit_checks);
  memory.bytes()[65535] = 1;
  REQUIRE(memory.grow(65536) == 1);
  CHECK(memory.bytes().size() == (std::uint64_t{65537} << 16));
  CHECK(memory.bytes()[65535] == 1);
  memory.bytes()[std::uint64_t{1} << 32] = 2;
  CHECK(memory.grow(UINT64_MAX) == -1);
  CHECK(memory.grow(std::uint64_t{1} << 48) == -1);
  CHECK(memory.grow((std::uint64_t{1} << 31) - 65537) == -1);  // the whole address space
  CHECK(memory.pages() == 65537);
}

TEST_CASE("a memory that no host can address is an error that says so", "[memory]") {
  World world;
  const auto largest = world.store->add_memory(wide_pages(kMaxPages64, kMaxPages64));
  REQUIRE_FALSE(largest.has_value());
  CHECK(largest.error().kind == ErrorKind::limit);
  CHECK(largest.error().message == "a memory of 281474976710656 pages cannot be had: at most 2147483648 are possible");
  const auto large = world.store->add_memory(wide_pages(std::uint64_t{1} << 31));
  REQUIRE_FALSE(large.has_value());
  CHECK(large.error().kind == ErrorKind::io);
  // What could not be had does not count.
  World small({.limits = {.memory_bytes = 65536}});
  CHECK_FALSE(small.store->add_memory(wide_pages(std::uint64_t{1} << 31)).has_value());
  CHECK(small.store->add_memory(wide_pages(1)).has_value());
}

// (address) -> (byte there), as unchecked code would do it.
FAKE_GUEST_CODE void load_unchecked(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self);
  const volatile std::uint8_t* byte = instance->memory0->base + slots[0].u64;
  slots[0].u64 = *byte;
}

constexpr std::string_view kLoad = R"((module $guest (memory (export "memory") 1)
  (func $load (export "load") (param i64) (result i64) i64.const 0)))";

TEST_CASE("a fault in guard pages is a trap with its place", "[memory][fault]") {
  World world;
  world.tier.functions["load"] = load_unchecked;
  Instance& instance = world.instantiate(kLoad);
  if (instance.memory(0)->checks() != BoundsChecks::guard_pages) return;  // no room in this process
  CHECK(instance.code->checks == BoundsChecks::guard_pages);
  instance.memory(0)->bytes()[65535] = 9;
  const auto load = [&](std::uint64_t address) {
    Slot slots[1] = {{.u64 = address}};
    auto done = world.call(instance, "load", slots);
    return done ? std::to_string(slots[0].u64) : done.error().to_string();
  };
  CHECK(load(65535) == "9");
  const std::string trap = "trap: out of bounds memory access\n    0: guest!load @ 0xfa";
  CHECK(load(65536) == trap);
  CHECK(load(0xFFFFFFFF) == trap);
  CHECK(load(0x1FFFFFFFE) == trap);
  // Again and again, and between them the memory works.
  for (int i = 0; i < 100; ++i) REQUIRE(load(65536 + i) == trap);
  CHECK(load(65535) == "9");
  CHECK(instance.memory(0)->grow(1) == 1);
  CHECK(load(65536) == "0");
}

FAKE_GUEST_CODE void write_behind_stack(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self);
  volatile Slot* slot = instance->exec->stack_end;
  slot->u64 = 1;
}

TEST_CASE("a fault in the guard of the Wasm stack is a stack overflow", "[memory][fault]") {
  World world;
  world.tier.functions["load"] = write_behind_stack;
  Instance& instance = world.instantiate(kLoad);
  if (instance.memory(0)->checks() != BoundsChecks::guard_pages) return;  // then there is no handler
  Slot slots[1] = {{.u64 = 0}};
  const auto result = world.call(instance, "load", slots);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == TrapCode::stack_overflow);
}

// Faults that are not the guest's, each in a process of its own, since handlers are the process's. The
// test's handler was there before the runtime's.

volatile sig_atomic_t expects_fault = 0;

void exit_42(int, siginfo_t*, void*) { ::_exit(expects_fault != 0 ? 42 : 43); }

void install_own_handler() {
  struct sigaction action = {};
  action.sa_sigaction = exit_42;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSEGV, &action, nullptr);
}

FAKE_GUEST_CODE void load_wild(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self);
  const volatile std::uint8_t* byte = reinterpret_cast<const std::uint8_t*>(slots[0].u64);
  slots[0].u64 = *byte;
}

TEST_CASE("hidden: guest code faults outside of every reservation", "[.]") {
  install_own_handler();
  World world;
  world.tier.functions["load"] = load_wild;
  Instance& instance = world.instantiate(kLoad);
  expects_fault = 1;
  Slot slots[1] = {{.u64 = 16}};
  (void)world.call(instance, "load", slots);
}

TEST_CASE("hidden: a host function faults in guard pages", "[.]") {
  install_own_handler();
  World world;
  world.tier.functions["run"] = [](VmContext* instance, Slot* slots, FunctionCode* self) {
    const FakeFrame frame(instance, slots, self);
    call_import(instance, 0, slots);
  };
  HostFunction* host = world.host_function({}, {}, [](void*, HostCall& call) -> std::optional<Trap> {
    expects_fault = 1;
    const volatile std::uint8_t* byte = call.memory()->view()->base + 65536;
    call.slots[0].u64 = *byte;
    return std::nullopt;
  });
  Instance& instance = world.instantiate(R"((module (import "" "host" (func)) (memory 1)
    (func $run (export "run") nop)))",
                                         {External(&host->ref)});
  Slot slots[1] = {};
  (void)world.call(instance, "run", slots);
}

TEST_CASE("hidden: a fault outside of any call", "[.]") {
  install_own_handler();
  World world;
  Instance& instance = world.instantiate(kLoad);
  expects_fault = 1;
  const volatile std::uint8_t* byte = instance.memory(0)->view()->base + 65536;
  (void)*byte;
}

TEST_CASE("hidden: a fault after a guest's fault was taken", "[.]") {
  install_own_handler();
  World world;
  world.tier.functions["load"] = load_unchecked;
  Instance& instance = world.instantiate(kLoad);
  Slot slots[1] = {{.u64 = 65536}};
  if (world.call(instance, "load", slots).error().code != TrapCode::memory_out_of_bounds) return;
  expects_fault = 1;
  const volatile std::uint8_t* byte = nullptr;
  asm volatile("" : "+r"(byte));
  (void)*byte;
}

TEST_CASE("faults that are not the guest's go to the handler that was there before", "[memory][fault]") {
  CHECK(run_hidden_test("hidden: guest code faults outside of every reservation") == 42);
  CHECK(run_hidden_test("hidden: a host function faults in guard pages") == 42);
  CHECK(run_hidden_test("hidden: a fault outside of any call") == 42);
  CHECK(run_hidden_test("hidden: a fault after a guest's fault was taken") == 42);
}

TEST_CASE("hidden: a fault with the default action", "[.]") {
  const struct rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(SIGSEGV, SIG_DFL);
  World world;
  Instance& instance = world.instantiate(kLoad);
  const volatile std::uint8_t* byte = instance.memory(0)->view()->base + 65536;
  (void)*byte;
}

TEST_CASE("hidden: a sent signal with the default action", "[.]") {
  const struct rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(SIGSEGV, SIG_DFL);
  World world;
  world.instantiate(kLoad);
  ::raise(SIGSEGV);
}

TEST_CASE("without an earlier handler a foreign fault ends the process by its signal", "[memory][fault]") {
  CHECK(run_hidden_test("hidden: a fault with the default action") == 128 + SIGSEGV);
  CHECK(run_hidden_test("hidden: a sent signal with the default action") == 128 + SIGSEGV);
}

TEST_CASE("hidden: explicit checks leave signals alone", "[.]") {
  install_own_handler();
  World world(with_checks(BoundsChecks::explicit_checks));
  Instance& instance = world.instantiate(kLoad);
  struct sigaction action = {};
  ::sigaction(SIGSEGV, nullptr, &action);
  const bool untouched = action.sa_sigaction == exit_42;
  ::_exit(untouched && instance.code->checks == BoundsChecks::explicit_checks ? 42 : 1);
}

TEST_CASE("with explicit checks no signal handler is installed", "[memory][fault]") {
  CHECK(run_hidden_test("hidden: explicit checks leave signals alone") == 42);
}

TEST_CASE("hidden: no room for reservations", "[.]") {
  World world;
  const struct rlimit limit = {.rlim_cur = 1U << 30, .rlim_max = 1U << 30};
  if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(1);
  Instance& instance = world.instantiate(kLoad);
  Memory& memory = *instance.memory(0);
  if (memory.checks() != BoundsChecks::explicit_checks) ::_exit(2);
  if (instance.code->checks != BoundsChecks::explicit_checks) ::_exit(3);
  memory.bytes()[65535] = 5;
  if (memory.grow(99) != 1 || memory.pages() != 100 || memory.bytes()[65535] != 5) ::_exit(4);
  if (memory.grow(60000) != -1 || memory.pages() != 100) ::_exit(5);
  ::_exit(42);
}

TEST_CASE("without room for reservations memories are checked explicitly", "[memory]") {
#if defined(WASI_TEST_SANITIZER)
  WARN("skipped: a sanitizer's own reservations do not fit under RLIMIT_AS");
#else
  CHECK(run_hidden_test("hidden: no room for reservations") == 42);
#endif
}

TEST_CASE("a module without memories runs the code that the store asks for", "[memory]") {
  const BoundsChecks checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
  World world(with_checks(checks));
  Instance& instance = world.instantiate("(module)");
  CHECK(instance.code->checks == checks);
  CHECK(instance.vm.memory0->byte_size == 0);
  CHECK(instance.memory(0) == nullptr);
}

}  // namespace
}  // namespace wasi::runtime

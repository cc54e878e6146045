// What functions cost before they run: deadlines, interrupts and limits hold while they are translated.
#include <chrono>
#include <optional>
#include <thread>

#include "engine/fixture.h"
#include "support/module_builder.h"

using namespace wasi;
using namespace wasi::test;
using std::chrono::milliseconds, std::chrono::steady_clock;

namespace {

Bytes repeat(const Bytes& unit, std::uint32_t count) {
  Bytes bytes;
  for (std::uint32_t i = 0; i < count; ++i) bytes.insert(bytes.end(), unit.begin(), unit.end());
  return bytes;
}

// A function "large" of these instructions and an i32 local, which does nothing where it is run, and "small".
Bytes module_of(const Bytes& instructions, const Bytes& more_types = {}) {
  const Bytes large = sized(join(hex("01 01 7f"), instructions, hex("0b")));
  const Bytes types = join(leb(more_types.empty() ? 2 : 3), hex("60 00 00 60 00 01 7f"), more_types);
  return module({section(kTypeSection, types), section(kFunctionSection, hex("02 00 01")),
                 section(kExportSection, join(hex("02"), name("large"), hex("00 00"), name("small"), hex("00 01"))),
                 section(kCodeSection, join(hex("02"), large, sized(hex("00 41 07 0b"))))});
}

// Four million instructions that become ten megabytes of code.
Bytes much_code() { return module_of(repeat(hex("20 00 41 01 6a 21 00"), 1'000'000)); }

// Few instructions, each of which takes the validator a thousand steps: seconds in all.
Bytes slow_module() {
  const Bytes results = join(hex("60 00"), leb(1000), repeat(hex("7f"), 1000));
  const Bytes values = repeat(hex("20 00"), 1000);
  return module_of(
      join(hex("02 02 20 00"), values, repeat(hex("20 00 0d 00"), 2'000'000), hex("0c 00 0b"), repeat(hex("1a"), 1000)),
      results);
}

struct Guest {
  Store store;
  Instance instance;
  Guest(const Engine& engine, const Module& module, StoreConfig config = {})
      : store(engine, config), instance(must(Linker(engine).instantiate(store, module))) {}
  [[nodiscard]] std::expected<void, Trap> large() const { return must(instance.function<void()>("large"))(); }
  [[nodiscard]] std::expected<std::int32_t, Trap> small() const {
    return must(instance.function<std::int32_t()>("small"))();
  }
};

Engine lazy_engine() { return must(Engine::create({.validation = Validation::lazy})); }

}  // namespace

TEST_CASE("A deadline holds while a function is prepared") {
  const Engine engine = lazy_engine();
  const Module module = must(Module::from_bytes(engine, slow_module()));
  Guest guest(engine, module);
  must(guest.store.set_deadline(steady_clock::now() + milliseconds(20)));
  const auto stopped = guest.large();
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == TrapCode::deadline_exceeded);
  CHECK(engine.metrics().functions == 0);
  // The store goes on where time is left.
  must(guest.store.set_deadline(std::nullopt));
  CHECK(must(guest.small()) == 7);
}

TEST_CASE("An interrupt ends the preparation of a function, which the next call begins anew") {
  const Engine engine = lazy_engine();
  const Module module = must(Module::from_bytes(engine, much_code()));
  Guest guest(engine, module);
  guest.store.interrupter().interrupt();
  const auto stopped = guest.large();
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == TrapCode::interrupted);
  CHECK(engine.metrics().functions == 0);
  must(guest.large());
  CHECK(engine.metrics().functions == 1);
  // Another store's interrupt is its own matter.
  Guest other(engine, must(Module::from_bytes(engine, much_code())));
  guest.store.interrupter().interrupt();
  must(other.large());
}

TEST_CASE("An interrupt that comes from another thread meets a function that is prepared") {
  const Engine engine = lazy_engine();
  const Module module = must(Module::from_bytes(engine, slow_module()));
  Guest guest(engine, module);
  std::jthread other([interrupter = guest.store.interrupter()] {
    std::this_thread::sleep_for(milliseconds(20));
    interrupter.interrupt();
  });
  const auto stopped = guest.large();
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == TrapCode::interrupted);
}

TEST_CASE("What prepared functions take counts for the limit of the store's memory") {
  const Engine engine;
  const Module module = must(Module::from_bytes(engine, much_code()));
  Guest guest(engine, module, {.memory_limit = 1 << 20});
  const auto refused = guest.large();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == TrapCode::allocation_failure);
  CHECK_THAT(refused.error().to_string(), Catch::Contains("memory limit of 1048576 bytes"));
  CHECK(must(guest.small()) == 7);
  CHECK_FALSE(guest.large());

  // A store with a larger limit can have it, and then the first one, which pays for nothing.
  Guest other(engine, module, {.memory_limit = 64 << 20});
  must(other.large());
  must(guest.large());
}

TEST_CASE("Memory that a preparation has had is there again when it has failed") {
  const Engine engine;
  const Module code = must(Module::from_bytes(engine, much_code()));
  const Module memory = load(engine, R"((module (memory 1)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))))");
  const Linker linker(engine);
  constexpr std::uint64_t kLimit = 4 << 20;
  Guest guest(engine, code, {.memory_limit = kLimit});
  const Instance instance = must(linker.instantiate(guest.store, memory));
  for (int i = 0; i < 3; ++i) CHECK_FALSE(guest.large());
  const auto grow = must(instance.function<std::int32_t(std::int32_t)>("grow"));
  CHECK(must(grow(kLimit / 65536)) == -1);
  CHECK(must(grow(kLimit / 65536 - 1)) == 1);
}

TEST_CASE("What was prepared stays counted for as long as the store lives") {
  const Engine engine;
  const Module code = must(Module::from_bytes(engine, much_code()));
  const Module memory = load(engine, R"((module (memory 1)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))))");
  const Linker linker(engine);
  constexpr std::uint64_t kLimit = 64 << 20;
  Guest guest(engine, code, {.memory_limit = kLimit});
  const Instance instance = must(linker.instantiate(guest.store, memory));
  must(guest.large());
  const auto grow = must(instance.function<std::int32_t(std::int32_t)>("grow"));
  const std::uint64_t kept = engine.metrics().code_bytes;
  CHECK(kept > 5 << 20);
  // The first 4 MiB are free.
  const auto left = static_cast<std::int32_t>((kLimit - (kept - (4 << 20))) / 65536);
  CHECK(must(grow(left)) == -1);
  CHECK(must(grow(left - 1)) == 1);
}

TEST_CASE("Blocks within blocks count, however little code they become") {
  const Engine engine = lazy_engine();
  constexpr std::uint32_t kDepth = 1'000'000;
  const Module module =
      must(Module::from_bytes(engine, module_of(join(repeat(hex("02 40"), kDepth), repeat(hex("0b"), kDepth)))));
  Guest guest(engine, module, {.memory_limit = 16 << 20});
  const auto refused = guest.large();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == TrapCode::allocation_failure);
  CHECK_THAT(refused.error().to_string(), Catch::Contains("memory limit"));
  Guest other(engine, module, {.memory_limit = 1 << 30});
  must(other.large());
}

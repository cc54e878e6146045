// Memories that stores on several threads share.
#include <atomic>
#include <thread>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr MemoryType kShared = {.limits = {1, 4}, .is_64 = false, .is_shared = true};

constexpr std::string_view kGuest = R"(
  (module
    (memory (export "memory") (import "env" "memory") 1 4 shared)
    (func (export "add") (param i32) (result i32) (i32.atomic.rmw.add (i32.const 0) (local.get 0)))
    (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1)))
    (func (export "notify") (result i32) (memory.atomic.notify (i32.const 8) (i32.const 1)))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))
    (func (export "size") (result i32) (memory.size)))
)";

}  // namespace

TEST_CASE("A shared memory is one for all stores") {
  for (const BoundsChecks checks : {BoundsChecks::guard_pages, BoundsChecks::explicit_checks}) {
    const Engine engine = must(Engine::create({.bounds_checks = checks}));
    const SharedMemory memory = must(SharedMemory::create(engine, kShared));
    CHECK(memory.type() == kShared);
    CHECK(memory.size() == kPageSize);
    Linker linker(engine);
    linker.define("env", "memory", memory);
    const Module module = load(engine, kGuest);

    constexpr int kThreads = 4;
    constexpr int kTimes = 1000;
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        Store store(engine);
        const auto instance = linker.instantiate(store, module);
        if (!instance) {
          ++failures;
          return;
        }
        const auto add = instance->function<std::int32_t(std::int32_t)>("add");
        for (int n = 0; n < kTimes; ++n) failures += (*add)(1) ? 0 : 1;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    std::int32_t sum = 0;
    std::memcpy(&sum, memory.bytes().data(), sizeof sum);
    CHECK(sum == kThreads * kTimes);
  }
}

TEST_CASE("A guest's own shared memory can be given to another store") {
  const Engine engine;
  Store store(engine);
  const Instance maker = must(Linker(engine).instantiate(
      store, load(engine, R"((module (memory (export "memory") 1 4 shared) (memory (export "own") 1)))")));
  CHECK_FALSE(must(maker.memory("own")).shared().has_value());
  CHECK_FALSE(Memory().shared().has_value());
  const Memory memory = must(maker.memory("memory"));
  const auto shared = memory.shared();
  REQUIRE(shared.has_value());

  Store other(engine, {.memory_limit = 3 * kPageSize});
  Linker linker(engine);
  linker.define("env", "memory", *shared);
  const Instance instance = must(linker.instantiate(other, load(engine, kGuest)));
  REQUIRE(memory.write(0, std::int32_t{41}));
  CHECK(must(instance.function<std::int32_t(std::int32_t)>("add"))(1).value() == 41);
  CHECK(memory.read<std::int32_t>(0) == 42);

  // Growing: whoever does it, and within the limit of the store that does.
  CHECK(shared->grow(1) == 1);
  CHECK(must(instance.function<std::int32_t()>("size"))().value() == 2);
  CHECK(must(instance.function<std::int32_t()>("grow"))().value() == 2);
  CHECK(must(instance.function<std::int32_t()>("grow"))().value() == -1);
  CHECK(memory.pages() == 3);
  CHECK(shared->grow(1) == 3);
  CHECK_FALSE(shared->grow(1).has_value());
  CHECK(must(shared->in(other)).pages() == 4);
}

TEST_CASE("A thread that waits is woken by one in another store, and by who interrupts it") {
  const Engine engine;
  Linker linker(engine);
  linker.define("env", "memory", must(SharedMemory::create(engine, kShared)));
  const Module module = load(engine, kGuest);
  Store waiting(engine);
  Store other(engine);
  const auto wait = must(must(linker.instantiate(waiting, module)).function<std::int32_t()>("wait"));
  const auto notify = must(must(linker.instantiate(other, module)).function<std::int32_t()>("notify"));

  std::expected<std::int32_t, Trap> result;
  std::thread thread([&] { result = wait(); });
  while (notify().value() == 0) {
  }
  thread.join();
  CHECK(result.value() == 0);

  const Interrupter interrupter = waiting.interrupter();
  thread = std::thread([&] { result = wait(); });
  interrupter.interrupt();
  thread.join();
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == TrapCode::interrupted);
}

TEST_CASE("What cannot be shared is refused") {
  const Engine engine;
  const auto unshared = SharedMemory::create(engine, {.limits = {1, 2}});
  REQUIRE_FALSE(unshared);
  CHECK(unshared.error().kind == ErrorKind::argument);
  const auto boundless = SharedMemory::create(engine, {.limits = {1, std::nullopt}, .is_64 = false, .is_shared = true});
  REQUIRE_FALSE(boundless);
  CHECK(boundless.error().kind == ErrorKind::argument);

  Store store(engine);
  Linker linker(engine);
  linker.define("env", "memory",
                must(SharedMemory::create(engine, {.limits = {1, 5}, .is_64 = false, .is_shared = true})));
  const auto instance = linker.instantiate(store, load(engine, kGuest));
  REQUIRE_FALSE(instance);
  CHECK_THAT(instance.error().to_string(),
             Catch::Contains("env.memory: expected memory 1 4 shared, found memory 1 5 shared"));

  Store small(engine, {.memory_limit = kPageSize / 2});
  linker.allow_redefinition(true).define("env", "memory", must(SharedMemory::create(engine, kShared)));
  const auto limited = linker.instantiate(small, load(engine, kGuest));
  REQUIRE_FALSE(limited);
  CHECK(limited.error().error()->kind == ErrorKind::limit);
}

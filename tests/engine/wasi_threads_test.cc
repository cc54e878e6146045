// wasi-threads: one program, several threads, each with an instance and a store of its own.
#include <atomic>
#include <chrono>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// What all programs here are made of. A thread does what its argument says: 0 adds 1 at 4, 1 traps, 2 exits with 9,
// 3 waits for ever, 4 runs for ever. At 8 each says that it is there. Data at 64 is written by whoever is first.
constexpr std::string_view kProgram = R"((module
  (import "env" "memory" (memory 1 2 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "env" "count" (func $count))
  (memory $own 1)
  (export "memory" (memory 0))
  (func $wait (drop (memory.atomic.wait32 (i32.const 12) (i32.const 0) (i64.const -1))))
  (func $run (loop $again (br $again)))
  (func $trap unreachable)
  (func (export "wasi_thread_start") (param $id i32) (param $what i32)
    (call $count)
    (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 8) (i32.const 1)))
    (if (i32.eq (local.get $what) (i32.const 1)) (then (call $trap)))
    (if (i32.eq (local.get $what) (i32.const 2)) (then (call $exit (i32.const 9))))
    (if (i32.eq (local.get $what) (i32.const 3)) (then (call $wait)))
    (if (i32.eq (local.get $what) (i32.const 4)) (then (call $run)))
    (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 4) (i32.const 1))))
  (func (export "spawn") (param i32) (result i32) (call $spawn (local.get 0)))
  ;; Until that many have come (8) or are done (4).
  (func (export "await") (param $place i32) (param $many i32)
    (local $now i32)
    (loop $again
      (local.set $now (i32.atomic.load (local.get $place)))
      (if (i32.lt_u (local.get $now) (local.get $many))
        (then
          (drop (memory.atomic.wait32 (local.get $place) (local.get $now) (i64.const -1)))
          (br $again)))))
  (func (export "wait") (call $wait))
  (func (export "run") (call $run))
))";

struct Program {
  Engine engine;
  Linker linker{engine};
  Store store;
  std::atomic<int> counted{0};
  std::optional<Instance> instance;

  explicit Program(WasiConfig config = {}, StoreConfig store_config = {}) : store(engine, store_config) {
    linker.define("env", "count",
                  [this](Caller& caller) { counted += caller.data<int>() != nullptr ? *caller.data<int>() : 1; });
    linker.define_wasi(std::move(config));
  }
  Instance& start(std::string_view text = kProgram) {
    instance = must(linker.instantiate(store, load(engine, text)));
    return *instance;
  }
  std::int32_t spawn(std::int32_t what) {
    return must(must(instance->function<std::int32_t(std::int32_t)>("spawn"))(what));
  }
  // A thread that ends the program: that may come before the spawner has the thread's number.
  void spawn_last(std::int32_t what) {
    static_cast<void>(must(instance->function<std::int32_t(std::int32_t)>("spawn"))(what));
  }
  std::expected<void, Trap> await(std::int32_t place, std::int32_t many) {
    return must(instance->function<void(std::int32_t, std::int32_t)>("await"))(place, many);
  }
  std::expected<void, Trap> call(std::string_view name) { return must(instance->function<void()>(name))(); }
};

}  // namespace

TEST_CASE("Threads run beside each other in one memory") {
  Program program;
  program.store.data() = 100;
  program.start();
  for (std::int32_t id = 1; id <= 5; ++id) CHECK(program.spawn(0) == id);
  REQUIRE(program.await(4, 5));
  CHECK(program.counted == 500);  // each has a copy of the store's data
  CHECK(must(program.instance->memory("memory")).read<std::int32_t>(8) == 5);
}

TEST_CASE("A trap in a thread ends the program, and says where") {
  Program program;
  program.start();
  program.spawn(3);
  program.spawn(4);
  REQUIRE(program.await(8, 2));
  program.spawn_last(1);
  const auto result = program.call(GENERATE(std::string_view("wait"), std::string_view("run")));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::unreachable);
  REQUIRE(result.error().backtrace.size() == 2);
  // It stays ended.
  const auto again = program.await(8, 0);
  CHECK((again || again.error().code == TrapCode::unreachable));
  CHECK_FALSE(program.call("run"));
}

TEST_CASE("An exit on a thread is the program's") {
  Program program;
  program.start();
  program.spawn(3);
  program.spawn_last(2);
  const auto result = program.call("wait");
  REQUIRE_FALSE(result);
  REQUIRE(result.error().is_exit());
  CHECK(result.error().exit_status == 9);
}

TEST_CASE("A program has as many threads at a time as it may") {
  Program program(WasiConfig().max_threads(2));
  program.start();
  CHECK(program.spawn(3) == 1);
  CHECK(program.spawn(4) == 2);
  CHECK(program.spawn(0) == -6);  // EAGAIN
  CHECK(program.spawn(0) == -6);

  Program none(WasiConfig().max_threads(0));
  none.start();
  CHECK(none.spawn(0) == -6);
}

TEST_CASE("A thread that cannot be made is an answer") {
  // Two of the program's own memories fit into the limit, but the limit is each store's.
  Program program({}, {.memory_limit = 2 * kPageSize});
  program.start();
  CHECK(program.spawn(0) == 1);
  REQUIRE(program.await(4, 1));

  Program without_start;
  without_start.start(R"((module (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (func (export "spawn") (param i32) (result i32) (call $spawn (local.get 0)))))");
  CHECK(without_start.spawn(0) == -52);  // ENOSYS

  // Objects of the first store cannot be given to others.
  Program with_object;
  with_object.linker.define("env", "own", must(Memory::create(with_object.store, {.limits = {1, 1}})));
  with_object.start(R"((module (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "env" "own" (memory 1))
    (func (export "wasi_thread_start") (param i32 i32))
    (func (export "spawn") (param i32) (result i32) (call $spawn (local.get 0)))))");
  CHECK(with_object.spawn(0) == -6);
}

TEST_CASE("A deadline ends all threads") {
  Program program({}, {.deadline = std::chrono::milliseconds(100)});
  program.start();
  program.spawn(3);
  program.spawn(4);
  const auto result = program.call("wait");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::deadline_exceeded);
}

TEST_CASE("An interruption of the first thread ends all") {
  Program program;
  program.start();
  program.spawn(3);
  program.store.interrupter().interrupt();
  const auto result = program.call("wait");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::interrupted);
}

TEST_CASE("Threads that still run are ended with the store") {
  std::atomic<int>* counted = nullptr;
  Program program;
  counted = &program.counted;
  program.start();
  program.spawn(3);
  program.spawn(4);
  REQUIRE(program.await(8, 2));
  CHECK(*counted == 2);
}

TEST_CASE("The linker's own shared memory is used where it has one") {
  Program program;
  const SharedMemory memory =
      must(SharedMemory::create(program.engine, {.limits = {1, 2}, .is_64 = false, .is_shared = true}));
  program.linker.define("env", "memory", memory);
  program.start();
  program.spawn(0);
  REQUIRE(program.await(4, 1));
  CHECK(memory.bytes()[4] == 1);
}

TEST_CASE("A program that imports a shared memory is given one, whether it spawns threads or not") {
  constexpr std::string_view kText = R"((module
    (import "foo" "bar" (memory 1 2 shared))
    (func (export "add") (result i32) (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))))";
  Program program;
  const Instance& instance = program.start(kText);
  const auto add = must(instance.function<std::int32_t()>("add"));
  CHECK(must(add()) == 0);
  CHECK(must(add()) == 1);
  const auto grow = must(instance.function<std::int32_t()>("grow"));
  CHECK(must(grow()) == 1);
  CHECK(must(grow()) == -1);
  // Each program has its own, and without WASI there are no programs.
  Store other(program.engine);
  const Module module = load(program.engine, kText);
  const Instance second = must(program.linker.instantiate(other, module));
  CHECK(must(must(second.function<std::int32_t()>("add"))()) == 0);
  const auto missing = Linker(program.engine).instantiate(other, module);
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().to_string(), Catch::Contains("missing import \"foo\".\"bar\""));
}

TEST_CASE("Without WASI nobody spawns threads, and an embedder may do it in its own way") {
  const Engine engine;
  Store store(engine);
  Linker linker(engine);
  const Module module = load(engine, R"((module
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (func (export "spawn") (param i32) (result i32) (call $spawn (local.get 0)))))");
  const auto missing = linker.instantiate(store, module);
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().to_string(), Catch::Contains("WASI has not been given to the program"));
  linker.define_wasi({});
  linker.define("wasi", "thread-spawn", [](std::int32_t argument) { return argument + 1; });
  const Instance instance = must(linker.instantiate(store, module));
  CHECK(must(instance.function<std::int32_t(std::int32_t)>("spawn"))(41).value() == 42);
}

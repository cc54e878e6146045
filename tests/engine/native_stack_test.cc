// Native stacks: those that embedders switch to, and small ones of threads.
//
// Not with the address sanitizer: its frames are several times as large, and it does not know of such stacks.
#include "support/sanitizers.h"

#if !defined(WASI_TEST_ADDRESS_SANITIZER)
#include <pthread.h>

#include <array>
#include <functional>

#include "engine/fixture.h"
#include "support/fiber.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// A guest and a host function that call each other `depth` times; the guest adds one each time.
struct PingPong {
  Engine engine;
  Linker linker{engine};
  Module module = load(engine, R"((module (import "" "h" (func $h (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "r") (param i32) (result i32) (i32.add (i32.const 1) (call $h (local.get 0))))
    (func (export "fault") (result i32) (i32.load (i32.const -4)))))");
  std::function<void(Caller&)> at_the_end;

  PingPong() {
    linker.define("", "h", [this](Caller& caller, std::int32_t depth) -> std::expected<std::int32_t, Trap> {
      if (depth == 0) {
        if (at_the_end) at_the_end(caller);
        return 0;
      }
      return must(caller.instance()->function<std::int32_t(std::int32_t)>("r"))(depth - 1);
    });
  }
  [[nodiscard]] std::expected<std::int32_t, Trap> run(Store& store, std::int32_t depth) const {
    return must(must(linker.instantiate(store, module)).function<std::int32_t(std::int32_t)>("r"))(depth);
  }
};

// Runs `body` on a thread whose stack has that many bytes.
void on_thread(std::size_t stack_bytes, std::function<void()> body) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, stack_bytes) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(
              &thread, &attributes,
              [](void* data) -> void* {
                (*static_cast<std::function<void()>*>(data))();
                return nullptr;
              },
              &body) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  pthread_attr_destroy(&attributes);
}

constexpr std::int32_t kForever = 100'000'000;

}  // namespace

TEST_CASE("Calls that nest on a stack of the embedder's end before the stack does") {
  PingPong program;
  const bool is_told = GENERATE(true, false);
  const std::size_t bytes = GENERATE(64U << 10, 256U << 10, 1U << 20);
  std::expected<std::int32_t, Trap> deep;
  std::expected<std::int32_t, Trap> shallow;
  Fiber fiber(bytes, [&](Fiber& self) {
    Store store(program.engine);
    if (is_told) store.set_native_stack(self.stack());
    deep = program.run(store, kForever);
    // The stack is as usable as before.
    shallow = program.run(store, 5);
  });
  fiber.resume();
  REQUIRE(fiber.is_done());
  REQUIRE_FALSE(deep);
  CHECK(deep.error().code == TrapCode::stack_overflow);
  CHECK(must(shallow) == 6);
  CHECK(fiber.overwritten() == 0);
}

TEST_CASE("A stack that the store knows is used as far as a thread's own") {
  PingPong program;
  std::size_t frames_told = 0;
  std::size_t frames_guessed = 0;
  for (std::size_t* frames : {&frames_told, &frames_guessed}) {
    Fiber fiber(4U << 20, [&](Fiber& self) {
      Store store(program.engine,
                  {.native_stack = frames == &frames_told ? self.stack() : std::span<const std::byte>()});
      const auto result = program.run(store, kForever);
      REQUIRE_FALSE(result);
      *frames = result.error().backtrace.size() + result.error().omitted_frames;
    });
    fiber.resume();
    CHECK(fiber.overwritten() == 0);
  }
  CHECK(frames_told > 50 * frames_guessed);
}

TEST_CASE("Stores that call each other on one stack share its end") {
  PingPong program;
  std::unique_ptr<Store> first;
  std::unique_ptr<Store> second;
  std::optional<Instance> inner;
  std::optional<Instance> outer;
  // first -> second -> first -> ...
  Linker linker(program.engine);
  std::optional<TrapCode> code;
  linker.define("", "h", [&](Caller& caller, std::int32_t depth) -> std::expected<std::int32_t, Trap> {
    const bool is_outer = caller.memory().read<std::int32_t>(0) == 1;
    const Instance& next = is_outer ? *inner : *outer;
    return must(next.function<std::int32_t(std::int32_t)>("r"))(depth - 1);
  });
  Fiber fiber(64U << 10, [&](Fiber&) {
    first = std::make_unique<Store>(program.engine);
    second = std::make_unique<Store>(program.engine);
    outer = must(linker.instantiate(*first, program.module));
    inner = must(linker.instantiate(*second, program.module));
    REQUIRE(must(outer->memory("memory")).write<std::int32_t>(0, 1));
    const auto result = must(outer->function<std::int32_t(std::int32_t)>("r"))(kForever);
    if (!result) code = result.error().code;
  });
  fiber.resume();
  CHECK(code == TrapCode::stack_overflow);
  CHECK(fiber.overwritten() == 0);
}

TEST_CASE("Fibers may take turns in host functions, each in a store of its own") {
  PingPong program;
  std::array<std::unique_ptr<Fiber>, 3> fibers;
  std::array<std::optional<std::int32_t>, 3> results;
  Fiber* current = nullptr;
  program.at_the_end = [&](Caller&) {
    if (Fiber* const self = current) self->wait();
  };
  for (std::size_t i = 0; i < fibers.size(); ++i) {
    fibers[i] = std::make_unique<Fiber>(256U << 10, [&, i](Fiber& self) {
      Store store(program.engine);
      if (i != 1) store.set_native_stack(self.stack());
      const auto depth = static_cast<std::int32_t>(i);
      results[i] = must(program.run(store, depth));
      // The store is still the one whose faults are handled.
      const Instance instance = must(program.linker.instantiate(store, program.module));
      const auto fault = must(instance.function<std::int32_t()>("fault"))();
      REQUIRE_FALSE(fault);
      CHECK(fault.error().code == TrapCode::memory_out_of_bounds);
    });
    current = fibers[i].get();
    fibers[i]->resume();
  }
  // They end in another order than the one in which they began; meanwhile the thread runs guests itself.
  for (const std::size_t i : {std::size_t{1}, std::size_t{0}, std::size_t{2}}) {
    CHECK_FALSE(fibers[i]->is_done());
    current = fibers[i].get();
    fibers[i]->resume();
    CHECK(fibers[i]->is_done());
    CHECK(results[i] == static_cast<std::int32_t>(i) + 1);
    CHECK(fibers[i]->overwritten() == 0);
    const auto saved = std::exchange(program.at_the_end, nullptr);
    Store store(program.engine);
    CHECK(must(program.run(store, 3)) == 4);
    program.at_the_end = saved;
  }
}

TEST_CASE("A fiber that is left and entered again keeps the end of its stack") {
  PingPong program;
  Fiber* current = nullptr;
  std::expected<std::int32_t, Trap> result;
  // After each turn on the thread's own stack the limit would be looked for anew.
  program.linker.allow_redefinition(true).define(
      "", "h", [&](Caller& caller, std::int32_t depth) -> std::expected<std::int32_t, Trap> {
        current->wait();
        return must(caller.instance()->function<std::int32_t(std::int32_t)>("r"))(depth - 1);
      });
  Fiber fiber(64U << 10, [&](Fiber&) {
    Store store(program.engine);
    result = program.run(store, kForever);
  });
  current = &fiber;
  PingPong own;
  for (int turns = 0; turns < 100'000 && !fiber.is_done(); ++turns) {
    fiber.resume();
    Store store(own.engine);
    must(own.run(store, 0));
  }
  REQUIRE(fiber.is_done());
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::stack_overflow);
  CHECK(fiber.overwritten() == 0);
}

TEST_CASE("Threads with stacks as small as musl's run guests") {
  PingPong program;
  std::expected<std::int32_t, Trap> deep;
  std::expected<std::int32_t, Trap> shallow;
  on_thread(128U << 10, [&] {
    Store store(program.engine);
    deep = program.run(store, kForever);
    shallow = program.run(store, 10);
  });
  REQUIRE_FALSE(deep);
  CHECK(deep.error().code == TrapCode::stack_overflow);
  CHECK(must(shallow) == 11);
}

TEST_CASE("A stack that is too small for guests is refused with what it needs") {
  PingPong program;
  std::expected<std::int32_t, Trap> result;
  Fiber fiber(48U << 10, [&](Fiber& self) {
    Store store(program.engine, {.native_stack = self.stack()});
    result = program.run(store, 0);
  });
  fiber.resume();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::stack_overflow);
  CHECK_THAT(result.error().message, Catch::Contains("has 49152 bytes, guest code needs 65536 at least"));
}

#endif

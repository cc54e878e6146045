// One engine, one module, many threads with stores of their own.
#include <atomic>
#include <thread>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::string_view kGuest = R"(
  (module
    (import "env" "add" (func $add (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $fib (param i32) (result i32)
      (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
        (then (local.get 0))
        (else (call $add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                         (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "run") (param i32) (result i32)
      (i32.store (i32.const 0) (call $fib (local.get 0)))
      (i32.load (i32.const 0)))
    (func (export "fault") (result i32) (i32.load (i32.const -4)))
    (func $deep (export "deep") (call $deep)))
)";

// What a thread does with a store; returns the number of wrong answers.
int work(const Engine& engine, const Linker& linker, const Module& module) {
  int wrong = 0;
  for (int round = 0; round < 5; ++round) {
    Store store(engine);
    const auto instance = linker.instantiate(store, module);
    if (!instance) return 1000;
    const auto run = instance->function<std::int32_t(std::int32_t)>("run");
    const auto fault = instance->function<std::int32_t()>("fault");
    const auto deep = instance->function<void()>("deep");
    if (!run || !fault || !deep) return 1000;
    const auto answer = (*run)(12);
    wrong += static_cast<int>(!answer || *answer != 144);
    const auto faulted = (*fault)();
    wrong += static_cast<int>(faulted || faulted.error().code != TrapCode::memory_out_of_bounds);
    const auto overflowed = (*deep)();
    wrong += static_cast<int>(overflowed || overflowed.error().code != TrapCode::stack_overflow);
  }
  return wrong;
}

}  // namespace

TEST_CASE("Threads share modules, linkers and the translation of functions") {
  for (Validation validation : {Validation::eager, Validation::lazy}) {
    const Engine engine = must(Engine::create({.validation = validation}));
    Linker linker(engine);
    std::atomic<std::uint64_t> calls = 0;
    linker.define("env", "add", [&calls](std::int32_t a, std::int32_t b) {
      calls.fetch_add(1, std::memory_order_relaxed);
      return a + b;
    });
    const auto bytes = wat(kGuest);
    const Module module = must(Module::from_bytes(engine, bytes));
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        wrong += work(engine, linker, module);
        // Modules are loaded at the same time as well.
        const auto own = Module::from_bytes(engine, std::span<const std::uint8_t>(bytes));
        wrong += own ? work(engine, linker, *own) : 1000;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(calls == 4 * 10 * 232);
    CHECK(engine.metrics().functions >= 4);
    CHECK(engine.metrics().translate.bytes > 0);
  }
}

TEST_CASE("A store may move from thread to thread between calls") {
  const Engine engine;
  const Linker linker(engine);
  Store store(engine);
  const Instance instance = must(linker.instantiate(store, load(engine, R"(
    (module (memory 1) (global $n (mut i32) (i32.const 0))
      (func (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
      (func $deep (export "deep") (call $deep))
      (func (export "fault") (result i32) (i32.load (i32.const -4)))))")));
  for (int i = 1; i <= 4; ++i) {
    std::thread([&] {
      const auto next = instance.function<std::int32_t()>("next");
      const auto fault = instance.function<std::int32_t()>("fault");
      const auto deep = instance.function<void()>("deep");
      const bool right = (*next)() == i && !(*fault)() && !(*deep)();
      if (!right) std::abort();
    }).join();
  }
  CHECK(must(must(instance.function<std::int32_t()>("next"))()) == 5);
}

// Functions move from the interpreter to machine code while they run: by the public interface, with the compiler.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr const char* kModule = R"((module $m
  (func $add (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func $sum (export "sum") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (call $add (local.get $sum) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func $idle (export "idle") (result i32) (i32.const 5))))";

// Everything is compiled by the thread that runs it, at once.
EngineConfig at_once() {
  return {.tier_threshold = 1, .tier_threads = 0, .optimises = false, .records_tier_changes = true};
}

std::int64_t sum(Store& store, const Engine& engine, const Module& module, std::int64_t n) {
  const Instance instance = must(Linker(engine).instantiate(store, module));
  return must(must(instance.function<std::int64_t(std::int64_t)>("sum"))(n));
}

}  // namespace

TEST_CASE("Engines tell what each tier made, and what was compiled and why") {
  const Engine engine = must(Engine::create(at_once()));
  const Module module = load(engine, kModule, "--debug-names");
  Store store(engine);
  CHECK(sum(store, engine, module, 1000) == 500'500);
  const std::vector<TierMetrics> tiers = engine.tiers();
  CHECK(tiers.at(0).tier == "interp");
  CHECK(tiers[0].functions == 2);
  const std::vector<TierChange> changes = engine.tier_changes();
  REQUIRE(tiers.size() == 2);
  CHECK(tiers[1].tier == "baseline");
  CHECK(tiers[1].functions == 2);
  CHECK(engine.metrics().functions == 4);
  REQUIRE(changes.size() == 2);
  for (const TierChange& change : changes) {
    CHECK(change.tier == "baseline");
    CHECK(change.module == "m");
    CHECK(change.failure.empty());
    CHECK_FALSE(change.in_background);
    CHECK(change.body_bytes > 0);
  }
  CHECK(std::ranges::is_sorted(changes, {}, &TierChange::at));
  CHECK(std::ranges::count(changes, "sum", &TierChange::function) == 1);
  CHECK(std::ranges::count(changes, "add", &TierChange::function) == 1);
}

TEST_CASE("Heat survives instances: a function is compiled though each of them calls it little") {
  const Engine engine = must(
      Engine::create({.tier_threshold = 100, .tier_threads = 0, .optimises = false, .records_tier_changes = true}));
  const Module module = load(engine, kModule, "--debug-names");
  for (int i = 0; i < 200; ++i) {
    Store store(engine);
    CHECK(sum(store, engine, module, 3) == 6);
  }
  const std::vector<TierChange> changes = engine.tier_changes();
  CHECK(std::ranges::count(changes, "sum", &TierChange::function) == 1);
}

TEST_CASE("What runs little is not compiled") {
  const Engine engine = must(Engine::create({.records_tier_changes = true}));
  const Module module = load(engine, kModule, "--debug-names");
  Store store(engine);
  CHECK(sum(store, engine, module, 100) == 5050);
  CHECK(engine.tier_changes().empty());
}

TEST_CASE("The baseline tier tells what it compiles at first calls") {
  const Engine engine = must(Engine::create({.tier = TierSelection::baseline, .records_tier_changes = true}));
  const Module module = load(engine, kModule, "--debug-names");
  Store store(engine);
  CHECK(sum(store, engine, module, 10) == 55);
  const std::vector<TierChange> changes = engine.tier_changes();
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].reason == TierChange::Reason::first_call);
}

TEST_CASE("Threads turn the same functions hot while modules and engines come and go") {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    {
      // Some in the background, which may be in the middle of it when all is dropped.
      const Engine engine = must(Engine::create({.tier_threshold = 3, .tier_threads = 2}));
      const Module shared = load(engine, kModule, "--debug-names");
      for (int t = 0; t < 4; ++t) {
        // The engine lives on in the threads.
        threads.emplace_back([&wrong, engine, shared] {
          for (int i = 0; i < 30; ++i) {
            auto own = Module::from_bytes(
                engine, std::span(reinterpret_cast<const std::uint8_t*>(kModule), std::string_view(kModule).size()));
            for (const Module& module : {shared, *own}) {
              Store store(engine);
              const auto instance = Linker(engine).instantiate(store, module);
              const auto function = instance->function<std::int64_t(std::int64_t)>("sum");
              const auto result = (*function)(100);
              if (!result || *result != 5050) ++wrong;
            }
          }
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
  }
}

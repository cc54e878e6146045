// Which tier an engine has, modules that are prepared before their first call, and hosts without machine code.
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "engine/fixture.h"
#include "support/restricted.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr const char* kModule = R"((module
  (memory 1)
  (func $one (export "one") (result i32) (i32.const 1))
  (func $two (export "two") (result i32) (i32.load8_u (i32.const 0)) (i32.const 2) (i32.add))
  (func $three (export "three") (result i32) (call $one) (call $two) (i32.add))))";

constexpr std::string_view kLastCalls = R"((module
  (type $look (func (param i32) (result i32)))
  (import "host" "look" (func $look (type $look)))
  (memory 1)
  (data (i32.const 0) "\05\06\07")
  (tag $unused)
  (table funcref (elem $look))
  (elem declare func $look)
  (func (export "direct") (param i32) (result i32) (return_call $look (local.get 0)))
  (func (export "indirect") (param i32) (result i32)
    (return_call_indirect (type $look) (local.get 0) (i32.const 0)))
  (func (export "reference") (param i32) (result i32) (return_call_ref $look (local.get 0) (ref.func $look)))
  (func (export "with a handler") (param i32) (result i32)
    (block $caught (try_table (catch $unused $caught) (return_call $look (local.get 0))))
    (i32.const -2))
))";

// wabt does not know all of our instructions.
std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::int32_t run(const Engine& engine, const Module& module, const char* function) {
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  return must(must(instance.function<std::int32_t()>(function))());
}

}  // namespace

TEST_CASE("A host function that is called last sees who called it, in every tier") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.tier = tier}));
    Store store(engine);
    Linker linker(engine);
    linker.define("host", "look", [](Caller& caller, std::int32_t address) -> std::expected<std::int32_t, Trap> {
      if (address == 3) return std::unexpected(Trap{.code = TrapCode::host_error, .message = "refused"});
      return caller.memory().read<std::uint8_t>(static_cast<std::uint64_t>(address)).value_or(-1);
    });
    const Module module = must(Module::from_bytes(engine, bytes_of(kLastCalls)));
    const Instance instance = must(linker.instantiate(store, module));
    for (const char* name : {"direct", "indirect", "reference", "with a handler"}) {
      INFO("tier " << static_cast<int>(tier) << ", " << name);
      const auto function = must(instance.function<std::int32_t(std::int32_t)>(name));
      CHECK(must(function(0)) == 5);
      CHECK(must(function(2)) == 7);
      const auto refused = function(3);
      REQUIRE(!refused);
      CHECK(refused.error().message == "refused");
      REQUIRE(refused.error().backtrace.size() == 1);
      CHECK(refused.error().backtrace[0].function == name);
    }
  }
}

TEST_CASE("A module is prepared as a whole, in every tier, and tells how far it is") {
  for (const TierSelection tier : tiers()) {
    const auto checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
    const Engine engine = must(Engine::create({.bounds_checks = checks, .tier = tier}));
    const Module module = load(engine, kModule);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> steps;
    must(module.prepare([&](std::uint64_t done, std::uint64_t total) { steps.emplace_back(done, total); }));
    CHECK(engine.metrics().functions == 3);
    REQUIRE(steps.size() == 3);
    CHECK(std::ranges::is_sorted(steps));
    CHECK(steps.front().first > 0);
    CHECK(steps.back().first == steps.back().second);
    CHECK(std::ranges::all_of(steps, [&](const auto& step) { return step.second == steps.back().second; }));

    // Nothing is left to do, neither for calls nor for whoever asks again.
    CHECK(run(engine, module, "three") == 3);
    must(module.prepare());
    CHECK(engine.metrics().functions == 3);
  }
}

TEST_CASE("Functions are prepared as instances with such memories will run them") {
  const Engine engine;
  const Module module = load(engine, R"((module (memory i64 1)
    (func (export "f") (result i32) (i32.load8_u (i64.const 0)))))");
  must(module.prepare());
  CHECK(run(engine, module, "f") == 0);
  CHECK(engine.metrics().functions == 1);
}

TEST_CASE("A body that is wrong is told at its call, also when the module was prepared") {
  for (const TierSelection tier : tiers()) {
    const Engine engine = must(Engine::create({.validation = Validation::lazy, .tier = tier}));
    const Module module = load(engine, R"((module
      (func (export "wrong") (result i32) (i64.const 1))
      (func (export "right") (result i32) (i32.const 1))))",
                               "--no-check");
    must(module.prepare());
    CHECK(run(engine, module, "right") == 1);
    CHECK(engine.metrics().functions == 1);
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    const auto called = must(instance.function<std::int32_t()>("wrong"))();
    REQUIRE_FALSE(called);
    CHECK(called.error().code == TrapCode::invalid_function);
  }
}

TEST_CASE("A module without functions is prepared") {
  const Engine engine;
  int steps = 0;
  must(load(engine, "(module)").prepare([&](std::uint64_t, std::uint64_t) { ++steps; }));
  CHECK(steps == 0);
}

TEST_CASE("Without room for machine code the interpreter runs all, and one warning says so") {
  std::vector<std::string> warnings;
  EngineConfig config{.tier = TierSelection::baseline};
  config.code_memory_limit = 0;
  config.on_warning = [&](const std::string& message) { warnings.push_back(message); };
  const auto engine = Engine::create(config);
  REQUIRE(engine);
  CHECK(run(*engine, load(*engine, kModule), "three") == 3);
  CHECK(warnings == std::vector<std::string>{
                        "the limit of 0 bytes for machine code is reached, the interpreter runs what has none yet"});
}

TEST_CASE("On a host that refuses executable memory the interpreter runs all, and one warning says so") {
  const TierSelection tier = GENERATE(TierSelection::automatic, TierSelection::baseline);
  const std::vector<std::uint8_t> bytes = wat(kModule);
  CHECK(in_child([&] {
          if (!forbid(SYS_mmap, EPERM, 2, PROT_EXEC) || !forbid(SYS_mprotect, EPERM, 2, PROT_EXEC)) return kCannotTest;
          std::vector<std::string> warnings;
          EngineConfig config{.tier = tier, .tier_threshold = 1, .tier_threads = 0};
          config.on_warning = [&](const std::string& message) { warnings.push_back(message); };
          const auto engine = Engine::create(config);
          if (!engine) return 1;
          const auto module = Module::from_bytes(*engine, bytes);
          if (!module || !module->prepare()) return 2;
          Store store(*engine);
          const auto instance = Linker(*engine).instantiate(store, *module);
          if (!instance) return 3;
          const auto three = instance->function<std::int32_t()>("three");
          for (int i = 0; i < 10; ++i) {
            const auto sum = (*three)();
            if (!sum || *sum != 3) return 4;
          }
          if (warnings.size() != 1) return 10 + static_cast<int>(warnings.size());
          return warnings[0].starts_with("the host refuses machine code, the interpreter runs all: ") ? 0 : 5;
        }) == 0);
}

TEST_CASE("Engines that are asked to count optimisations do") {
  constexpr const char* kProduct = R"((module
    (func (export "product") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 10)))))";
  Engine engine = must(Engine::create({.tier = TierSelection::baseline, .counts_optimisations = true}));
  const auto count = [&](std::string_view name) {
    const std::vector<OptimisationCount> counts = engine.optimisations();
    const auto found = std::ranges::find(counts, name, &OptimisationCount::name);
    REQUIRE(found != counts.end());
    CHECK(found->tier == "baseline");
    CHECK_FALSE(found->counted.empty());
    return found->count;
  };
  CHECK(count("constant_factors") == 0);
  must(load(engine, kProduct).prepare());
  must(load(engine, kProduct).prepare());
  CHECK(count("constant_factors") == 2);
  CHECK(count("constant_divisors") == 0);
  // Also what is compiled while it runs.
  engine = must(Engine::create({.tier_threshold = 1, .tier_threads = 0, .counts_optimisations = true}));
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, load(engine, kProduct)));
  const auto product = must(instance.function<std::int32_t(std::int32_t)>("product"));
  for (int i = 0; i < 10; ++i) CHECK(must(product(7)) == 70);
  CHECK(count("constant_factors") == 1);

  engine = must(Engine::create({.tier = TierSelection::baseline}));
  must(load(engine, kProduct).prepare());
  CHECK(engine.optimisations().empty());
  // All that may compile has its rows: of `compile` as well, which optimises by a compiler that the tier does not use.
  engine = must(Engine::create({.tier = TierSelection::baseline, .counts_optimisations = true}));
  const auto counts = engine.optimisations();
  CHECK(std::ranges::count(counts, "llvm", &OptimisationCount::tier) > 10);
  engine = must(Engine::create({.tier = TierSelection::interpreter, .counts_optimisations = true}));
  CHECK(engine.optimisations().empty());
}

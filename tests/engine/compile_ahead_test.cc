// Whole modules compiled ahead, by both compilers: what they do, that the same bytes come out however many threads make
// them, and what is said where something is missing.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/fixture.h"
#include "support/shared.h"

using namespace wasi;
using namespace wasi::test;

namespace {

using Optimise = Module::Optimise;

// A recursion, a loop with a call, a call by reference, traps in both of two functions.
constexpr const char* kModule = R"((module $m
  (memory 1)
  (table funcref (elem $square))
  (func $square (param i64) (result i64) (i64.mul (local.get 0) (local.get 0)))
  (func $inner (param i32) (result i32) (i32.div_s (i32.const 12) (local.get 0)))
  (func (export "divide") (param i32) (result i32) (i32.add (call $inner (local.get 0)) (i32.const 1)))
  (func $fib (export "fib") (param i64) (result i64)
    (if (result i64) (i64.lt_u (local.get 0) (i64.const 2))
      (then (local.get 0))
      (else (i64.add (call $fib (i64.sub (local.get 0) (i64.const 1)))
                     (call $fib (i64.sub (local.get 0) (i64.const 2)))))))
  (func (export "squares") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (call_indirect (param i64) (result i64) (local.get $n) (i32.const 0))))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func (export "load") (param i32) (result i32) (i32.load offset=4 (local.get 0)))))";
constexpr std::uint64_t kFunctions = 6;

std::string behaviour(const Engine& engine, const Module& module) {
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  const auto number = [&](const char* name, std::int64_t argument) {
    return std::to_string(must(must(instance.function<std::int64_t(std::int64_t)>(name))(argument))) + " ";
  };
  const auto divide = must(instance.function<std::int32_t(std::int32_t)>("divide"));
  const auto load = must(instance.function<std::int32_t(std::int32_t)>("load"));
  return number("fib", 15) + number("squares", 100) + std::to_string(must(divide(4))) + " " +
         divide(0).error().to_string() + " " + std::to_string(must(load(8))) + " " + load(65530).error().to_string();
}

Engine compiling(EngineConfig config = {}) {
  config.tier = TierSelection::baseline;
  return must(Engine::create(config));
}

struct Compiled {
  std::vector<TierMetrics> tiers;
  std::vector<std::uint8_t> bytes;
};

Compiled compile(const Module& module, const Module::CompileOptions& options) {
  auto metrics = must(module.compile(options));
  return {std::move(metrics), must(module.serialize())};
}

Compiled compile(const Module::CompileOptions& options, EngineConfig config = {}, std::string_view text = kModule) {
  const Engine engine = compiling(std::move(config));
  return compile(load(engine, text, "--debug-names"), options);
}

}  // namespace

TEST_CASE("A module that was compiled ahead does what it does, in each way of compiling") {
  const BoundsChecks checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
  const Engine interpreter = must(Engine::create({.bounds_checks = checks, .tier = TierSelection::interpreter}));
  const std::string expected = behaviour(interpreter, load(interpreter, kModule, "--debug-names"));
  CHECK(expected.contains("inner"));
  for (const Optimise optimise : {Optimise::nothing, Optimise::hot, Optimise::everything}) {
    if (optimise == Optimise::everything && !has_optimising()) continue;
    const Compiled compiled = compile({.optimise = optimise}, {.bounds_checks = checks});
    for (const TierSelection tier : {TierSelection::automatic, TierSelection::baseline, TierSelection::interpreter}) {
      const Engine engine = must(Engine::create({.bounds_checks = checks, .tier = tier, .tier_threshold = 1}));
      CHECK(behaviour(engine, must(Module::deserialize(engine, std::span(compiled.bytes)))) == expected);
      // Nothing is left to compile.
      if (tier != TierSelection::interpreter) CHECK(engine.metrics().functions == 0);
    }
  }
}

TEST_CASE("What each compiler made is counted") {
  const auto baseline = compile({.optimise = Optimise::nothing}).tiers;
  REQUIRE(baseline.size() == 1);
  CHECK(baseline[0].tier == "baseline");
  CHECK(baseline[0].functions == kFunctions);
  CHECK(baseline[0].uncompiled == 0);
  CHECK(baseline[0].code_bytes > 0);
  CHECK(baseline[0].translate.bytes > 0);
  if (!has_optimising()) return;
  const auto all = compile({.optimise = Optimise::everything}).tiers;
  REQUIRE(all.size() == 2);
  CHECK(all[0].tier == "llvm");
  CHECK(all[0].functions == kFunctions);
  CHECK(all[0].code_bytes > 0);
  CHECK(all[0].translate.bytes == baseline[0].translate.bytes);
  CHECK(all[1].functions == 0);
  CHECK(all[1].code_bytes == 0);
  // Of a guess: all that is called from somewhere, in a module that is small.
  CHECK(compile({.optimise = Optimise::hot}).tiers.at(0).functions == kFunctions);
}

TEST_CASE("Only what a profile saw is optimised") {
  Profile profile;
  {
    const Engine engine = must(Engine::create({.records_profile = true}));
    const Module module = load(engine, kModule, "--debug-names");
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    must(must(instance.function<std::int64_t(std::int64_t)>("fib"))(24));
    profile = module.profile();
  }
  REQUIRE(profile.functions.size() == 1);
  if (has_optimising()) {
    const Compiled compiled = compile({.profile = &profile});
    REQUIRE(compiled.tiers.size() == 2);
    CHECK(compiled.tiers[0].functions == 1);
    CHECK(compiled.tiers[1].functions == kFunctions - 1);
    const Engine engine;
    CHECK(behaviour(engine, must(Module::deserialize(engine, std::span(compiled.bytes)))) ==
          behaviour(engine, load(engine, kModule, "--debug-names")));
    // It may speak of functions that there are not.
    profile.functions.push_back({.index = 4'000'000, .count = 5});
    CHECK(compile({.profile = &profile}).bytes == compiled.bytes);
  }
  const Engine engine = compiling();
  const auto other = load(engine, "(module (func))").compile({.profile = &profile});
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().kind == ErrorKind::argument);
  CHECK(other.error().message.starts_with("the profile is of another module"));
}

// An interpreter's main loop is one body of a hundred KiB and more.
TEST_CASE("A large body that a profile saw is optimised, and one beyond the limit is compiled all the same") {
  if (!has_optimising()) return;
  std::string text = "(module ";
  for (const std::size_t bytes : {std::size_t{200'000}, std::size_t{530'000}}) {
    text += "(func (export \"" + std::to_string(bytes) + "\") (param i32) (result i32) ";
    for (std::size_t i = 0; i < bytes; ++i) text += "nop ";
    text += "(i32.add (local.get 0) (i32.const 1)))";
  }
  const Engine engine = compiling();
  const Module module = load(engine, text + ")");
  Profile profile = module.profile();
  profile.functions = {{.index = 0, .count = 5}, {.index = 1, .count = 5}};
  for (const bool is_all : {false, true}) {
    const auto tiers = is_all ? compile({.optimise = Optimise::everything}, {}, text + ")").tiers
                              : compile(module, {.profile = &profile}).tiers;
    REQUIRE(tiers.size() == 2);
    CHECK(tiers[0].functions == 1);
    CHECK(tiers[0].translate.bytes > 200'000);
    CHECK(tiers[1].functions == 1);
    CHECK(tiers[1].uncompiled == 0);
  }
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  for (const char* name : {"200000", "530000"}) {
    CHECK(must(must(instance.function<std::int32_t(std::int32_t)>(name))(6)) == 7);
  }
}

TEST_CASE("The same bytes, however many threads compile") {
  const Engine engine = compiling();
  std::vector<std::vector<std::uint8_t>> sources = {wat(kModule, "--debug-names")};
  for (const auto& path : shared_modules()) {
    if (std::filesystem::file_size(path) < 20'000 && Module::from_file(engine, path))
      sources.push_back(read_file(path));
    if (sources.size() == 6) break;
  }
  for (const auto& source : sources) {
    const auto with = [&](const Engine& of, unsigned threads) {
      return compile(must(Module::from_bytes(of, source)), {.threads = threads}).bytes;
    };
    const auto one = with(engine, 1);
    CHECK(one == with(engine, 2));
    CHECK(one == with(engine, 7));
    CHECK(one == with(compiling(), 3));
  }
}

TEST_CASE("A body that is wrong is so at its call, and the others are compiled") {
  constexpr const char* kWrong = R"((module
    (func (export "good") (result i32) (i32.const 7))
    (func (export "bad") (result i32) (f32.const 7))))";
  for (const Optimise optimise : {Optimise::nothing, Optimise::everything}) {
    if (optimise == Optimise::everything && !has_optimising()) continue;
    const Engine engine = compiling({.validation = Validation::lazy});
    const Module module = load(engine, kWrong, "--no-check");
    const auto tiers = must(module.compile({.optimise = optimise}));
    CHECK(tiers.back().uncompiled == 1);
    Store store(engine);
    const Instance instance = must(Linker(engine).instantiate(store, module));
    CHECK(must(must(instance.function<std::int32_t()>("good"))()) == 7);
    CHECK(must(instance.function<std::int32_t()>("bad"))().error().code == TrapCode::invalid_function);
  }
}

TEST_CASE("Progress ends at the end") {
  std::uint64_t last = 0;
  std::uint64_t all = 0;
  bool falls = false;
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    falls = falls || done < last || (all != 0 && total != all);
    last = done;
    all = total;
  };
  for (const Optimise optimise : {Optimise::nothing, Optimise::hot}) {
    last = all = 0;
    compile({.optimise = optimise, .progress = progress});
    CHECK(all > 0);
    CHECK(last == all);
    CHECK_FALSE(falls);
  }
}

TEST_CASE("Engines that do not compile ahead say so") {
  for (const TierSelection tier : {TierSelection::automatic, TierSelection::interpreter}) {
    const Engine engine = must(Engine::create({.tier = tier}));
    const auto compiled = load(engine, kModule).compile({});
    REQUIRE_FALSE(compiled.has_value());
    CHECK(compiled.error().kind == ErrorKind::argument);
  }
}

TEST_CASE("Code whose accesses to memory may move is not for an engine that forbids it") {
  const Compiled usual = compile({.optimise = Optimise::hot});
  const Compiled strict = compile({.optimise = Optimise::hot}, {.strict_memory = true});
  const Engine engine;
  const Engine strict_engine = must(Engine::create({.strict_memory = true}));
  CHECK(Module::deserialize(engine, std::span(usual.bytes)).has_value());
  CHECK(Module::deserialize(engine, std::span(strict.bytes)).has_value());
  CHECK(Module::deserialize(strict_engine, std::span(strict.bytes)).has_value());
  const auto refused = Module::deserialize(strict_engine, std::span(usual.bytes));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::unsupported);
  CHECK(refused.error().message == "the module was compiled without strict memory, but the engine is with it");
}

TEST_CASE("What is compiled for more than this processor has is not loaded") {
  std::map<CpuTarget, std::vector<std::uint8_t>> compiled;
  for (const CpuTarget cpu : {CpuTarget::x86_64_v2, CpuTarget::x86_64_v3, CpuTarget::x86_64_v4}) {
    compiled[cpu] = compile({.optimise = Optimise::hot}, {.cpu = cpu}).bytes;
  }
  const Engine engine;
  const std::string expected = behaviour(engine, load(engine, kModule, "--debug-names"));
  for (const auto& [cpu, bytes] : compiled) {
    const auto module = Module::deserialize(engine, std::span(bytes));
    if (module) {
      CHECK(behaviour(engine, *module) == expected);
    } else {
      CHECK(module.error().kind == ErrorKind::unsupported);
      CHECK(module.error().message.starts_with("the module was compiled for processors with "));
    }
  }
}

TEST_CASE("All functions are optimised where all are to be, whichever units their callees are in") {
  if (!has_optimising()) return;
  // Of some units; what they call has a body small enough to be copied into each.
  constexpr int kCallers = 80;
  constexpr int kCallees = 10;
  std::string text = "(module (memory 1) ";
  for (int i = 0; i < kCallers; ++i) {
    text += fmt::format("(func $caller{0} (export \"run{0}\") (param i64) (result i64) (local.get 0)", i);
    for (int k = 0; k < 40; ++k) {
      text += fmt::format("(i64.add (call $callee{} (i64.const {}))) (i64.rotl (i64.const {}))", (i + k) % kCallees,
                          i * k, k);
    }
    text += ")";
  }
  for (int i = 0; i < kCallees; ++i) {
    text += fmt::format(
        "(func $callee{} (param i64) (result i64) (i64.mul (i64.load offset={} (i32.const 8)) (local.get 0)))", i,
        8 * i);
  }
  const std::vector<TierMetrics> metrics = compile({.optimise = Optimise::everything}, {}, text + ")").tiers;
  REQUIRE_FALSE(metrics.empty());
  CHECK(metrics[0].tier == "llvm");
  CHECK(metrics[0].functions == kCallers + kCallees);
}

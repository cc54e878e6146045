// Modules with their machine code as bytes: the same bytes each time, the same results without a compiler, and clear
// errors for what cannot be used.
#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/fixture.h"
#include "support/shared.h"
#include "support/temp_dir.h"

using namespace wasi;
using namespace wasi::test;

namespace {

// Calls of every kind, a loop, data, a passive segment, names, places that trap.
constexpr const char* kModule = R"((module $m
  (type $unary (func (param i32) (result i32)))
  (import "host" "twice" (func $twice (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\05\06\07")
  (data $late "\2a\2b")
  (global $g (mut i32) (i32.const 3))
  (table 2 funcref)
  (elem (i32.const 0) $square $twice)
  (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func (export "sum") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func (export "call") (param i32 i32) (result i32)
    (i32.add (global.get $g) (call_indirect (type $unary) (local.get 1) (local.get 0))))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "init") (memory.init $late (i32.const 100) (i32.const 0) (i32.const 2)))
  (func $inner (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
  (func $outer (export "divide") (param i32) (result i32) (i32.add (call $inner (local.get 0)) (i32.const 1)))
  (func (export "float") (param f64) (result f64)
    (f64.nearest (f64.mul (f64.const 2.5) (f64.sqrt (f64.abs (local.get 0))))))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))))";

EngineConfig compiling(EngineConfig config = {}) {
  config.tier = TierSelection::baseline;
  return config;
}

std::vector<std::uint8_t> compiled(const Engine& engine, std::string_view text = kModule) {
  const Module module = load(engine, text, "--debug-names");
  must(module.prepare());
  return must(module.serialize());
}

std::uint64_t compiled_functions(const Engine& engine) {
  const auto tiers = engine.tiers();
  return tiers.size() < 2 ? 0 : tiers[1].functions;
}

// What there is to be seen of kModule.
std::string behaviour(const Engine& engine, const Module& module) {
  std::ostringstream seen;
  Store store(engine);
  Linker linker(engine);
  linker.define("host", "twice", [](std::int32_t value) { return 2 * value; });
  const Instance instance = must(linker.instantiate(store, module));
  seen << must(must(instance.function<std::int64_t(std::int64_t)>("sum"))(1000)) << ' ';
  const auto call = must(instance.function<std::int32_t(std::int32_t, std::int32_t)>("call"));
  seen << must(call(0, 7)) << ' ' << must(call(1, 7)) << ' ' << call(2, 7).error().to_string() << ' ';
  const auto load = must(instance.function<std::int32_t(std::int32_t)>("load"));
  must(must(instance.function<void()>("init"))());
  seen << must(load(9)) << ' ' << must(load(101)) << ' ' << load(65536).error().to_string() << ' ';
  seen << must(must(instance.function<std::int32_t()>("grow"))()) << ' ' << must(load(65536)) << ' ';
  const auto divide = must(instance.function<std::int32_t(std::int32_t)>("divide"));
  seen << must(divide(1)) << ' ' << divide(0).error().to_string() << ' ';
  seen << must(must(instance.function<double(double)>("float"))(-4.0));
  return seen.str();
}

// Of real programs.
std::vector<std::filesystem::path> small_modules() {
  const Engine engine;
  std::vector<std::filesystem::path> found;
  for (const auto& path : shared_modules()) {
    if (std::filesystem::file_size(path) < 300'000 && Module::from_file(engine, path)) found.push_back(path);
  }
  return found;
}

Error refused(Result<Module> module) {
  REQUIRE_FALSE(module.has_value());
  return module.error();
}

// All ways to load them.
std::vector<Module> loaded(const Engine& engine, const TempDir& folder, const std::vector<std::uint8_t>& bytes) {
  folder.write("m.cwasm", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return {must(Module::deserialize(engine, std::span(bytes))), must(Module::deserialize(engine, std::vector(bytes))),
          must(Module::deserialize_file(engine, folder / "m.cwasm"))};
}

}  // namespace

TEST_CASE("A compiled module does what the module does, and nothing is compiled") {
  const BoundsChecks checks = GENERATE(BoundsChecks::guard_pages, BoundsChecks::explicit_checks);
  const EngineConfig config = compiling({.bounds_checks = checks});
  const Engine maker = must(Engine::create(config));
  const std::vector<std::uint8_t> bytes = compiled(maker);
  const std::string expected = behaviour(maker, load(maker, kModule, "--debug-names"));
  CHECK(expected.contains("integer divide by zero"));
  CHECK(expected.contains("inner"));
  CHECK(expected.contains("outer"));
  const TempDir folder;
  for (const TierSelection tier : {TierSelection::automatic, TierSelection::baseline, TierSelection::interpreter}) {
    const Engine engine = must(Engine::create({.bounds_checks = checks, .tier = tier, .tier_threshold = 1}));
    for (const Module& module : loaded(engine, folder, bytes)) {
      CHECK(behaviour(engine, module) == expected);
      CHECK(compiled_functions(engine) == 0);
      // Nor interpreted, but in the interpreter.
      CHECK((engine.metrics().functions == 0) == (tier != TierSelection::interpreter));
    }
  }
}

TEST_CASE("A module gives the same bytes, wherever its code lies") {
  const auto prepare = [](const Engine& engine, std::span<const std::uint8_t> bytes) {
    const Module module = must(Module::from_bytes(engine, bytes));
    must(module.prepare());
    return module;
  };
  std::vector<std::vector<std::uint8_t>> sources = {wat(kModule, "--debug-names")};
  for (const auto& path : small_modules()) sources.push_back(read_file(path));
  // The same engine puts the second module's code elsewhere; another one has another arena, and other memory.
  const Engine engine = must(Engine::create(compiling()));
  const Engine other = must(Engine::create(compiling()));
  const std::vector<int> moves_the_heap(123'457);
  for (const auto& source : sources) {
    const Module one = prepare(engine, source);
    const Module two = prepare(engine, source);
    const Module three = prepare(other, source);
    const auto bytes = must(one.serialize());
    CHECK(bytes == must(two.serialize()));
    CHECK(bytes == must(three.serialize()));
    // And from what was loaded, bound or not.
    const Module again = must(Module::deserialize(other, std::span(bytes)));
    CHECK(bytes == must(again.serialize()));
    must(again.prepare());
    CHECK(bytes == must(again.serialize()));
  }
}

TEST_CASE("What was compiled by one call of a function is a part; the rest is compiled later") {
  const Engine engine = must(Engine::create(compiling()));
  const Module module = load(engine, kModule, "--debug-names");
  {
    Store store(engine);
    Linker linker(engine);
    linker.define("host", "twice", [](std::int32_t value) { return 2 * value; });
    const Instance instance = must(linker.instantiate(store, module));
    must(must(instance.function<std::int64_t(std::int64_t)>("sum"))(10));
  }
  CHECK(compiled_functions(engine) == 1);
  const auto bytes = must(module.serialize());
  const Engine second = must(Engine::create(compiling()));
  const Module again = must(Module::deserialize(second, std::span(bytes)));
  CHECK(behaviour(second, again) == behaviour(engine, module));
  CHECK(compiled_functions(second) == compiled_functions(engine) - 1);
  CHECK(must(again.serialize()) == must(module.serialize()));
}

TEST_CASE("Compiled modules are refused with a reason") {
  const Engine engine = must(Engine::create(compiling()));
  const std::vector<std::uint8_t> good = compiled(engine);
  const TempDir folder;
  folder.write("m.cwasm", {reinterpret_cast<const char*>(good.data()), good.size()});
  const auto path = folder / "m.cwasm";

  SECTION("as modules, since they are machine code") {
    for (const auto& error :
         {refused(Module::from_bytes(engine, std::span(good))), refused(Module::from_file(engine, path))}) {
      CHECK(error.kind == ErrorKind::unsupported);
      CHECK(error.message.starts_with("this is a compiled module, machine code that has to be trusted"));
    }
    CHECK_FALSE(Module::validate(engine, good).has_value());
    CHECK(Module::is_serialized(good));
    CHECK_FALSE(Module::is_serialized(wat("(module)")));
    CHECK_FALSE(Module::is_serialized({}));
  }
  SECTION("modules that are not compiled") {
    CHECK(refused(Module::deserialize(engine, wat("(module)"))).message == "this is no compiled module");
    CHECK(refused(Module::deserialize(engine, std::vector<std::uint8_t>())).kind == ErrorKind::malformed);
    folder.write("empty", "");
    CHECK(refused(Module::deserialize_file(engine, folder / "empty")).message.ends_with("it was cut off"));
    CHECK(refused(Module::deserialize_file(engine, folder / "missing")).kind == ErrorKind::io);
    CHECK(refused(Module::deserialize_file(engine, folder.path())).message.ends_with("it is no regular file"));
    CHECK(refused(Module::deserialize_file(engine, path, 4096, good.size())).kind == ErrorKind::malformed);
  }
  SECTION("damaged, cut off") {
    std::vector<std::uint8_t> bad = good;
    bad.resize(bad.size() - 1);
    CHECK(refused(Module::deserialize(engine, std::span(bad))).message.contains("cut off"));
    bad = good;
    bad[200] ^= 1;
    CHECK(refused(Module::deserialize(engine, std::span(bad))).kind == ErrorKind::malformed);
  }
  SECTION("another build's") {
    std::vector<std::uint8_t> bad = good;
    bad[20] ^= 1;
    const Error error = refused(Module::deserialize(engine, std::span(bad)));
    CHECK(error.kind == ErrorKind::unsupported);
    CHECK(error.message.contains("compiled by another build"));
  }
  SECTION("for another engine") {
    const Engine explicitly = must(Engine::create({.bounds_checks = BoundsChecks::explicit_checks}));
    CHECK(refused(Module::deserialize_file(explicitly, path)).message ==
          "the module was compiled for guard pages, but the engine has explicit checks");
    const Engine fuelled = must(Engine::create({.fuel = true}));
    CHECK(refused(Module::deserialize_file(fuelled, path)).message ==
          "the module was compiled without fuel, but the engine is with it");
    const Engine less = must(Engine::create({.disabled_features = {"bulk-memory"}}));
    CHECK(refused(Module::deserialize_file(less, path)).message.contains("bulk-memory"));
    // The interpreter makes no use of the code.
    const Engine interpreting = must(Engine::create({.tier = TierSelection::interpreter, .fuel = true}));
    CHECK(Module::deserialize_file(interpreting, path).has_value());
  }
}

TEST_CASE("Damaged code of a function is told, and the function is compiled anew") {
  const Engine maker = must(Engine::create(compiling()));
  const std::vector<std::uint8_t> good = compiled(maker);
  const std::string expected = behaviour(maker, load(maker, kModule, "--debug-names"));
  // The code is last.
  std::vector<std::uint8_t> bad = good;
  for (std::size_t i = 1; i < 64; ++i) bad[bad.size() - i] ^= 0xFF;
  std::vector<std::string> warnings;
  EngineConfig config;
  config.on_warning = [&warnings](const std::string& message) { warnings.push_back(message); };
  for (const TierSelection tier : {TierSelection::automatic, TierSelection::baseline}) {
    warnings.clear();
    config.tier = tier;
    const Engine engine = must(Engine::create(config));
    const Module module = must(Module::deserialize(engine, std::span(bad)));
    CHECK(behaviour(engine, module) == expected);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0] ==
          "the compiled module is damaged: the code of a function has another checksum; such functions are compiled "
          "anew or interpreted");
    CHECK(engine.metrics().functions > 0);
  }
}

TEST_CASE("Engines compile for other processors, and run nothing of that which they cannot") {
  const Engine v2 = must(Engine::create(compiling({.cpu = CpuTarget::x86_64_v2})));
  const Engine v3 = must(Engine::create(compiling({.cpu = CpuTarget::x86_64_v3})));
  const auto old = compiled(v2);
  const auto recent = compiled(v3);
  CHECK(old != recent);
  const Engine engine;
  const std::string expected = behaviour(engine, load(engine, kModule, "--debug-names"));
  CHECK(behaviour(engine, must(Module::deserialize(engine, std::span(old)))) == expected);
  CHECK_FALSE(Engine::create({.cpu = static_cast<CpuTarget>(77)}).has_value());
  std::vector<std::uint8_t> future = recent;
  // A processor's feature that nobody has, and that the checksum does not speak against.
  future[12 + 3] |= 0x80;
  CHECK_FALSE(Module::deserialize(engine, std::span(future)).has_value());
}

TEST_CASE("The file of a module that has gone may be cut off, also while its functions are being optimised") {
  const Engine maker = must(Engine::create(compiling()));
  const std::vector<std::uint8_t> bytes = compiled(maker);
  const TempDir folder;
  // Everything is optimised at once, in the background.
  const Engine engine = must(Engine::create({.tier_threshold = 1, .optimise_threshold = 0}));
  for (int round = 0; round < 20; ++round) {
    folder.write("m.cwasm", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    {
      const Module module = must(Module::deserialize_file(engine, folder / "m.cwasm"));
      CHECK_FALSE(behaviour(engine, module).empty());
    }
    std::filesystem::resize_file(folder / "m.cwasm", 0);
  }
}

TEST_CASE("Compiled modules run on many threads at once") {
  const Engine maker = must(Engine::create(compiling()));
  const std::vector<std::uint8_t> bytes = compiled(maker);
  const std::string expected = behaviour(maker, load(maker, kModule, "--debug-names"));
  const Engine engine;
  const TempDir folder;
  for (int round = 0; round < 20; ++round) {
    for (const Module& module : loaded(engine, folder, bytes)) {
      std::vector<std::string> seen(4);
      {
        std::vector<std::jthread> threads;
        for (std::string& one : seen) threads.emplace_back([&] { one = behaviour(engine, module); });
      }
      for (const std::string& one : seen) CHECK(one == expected);
    }
  }
}

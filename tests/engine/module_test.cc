// Loading modules and asking about them.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::string_view kShapes = R"(
  (module $shapes
    (import "env" "log" (func $log (param i32) (result f32)))
    (import "env" "heap" (memory 1 2))
    (import "env" "names" (table 1 externref))
    (import "env" "limit" (global (mut i64)))
    (func $area (export "area") (param f64 f64) (result f64) (f64.mul (local.get 0) (local.get 1)))
    (global (export "count") i32 (i32.const 3))
    (export "log" (func $log))
    (export "heap" (memory 0)))
)";

Error load_error(const Engine& engine, std::vector<std::uint8_t> bytes) {
  auto module = Module::from_bytes(engine, std::move(bytes));
  REQUIRE_FALSE(module);
  return module.error();
}

std::string text_of(const std::vector<ImportType>& imports) {
  std::string text;
  for (const ImportType& import : imports)
    text += import.module + "." + import.name + ": " + import.type.to_string() + "\n";
  return text;
}

}  // namespace

TEST_CASE("A module tells its imports and exports with their types") {
  const Engine engine;
  const Module module = load(engine, kShapes, "--debug-names");
  CHECK(text_of(module.imports()) ==
        "env.log: function (i32) -> (f32)\n"
        "env.heap: memory 1 2\n"
        "env.names: table 1 externref\n"
        "env.limit: global (mut i64)\n");
  const auto exports = module.exports();
  REQUIRE(exports.size() == 4);
  CHECK(exports[0].name == "area");
  CHECK(exports[0].type.to_string() == "function (f64, f64) -> (f64)");
  CHECK(exports[1].type.to_string() == "global i32");
  CHECK(exports[2].type.to_string() == "function (i32) -> (f32)");
  CHECK(exports[3].type.kind() == ExternKind::memory);
}

TEST_CASE("A module tells its names, counts, sections and features") {
  const Engine engine;
  const Module module = load(engine, kShapes, "--debug-names");
  CHECK(module.name() == "shapes");
  CHECK(module.function_names() == std::vector<std::pair<std::uint32_t, std::string>>{{0, "log"}, {1, "area"}});
  const ModuleCounts counts = module.counts();
  CHECK(counts.functions == 2);
  CHECK(counts.memories == 1);
  CHECK(counts.tables == 1);
  CHECK(counts.globals == 2);
  CHECK(counts.imports == 4);
  CHECK(counts.exports == 4);
  const auto sections = module.sections();
  REQUIRE(sections.size() == 7);
  CHECK(sections.front().name == "type");
  CHECK(sections.back().id == 0);
  CHECK(sections.back().name == "name");
  CHECK(module.unsupported_features().empty());
  CHECK(module.metrics().decode.bytes == counts.bytes);
  CHECK(module.metrics().validate.bytes > 0);
}

TEST_CASE("Features show in bodies that were validated") {
  const Engine engine;
  const Module module = load(engine, "(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))");
  const auto features = module.features();
  CHECK(std::ranges::find(features, "sign-extension") != features.end());
}

TEST_CASE("What is not a module is refused with words that say what it is") {
  const Engine engine;
  CHECK(load_error(engine, {}).message == "empty input: expected a WebAssembly module");
  const Error component = load_error(engine, {0, 'a', 's', 'm', 0x0d, 0, 1, 0});
  CHECK(component.kind == ErrorKind::unsupported);
  CHECK(component.message ==
        "this is a WebAssembly component: components are not supported yet, core modules are; build it for "
        "wasm32-wasip1, or unpack its core module by `wasm-tools component unbundle`");
  const Error malformed = load_error(engine, {0, 'a', 's', 'm', 1, 0, 0, 0, 1});
  CHECK(malformed.kind == ErrorKind::malformed);
  CHECK(malformed.offset == 9);
}

TEST_CASE("Text is a module too, and its errors say line and column") {
  const Engine engine;
  const auto bytes = [](std::string_view text) { return std::vector<std::uint8_t>(text.begin(), text.end()); };
  const Module module = must(Module::from_bytes(engine, bytes(R"(
    ;; a comment
    (module $m (func $seven (export "seven") (result i32) (i32.const 7))))")));
  CHECK(module.name() == "m");
  CHECK(module.function_names() == std::vector<std::pair<std::uint32_t, std::string>>{{0, "seven"}});
  CHECK(must(Module::from_bytes(engine, bytes(" \n"))).exports().empty());

  const Error malformed = load_error(engine, bytes("(module\n  (func (i32.conts 1)))"));
  CHECK(malformed.kind == ErrorKind::malformed);
  CHECK(malformed.message == "unknown operator i32.conts: expected an instruction or )");
  CHECK(malformed.to_string() ==
        "malformed module at line 2, column 10: unknown operator i32.conts: expected an instruction or )\n"
        "2 |   (func (i32.conts 1)))\n"
        "  |          ^^^^^^^^^");
  const Error invalid = load_error(engine, bytes("(module\n  (func)\n  (func (result i32)\n    (i64.const 1)))"));
  CHECK(invalid.kind == ErrorKind::invalid);
  REQUIRE(invalid.text);
  CHECK(invalid.text->line == 4);
  CHECK(Module::validate(engine, bytes("(module (func))")));
}

TEST_CASE("An invalid body is an error at load, or a trap when validation is lazy") {
  const auto bytes =
      wat(R"((module (func (export "f") (result i32)) (func (export "g") (result i32) (i32.const 1))))", "--no-check");
  for (Validation validation : {Validation::eager, Validation::parallel}) {
    const Engine engine = must(Engine::create({.validation = validation}));
    const Error error = load_error(engine, bytes);
    CHECK(error.kind == ErrorKind::invalid);
    CHECK(error.offset.has_value());
    CHECK_THAT(error.message, Catch::Contains("type mismatch"));
  }
  const Engine lazy = must(Engine::create({.validation = Validation::lazy}));
  CHECK_FALSE(Module::validate(lazy, bytes));
  Store store(lazy);
  const Instance instance = must(Linker(lazy).instantiate(store, must(Module::from_bytes(lazy, bytes))));
  CHECK(must(must(instance.function<std::int32_t()>("g"))()) == 1);
  const auto f = must(instance.function<std::int32_t()>("f"));
  for (int repeated = 0; repeated < 2; ++repeated) {
    const auto result = f();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == TrapCode::invalid_function);
    CHECK_THAT(result.error().message, Catch::Contains("type mismatch"));
  }
}

TEST_CASE("A body of a text that is validated lazily is wrong at a line and a column, as it is at load") {
  constexpr std::string_view kText =
      "(module\n"
      "  (func (export \"fine\") (result i32) (i32.const 1))\n"
      "  (func (export \"f\") (result i32)\n"
      "    (i64.const 2)))\n";
  const std::vector<std::uint8_t> bytes(kText.begin(), kText.end());
  const Error error = load_error(Engine(), bytes);
  REQUIRE(error.text);
  const std::string place =
      "line " + std::to_string(error.text->line) + ", column " + std::to_string(error.text->column);
  CHECK(error.text->line >= 3);
  const Engine lazy = must(Engine::create({.validation = Validation::lazy}));
  Store store(lazy);
  const Instance instance = must(Linker(lazy).instantiate(store, must(Module::from_bytes(lazy, bytes))));
  CHECK(must(must(instance.function<std::int32_t()>("fine"))()) == 1);
  const auto result = must(instance.function<std::int32_t()>("f"))();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == TrapCode::invalid_function);
  CHECK_THAT(result.error().message, Catch::Contains("at " + place + ": type mismatch"));
  CHECK(result.error().message.find('\n') == std::string::npos);
}

TEST_CASE("Features can be forbidden") {
  CHECK(Engine::create({.disabled_features = {"time-travel"}}).error().message ==
        "there is no feature of WebAssembly named \"time-travel\"");
  // Lazy validation would not see what bodies use.
  const Engine engine =
      must(Engine::create({.validation = Validation::lazy, .disabled_features = {"sign-extension", "simd"}}));
  const Error error = load_error(engine, wat("(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))"));
  CHECK(error.kind == ErrorKind::unsupported);
  CHECK(error.message == "the module uses sign-extension, which the engine's configuration disables");
  CHECK(Module::from_bytes(engine, wat("(module (func (result i32) (i32.const 1)))")));
}

TEST_CASE("A module from a file lives on when the file is gone") {
  const Engine engine;
  const auto path =
      std::filesystem::temp_directory_path() / ("wasirun-module-test-" + std::to_string(getpid()) + ".wasm");
  {
    const auto bytes = wat(R"((module $kept (func (export "f") (result i32) (i32.const 7))))", "--debug-names");
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  const Module module = must(Module::from_file(engine, path));
  std::filesystem::remove(path);
  Store store(engine);
  const Instance instance = must(Linker(engine).instantiate(store, module));
  CHECK(must(must(instance.function<std::int32_t()>("f"))()) == 7);
  CHECK(instance.module().name() == "kept");

  const auto missing = Module::from_file(engine, path);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::io);
  CHECK_THAT(missing.error().message, Catch::Contains(path.string()) && Catch::Contains("No such file or directory"));
}

TEST_CASE("Bytes that were copied may change afterwards") {
  const Engine engine;
  auto bytes = wat(R"((module (func (export "f") (result i32) (i32.const 7))))");
  const Module module = must(Module::from_bytes(engine, std::span<const std::uint8_t>(bytes)));
  std::ranges::fill(bytes, std::uint8_t{0});
  Store store(engine);
  CHECK(must(must(must(Linker(engine).instantiate(store, module)).function<std::int32_t()>("f"))()) == 7);
}

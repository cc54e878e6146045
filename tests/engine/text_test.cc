// The text format as functions, custom sections, and what files are that are no modules.
#include "engine/fixture.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::string_view kText = R"((module $m
  (@custom "meta" "one")
  (@custom "other" "x")
  (@custom "meta" "")
  (func $f (export "f") (result i32) (i32.const 42))))";

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

TEST_CASE("Text becomes binary and text again, and binary the same binary") {
  const auto binary = must(wat_to_wasm(kText));
  const std::string text = must(wasm_to_wat(binary));
  CHECK_THAT(text, Catch::Contains("(func $f ") && Catch::Contains("i32.const 42"));
  CHECK(must(wat_to_wasm(text)) == binary);
  const std::string folded = must(wasm_to_wat(must(wat_to_wasm("(func (block (nop) (nop)))")), {.folded = true}));
  CHECK_THAT(folded, Catch::Contains("(block"));
  const auto wrong = wat_to_wasm("(module\n  (func (i32.konst 1)))");
  REQUIRE_FALSE(wrong);
  REQUIRE(wrong.error().text);
  CHECK(wrong.error().text->line == 2);
  CHECK(wasm_to_wat(bytes_of("nonsense")).error().kind == ErrorKind::malformed);
  CHECK(wasm_to_wat(bytes_of({"\0asm\x0d\0\1\0", 8})).error().kind == ErrorKind::unsupported);
}

TEST_CASE("Modules are loaded from text, whatever it begins with") {
  const Engine engine;
  const Module module = must(Module::from_text(engine, kText));
  CHECK(module.name() == "m");
  CHECK(must(Module::from_bytes(engine, bytes_of(kText))).name() == "m");
  // Bytes that begin with an annotation, or with nothing known, are no text by themselves.
  CHECK_FALSE(Module::from_bytes(engine, bytes_of("\xef\xbb\xbf(module)")));
  const auto wrong = Module::from_text(engine, "#!/bin/sh");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().text);
}

TEST_CASE("The contents of custom sections") {
  const Engine engine;
  std::optional<Module> module = must(Module::from_text(engine, kText));
  const auto meta = must(module->custom_sections("meta"));
  REQUIRE(meta.size() == 2);
  CHECK(std::string(meta[0].begin(), meta[0].end()) == "one");
  CHECK(meta[1].empty());
  CHECK(must(module->custom_sections("name")).size() == 1);
  CHECK(must(module->custom_sections("nothing")).empty());
  // A module that was serialised has them, too.
  const Engine compiles = must(Engine::create({.tier = TierSelection::baseline}));
  const Module original = must(Module::from_text(compiles, kText));
  must(original.prepare());
  const Module loaded = must(Module::deserialize(compiles, must(original.serialize())));
  CHECK(must(loaded.custom_sections("meta")).size() == 2);
}

TEST_CASE("What is no module is named for what it is") {
  const Engine engine;
  const auto message = [&](std::string_view bytes) {
    const auto loaded = Module::from_bytes(engine, bytes_of(bytes));
    REQUIRE_FALSE(loaded);
    return loaded.error().message;
  };
  const std::pair<std::string_view, std::string_view> cases[] = {
      {{"\x1f\x8b\x08\0\0", 5}, "a gzip file: unpack it first"},
      {"PK\x03\x04....", "a zip archive"},
      {"\x28\xb5\x2f\xfd....", "a zstd file"},
      {"\x7f"
       "ELF\x02\x01\x01",
       "a native executable or library: run it as it is, or build it for wasm32-wasip1"},
      {"MZ\x90", "a native executable"},
      {"!<arch>\n", "an archive of object files"},
      {"\n  <!DOCTYPE HTML><html>", "a web page"},
      {"<html lang=\"en\">", "a web page"},
      {"#!/bin/sh\n", "a script: run it by its interpreter"},
      {"{\"key\": 1}", "JSON"},
      {"[package]\nname = \"x\"", "TOML"},
      {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
      {"\xef\xbb\xbf(module)", "byte order mark"},
  };
  for (const auto& [bytes, expected] : cases) {
    CAPTURE(expected);
    CHECK_THAT(message(bytes),
               Catch::StartsWith("magic header not detected: this is ") && Catch::Contains(std::string(expected)));
  }
  CHECK(message("some other text") == "magic header not detected: expected the bytes 00 61 73 6d (\"\\0asm\")");
  CHECK_THAT(message(""), Catch::Contains("empty"));
  CHECK_THAT(message({"\0asm\x0d\0\1\0", 8}), Catch::Contains("this is a WebAssembly component"));
  const std::string tar = std::string(257, 'x') + "ustar";
  CHECK_THAT(message(tar), Catch::Contains("a tar archive"));
}

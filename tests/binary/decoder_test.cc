// What the decoder makes of modules that are in order.
#include "binary/decoder.h"

#include "binary/support.h"
#include "support/wat.h"

namespace wasi::binary {
namespace {

using test::hex;
using test::section;
using wasm::Feature;

TEST_CASE("the empty module") {
  const auto module = decode(hex("00 61 73 6d 01 00 00 00"));
  CHECK(module->types.empty());
  CHECK(module->sections.empty());
  CHECK(module->features == wasm::FeatureSet{Feature::mvp});
}

TEST_CASE("a module with every section") {
  const auto module = decode(test::wat(R"((module
    (type $unary (func (param i32) (result i32)))
    (import "env" "log" (func $log (param i32 i64)))
    (import "env" "memory" (memory 1 2))
    (import "env" "table" (table 3 funcref))
    (import "env" "base" (global $base i32))
    (import "env" "tag" (tag (param i32)))
    (func $twice (export "twice") (type $unary) (i32.mul (local.get 0) (i32.const 2)))
    (func $start (call $log (i32.const 1) (i64.const 2)))
    (table $own 4 5 externref)
    (memory $more 7)
    (tag $thrown (param i64))
    (global $counter (export "counter") (mut i64) (i64.const -5))
    (start $start)
    (elem (i32.const 0) $twice $start)
    (elem $passive func $twice)
    (elem declare func $start)
    (data (global.get $base) "hello")
    (data $late "bytes")
  ))"));
  CHECK(module->imports.size() == 5);
  CHECK(module->imports[0].module == "env");
  CHECK(module->imports[0].name == "log");
  CHECK(module->imports[0].kind() == wasm::ExternalKind::func);
  CHECK(module->imports[1].kind() == wasm::ExternalKind::memory);
  CHECK(std::get<wasm::MemoryType>(module->imports[1].type).limits == wasm::Limits{1, 2});
  CHECK(module->imported_functions == 1);
  CHECK(module->imported_tables == 1);
  CHECK(module->imported_memories == 1);
  CHECK(module->imported_globals == 1);
  CHECK(module->imported_tags == 1);

  CHECK(module->functions.size() == 3);
  CHECK(module->bodies.size() == 2);
  CHECK(to_string(module->func_type(wasm::FuncIndex(0))) == "(i32, i64) -> ()");
  CHECK(to_string(module->func_type(wasm::FuncIndex(1))) == "(i32) -> (i32)");
  const wasm::FunctionBody& twice = module->body(wasm::FuncIndex(1));
  const auto body = module->view({twice.offset, twice.size});
  CHECK(test::Bytes(body.begin(), body.end()) == hex("00 20 00 41 02 6c 0b"));

  REQUIRE(module->tables.size() == 2);
  CHECK(to_string(module->tables[0].type) == "3 funcref");
  CHECK(to_string(module->tables[1].type) == "4 5 externref");
  REQUIRE(module->memories.size() == 2);
  CHECK(to_string(module->memories[1]) == "7");
  CHECK(module->tags.size() == 2);
  REQUIRE(module->globals.size() == 2);
  CHECK(to_string(module->globals[1].type) == "(mut i64)");
  CHECK(module->view(module->globals[1].init).front() == 0x42);
  CHECK(module->view(module->globals[1].init).back() == 0x0B);
  CHECK(module->globals[0].init.size == 0);

  REQUIRE(module->exports.size() == 2);
  CHECK(module->exports[0].name == "twice");
  CHECK(module->exports[0].kind == wasm::ExternalKind::func);
  CHECK(module->exports[0].index == 1);
  CHECK(module->exports[1].kind == wasm::ExternalKind::global);
  CHECK(module->start == wasm::FuncIndex(2));

  REQUIRE(module->elements.size() == 3);
  CHECK(module->elements[0].mode == wasm::SegmentMode::active);
  CHECK(module->elements[0].functions == std::vector{wasm::FuncIndex(1), wasm::FuncIndex(2)});
  CHECK(module->elements[1].mode == wasm::SegmentMode::passive);
  CHECK(module->elements[2].mode == wasm::SegmentMode::declarative);

  REQUIRE(module->data.size() == 2);
  CHECK(module->data[0].mode == wasm::SegmentMode::active);
  const auto bytes = module->view(module->data[0].bytes);
  CHECK(std::string(bytes.begin(), bytes.end()) == "hello");
  CHECK(module->data[1].mode == wasm::SegmentMode::passive);

  for (const Feature used : {Feature::exceptions, Feature::multi_memory, Feature::mutable_globals, Feature::bulk_memory,
                             Feature::reference_types}) {
    INFO(name_of(used));
    CHECK(module->features.has(used));
  }
  for (const Feature unused : {Feature::gc, Feature::memory64, Feature::threads, Feature::simd,
                               Feature::function_references, Feature::extended_const, Feature::multi_value}) {
    INFO(name_of(unused));
    CHECK_FALSE(module->features.has(unused));
  }
}

TEST_CASE("an MVP module needs the MVP alone") {
  const auto module = decode(test::wat(R"((module
    (import "a" "b" (func (param f64) (result f32)))
    (table 1 funcref) (memory 1) (global i32 (i32.const 7)) (elem (i32.const 0) 0) (data (i32.const 0) "x")
  ))"));
  CHECK(module->features - wasm::FeatureSet{Feature::bulk_memory} == wasm::FeatureSet{Feature::mvp});
}

TEST_CASE("limits: shared, 64-bit, with and without a maximum") {
  const auto module = decode(test::module(
      {section(test::kMemorySection, test::vec({hex("00 01"), hex("01 01 02"), hex("03 01 02"), hex("04 01"),
                                                hex("05 01 ff ff ff ff ff ff 3f"), hex("07 01 02"), hex("02 01")}))}));
  std::vector<std::string> texts;
  for (const wasm::MemoryType& memory : module->memories) texts.push_back(to_string(memory));
  CHECK(texts == std::vector<std::string>{"1", "1 2", "1 2 shared", "i64 1", "i64 1 281474976710655", "i64 1 2 shared",
                                          "1 shared"});
  CHECK(module->features.has(Feature::threads));
  CHECK(module->features.has(Feature::memory64));
  CHECK(module->features.has(Feature::multi_memory));
}

TEST_CASE("tables with initialisers and 64-bit tables") {
  const auto module = decode(
      test::module({section(test::kTableSection, test::vec({hex("40 00 64 70 00 01 d2 00 0b"), hex("6f 05 01 02")}))}));
  REQUIRE(module->tables.size() == 2);
  CHECK(to_string(module->tables[0].type) == "1 (ref func)");
  REQUIRE(module->tables[0].init.has_value());
  CHECK(module->view(*module->tables[0].init).size() == 3);
  CHECK(to_string(module->tables[1].type) == "i64 1 2 externref");
  CHECK_FALSE(module->tables[1].init.has_value());
}

TEST_CASE("all eight forms of element segments") {
  const auto module = decode(test::module({
      section(test::kTypeSection, test::vec({hex("60 00 00")})),
      section(test::kFunctionSection, test::vec({hex("00")})),
      section(test::kTableSection, test::vec({hex("70 00 01"), hex("70 00 01")})),
      section(test::kElementSection,
              test::vec({hex("00 41 00 0b 01 00"), hex("01 00 01 00"), hex("02 01 41 00 0b 00 01 00"),
                         hex("03 00 01 00"), hex("04 41 00 0b 01 d2 00 0b"), hex("05 70 01 d0 70 0b"),
                         hex("06 01 41 00 0b 70 01 d2 00 0b"), hex("07 63 00 01 d2 00 0b")})),
      section(test::kCodeSection, test::vec({hex("02 00 0b")})),
  }));
  using enum wasm::SegmentMode;
  const wasm::SegmentMode modes[] = {active, passive, active, declarative, active, passive, active, declarative};
  const char* types[] = {"(ref func)", "(ref func)", "(ref func)", "(ref func)",
                         "funcref",    "funcref",    "funcref",    "(ref null $type0)"};
  REQUIRE(module->elements.size() == 8);
  for (std::size_t i = 0; i < 8; ++i) {
    INFO("flags " << i);
    const wasm::ElementSegment& segment = module->elements[i];
    CHECK(segment.mode == modes[i]);
    CHECK(to_string(segment.type) == types[i]);
    CHECK(segment.size() == 1);
    CHECK((i < 4 ? segment.functions.size() : segment.expressions.size()) == 1);
    CHECK(segment.table.value == (i == 2 || i == 6 ? 1 : 0));
    CHECK((segment.offset.size != 0) == (segment.mode == active));
  }
}

TEST_CASE("all three forms of data segments") {
  const auto module = decode(test::module({
      section(test::kMemorySection, test::vec({hex("00 01"), hex("00 01")})),
      section(test::kDataCountSection, hex("03")),
      section(test::kDataSection,
              test::vec({hex("00 41 00 0b 02 61 62"), hex("01 01 63"), hex("02 01 41 80 80 04 0b 00")})),
  }));
  REQUIRE(module->data.size() == 3);
  CHECK(module->data[0].mode == wasm::SegmentMode::active);
  CHECK(module->data[0].bytes.size == 2);
  CHECK(module->data[1].mode == wasm::SegmentMode::passive);
  CHECK(module->view(module->data[1].bytes)[0] == 'c');
  CHECK(module->data[2].memory.value == 1);
  CHECK(module->data[2].offset.size == 5);
  CHECK(module->data_count == std::optional<std::uint32_t>(3));
}

// An expression's end is its own `end`, whatever stands in it: immediates that look like `end`, nested blocks.
TEST_CASE("the ends of constant expressions") {
  const char* expressions[] = {
      "41 0b 0b",                                                     // i32.const 11
      "42 8b 0b 0b",                                                  // i64.const
      "43 0b 0b 0b 0b 0b",                                            // f32.const
      "44 0b 0b 0b 0b 0b 0b 0b 0b 0b",                                // f64.const
      "fd 0c 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b",     // v128.const
      "fd 8c 00 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b",  // the same, its opcode in two bytes
      "23 0b 0b",                                                     // global.get 11
      "d0 0b 0b",                                                     // ref.null 11
      "fb 08 0b 0b 0b",                                               // array.new_fixed 11 11
      "41 01 41 02 6a 41 03 6c 0b",                                   // arithmetic
      "02 40 41 0b 1a 0b 41 00 0b",                                   // a block, which validation refuses
      "02 7f 06 40 18 00 0b 0b",                                      // try closed by delegate
      "1f 40 01 00 0b 0b 0b 0b",                                      // try_table with a catch
      "0e 02 0b 0b 0b 0b",                                            // br_table
      "28 4b 0b 0b 0b",                                               // a load with a memory index
      "1c 02 63 0b 7f 0b",                                            // select with types
      "fb 18 03 0b 0b 0b 0b",                                         // br_on_cast
      "fd 54 00 0b 0b 0b",                                            // v128.load8_lane: memarg, then a lane
      "fd 15 0b 0b",                                                  // i8x16.extract_lane_s
      "fd 0d 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b 0b",     // i8x16.shuffle
      "11 0b 0b 0b",                                                  // call_indirect
      "fc 0e 0b 0b 0b",                                               // table.copy
      "fb 11 0b 0b 0b",                                               // array.copy
      "fe 03 00 0b",                                                  // atomic.fence
  };
  for (const char* expression : expressions) {
    INFO(expression);
    const auto module = decode(test::module({section(
        test::kGlobalSection, test::vec({test::join(hex("7f 00"), hex(expression)), hex("7e 00 42 00 0b")}))}));
    REQUIRE(module->globals.size() == 2);
    CHECK(module->globals[0].init.size == hex(expression).size());
    CHECK(to_string(module->globals[1].type) == "i64");
  }
}

TEST_CASE("features of constant expressions") {
  const auto features = [](const char* expression) {
    return decode(test::module({section(test::kGlobalSection, test::vec({test::join(hex("7f 00"), hex(expression))}))}))
        ->features;
  };
  CHECK_FALSE(features("41 01 0b").has(Feature::extended_const));
  CHECK(features("41 01 41 02 6a 0b").has(Feature::extended_const));
  CHECK(features("fb 1c 0b").has(Feature::gc));
  CHECK(features("fd 0c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0b").has(Feature::simd));
}

TEST_CASE("custom sections may stand anywhere, and repeat") {
  const auto custom = [](std::string_view name, std::string_view payload) {
    return section(test::kCustomSection, test::join(test::name(name), test::Bytes(payload.begin(), payload.end())));
  };
  const auto module =
      decode(test::module({custom("a", "first"), section(test::kTypeSection, hex("00")), custom("a", "second"),
                           section(test::kImportSection, hex("00")), custom("", "")}));
  REQUIRE(module->custom_sections.size() == 3);
  const auto second = module->view(module->custom_sections[1].payload);
  CHECK(std::string(second.begin(), second.end()) == "second");
  REQUIRE(module->sections.size() == 5);
  CHECK(module->sections[0].name == "a");
  CHECK(module->sections[1].id == test::kTypeSection);
  CHECK(module->sections[1].payload.size == 1);
}

TEST_CASE("what a file is") {
  CHECK(kind_of(hex("")) == FileKind::empty);
  CHECK(kind_of(hex("00 61 73 6d 01 00 00 00")) == FileKind::module);
  CHECK(kind_of(hex("00 61 73 6d 0d 00 01 00")) == FileKind::component);
  CHECK(kind_of(hex("00 61 73 6d 02 00 00 00")) == FileKind::unknown);
  CHECK(kind_of(hex("00 61 73 6d")) == FileKind::unknown);
  CHECK(kind_of(hex("7f 45 4c 46 02 01 01 00")) == FileKind::unknown);
  const auto text = [](std::string_view s) { return kind_of(test::Bytes(s.begin(), s.end())); };
  CHECK(text("(module)") == FileKind::text);
  CHECK(text("\n\t (module)") == FileKind::text);
  CHECK(text(";; a comment") == FileKind::text);
  CHECK(text("(;x;)(module)") == FileKind::text);
  CHECK(text("   ") == FileKind::text);
  CHECK(text(";") == FileKind::unknown);
  CHECK(text("#!/bin/sh") == FileKind::unknown);
}

}  // namespace
}  // namespace wasi::binary

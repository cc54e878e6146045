// What stands outside of bodies: imports, limits, globals, exports, start, segments, tags.
#include <catch2/catch.hpp>

#include "validate/support.h"
#include "validate/validator.h"

using namespace wasi;
using test::build;
using test::verdict;

TEST_CASE("limits: the minimum is not above the maximum, and neither above what addresses reach") {
  CHECK(verdict("(module (memory 0 65536))") == "ok");
  CHECK(verdict("(module (memory 2 1))") ==
        "invalid at 0xa: size minimum must not be greater than maximum: 2 is greater than 1");
  CHECK(verdict("(module (memory 65537))") ==
        "invalid at 0xa: memory size must be at most 65536 pages (4GiB), found limits 65537");
  CHECK(verdict("(module (memory 1 65537))") ==
        "invalid at 0xa: memory size must be at most 65536 pages (4GiB), found limits 1 65537");
  CHECK(verdict("(module (memory i64 1 0x1000000000000))") == "ok");
  CHECK(verdict("(module (memory i64 1 0x1000000000001))") ==
        "invalid at 0xa: memory size must be at most 2^48 pages, found limits 1 281474976710657");
  CHECK(verdict("(module (table 9 8 funcref))") ==
        "invalid at 0xa: size minimum must not be greater than maximum: 9 is greater than 8");
  // (table 2^32 funcref), (table i64 2^32 funcref)
  CHECK(verdict(build({.tables = "01 70 00 80 80 80 80 10"})) ==
        "invalid at 0x14: table size must be at most 2^32-1, found limits 4294967296");
  CHECK(verdict(build({.tables = "01 70 04 80 80 80 80 10"})) == "ok");
  CHECK(verdict("(module (import \"m\" \"t\" (table 9 8 funcref)))") ==
        "invalid at 0xa: size minimum must not be greater than maximum: 9 is greater than 8");
  // A shared memory without maximum.
  CHECK(verdict(build({.memories = "01 02 01"})) ==
        "invalid at 0x14: shared memory must have maximum: memory 0 has none");
}

TEST_CASE("a global's value is a constant expression of its type") {
  CHECK(verdict("(module (global i32 (i32.const 1)) (global f64 (f64.const 1)))") == "ok");
  CHECK(verdict("(module (global i32 (i64.const 1)))") ==
        "invalid at 0xf: type mismatch: instruction requires [i32] but stack has [i64], in end");
  CHECK(verdict("(module (global i32 (i32.const 1) (i32.const 2)))") ==
        "invalid at 0x11: type mismatch: block requires [i32] but stack has [i32 i32], at its end");
  CHECK(verdict("(module (global i32))") ==
        "invalid at 0xd: type mismatch: instruction requires [i32] but stack has [], in end");
}

TEST_CASE("what a constant expression is made of") {
  CHECK(verdict("(module (global i32 (i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.const 3)))))") == "ok");
  CHECK(verdict("(module (global i64 (i64.sub (i64.const 1) (i64.const 3))))") == "ok");
  CHECK(verdict("(module (global v128 (v128.const i64x2 1 2)))") == "ok");
  CHECK(verdict("(module (global i32 (i32.ctz (i32.const 1))))") ==
        "invalid at 0xf: constant expression required: i32.ctz is not constant");
  CHECK(verdict("(module (global f32 (f32.add (f32.const 1) (f32.const 1))))") ==
        "invalid at 0x17: constant expression required: f32.add is not constant");
  CHECK(verdict("(module (global i32 (nop) (i32.const 1)))") ==
        "invalid at 0xd: constant expression required: nop is not constant");
  CHECK(verdict("(module (global i32 (unreachable)))") ==
        "invalid at 0xd: constant expression required: unreachable is not constant");
  CHECK(verdict("(module (func (result i32) i32.const 0) (global i32 (call 0)))") ==
        "invalid at 0x18: constant expression required: call is not constant");
  // (global i32 (local.get 0)): it is not the local that is wrong.
  CHECK(verdict(build({.globals = "01 7f 00 20 00 0b"})) ==
        "invalid at 0x17: constant expression required: local.get is not constant");
  CHECK(verdict("(module (memory 1) (global i32 (i32.load (i32.const 0))))") ==
        "invalid at 0x14: constant expression required: i32.load is not constant");
  CHECK(verdict("(module (global v128 (v128.not (v128.const i64x2 1 2))))") ==
        "invalid at 0x1f: constant expression required: v128.not is not constant");
  // ref.i31, struct.new_default, array.new_fixed, extern.convert_any
  CHECK(verdict(build({.globals = "01 6c 00 41 07 fb 1c 0b"})) == "ok");
  CHECK(verdict(build({.types = "03 60 00 00 5f 01 7f 00 5e 7f 00",
                       .globals = "03 6b 00 fb 01 01 0b 6a 00 41 01 41 02 fb 08 02 02 0b 6f 00 d0 71 fb 1b 0b"})) ==
        "ok");
}

TEST_CASE("a global sees the immutable ones before it") {
  CHECK(verdict("(module (import \"m\" \"g\" (global i32)) (global i32 (global.get 0)))") == "ok");
  CHECK(verdict("(module (global i32 (i32.const 1)) (global i32 (global.get 0)))") == "ok");
  CHECK(verdict("(module (global (mut i32) (i32.const 1)) (global i32 (global.get 0)))") ==
        "invalid at 0x12: constant expression required: global 0 is mutable");
  CHECK(verdict("(module (global i32 (global.get 0)))") == "invalid at 0xd: unknown global 0: the module has 0");
  CHECK(verdict("(module (global i32 (global.get 1)) (global i32 (i32.const 0)))") ==
        "invalid at 0xd: unknown global 1: the module has 0");
}

TEST_CASE("a table whose elements are never null has an initialiser") {
  // type 0: () -> (); (table 1 (ref 0)), with and without (ref.func 0)
  CHECK(verdict(build({.tables = "01 64 00 00 01"})) ==
        "invalid at 0x14: type mismatch: table 0 of (ref $type0) needs an initialiser, null is none");
  CHECK(verdict(build({.tables = "01 40 00 64 00 00 01 d2 00 0b"})) == "ok");
  CHECK(verdict(build({.tables = "01 40 00 64 00 00 01 d0 70 0b"})) ==
        "invalid at 0x1d: type mismatch: instruction requires [(ref $type0)] but stack has [funcref], in end");
}

TEST_CASE("exports name what exists, each name once") {
  CHECK(verdict("(module (func (export \"a\") (export \"b\")))") == "ok");
  CHECK(verdict("(module (func (export \"a\")) (export \"f\" (func 1)))") ==
        "invalid at 0x1a: unknown function 1: the module has 1");
  CHECK(verdict("(module (export \"f\" (table 0)))") == "invalid at 0xc: unknown table 0: the module has 0");
  CHECK(verdict("(module (export \"f\" (memory 0)))") == "invalid at 0xc: unknown memory 0: the module has 0");
  CHECK(verdict("(module (export \"f\" (global 0)))") == "invalid at 0xc: unknown global 0: the module has 0");
  CHECK(verdict("(module (export \"f\" (tag 0)))") == "invalid at 0xc: unknown tag 0: the module has 0");
  // The second one is told, whatever the order of names.
  CHECK(verdict("(module (func) (export \"z\" (func 0)) (export \"a\" (func 0)) (export \"z\" (func 0)))") ==
        "invalid at 0x1e: duplicate export name: \"z\"");
}

TEST_CASE("the start function takes and gives nothing") {
  CHECK(verdict("(module (func) (start 0))") == "ok");
  CHECK(verdict("(module (func (param i32)) (start 0))") ==
        "invalid at 0x15: start function: function 0 has the type (i32) -> (), expected () -> ()");
  CHECK(verdict("(module (start 3))") == "invalid at 0xa: unknown function 3: the module has 0");
}

TEST_CASE("element segments: functions, tables and offsets of their types") {
  CHECK(verdict("(module (table 1 funcref) (func) (elem (i32.const 0) 0))") == "ok");
  CHECK(verdict("(module (table 1 funcref) (elem (i32.const 0) 7))") ==
        "invalid at 0x10: unknown function 7: the module has 0");
  CHECK(verdict("(module (func) (elem (i32.const 0) 0))") == "invalid at 0x16: unknown table 0: the module has 0");
  CHECK(verdict("(module (table 1 funcref) (func) (elem (i64.const 0) 0))") ==
        "invalid at 0x1e: type mismatch: instruction requires [i32] but stack has [i64], in end");
  CHECK(verdict("(module (table 1 externref) (func) (elem (i32.const 0) 0))") ==
        "invalid at 0x1c: type mismatch: an element segment of (ref func) for table 0 of externref");
  CHECK(verdict("(module (table 1 funcref) (elem (i32.const 0) funcref (ref.null extern)))") ==
        "invalid at 0x18: type mismatch: instruction requires [funcref] but stack has [externref], in end");
}

TEST_CASE("data segments: memories and offsets of their types") {
  CHECK(verdict("(module (memory 1) (data (i32.const 0) \"a\"))") == "ok");
  CHECK(verdict("(module (data (i32.const 0) \"a\"))") == "invalid at 0xc: unknown memory 0: the module has 0");
  CHECK(verdict("(module (memory i64 1) (data (i32.const 0) \"a\"))") ==
        "invalid at 0x13: type mismatch: instruction requires [i64] but stack has [i32], in end");
}

TEST_CASE("tags give nothing") {
  CHECK(verdict("(module (tag (param i32)))") == "ok");
  CHECK(verdict("(module (tag (result i32)))") ==
        "invalid at 0x11: non-empty tag result type: tag 0 has the type () -> (i32)");
}

TEST_CASE("validation fills in which functions are declared and which features are used") {
  const auto module = test::module_of(
      "(module (table 1 funcref) (global funcref (ref.func 1)) (elem (i32.const 0) 2)"
      "        (func (export \"f\")) (func) (func) (func) (start 3))");
  CHECK(module->declared_functions == std::vector<bool>{true, true, true, false});

  const auto features = [](std::string_view wat) {
    const auto parsed = test::module_of(wat);
    REQUIRE(validate::validate_functions(*parsed, 1));
    return parsed->features;
  };
  using wasm::Feature;
  using wasm::FeatureSet;
  CHECK(features("(module (func))") == FeatureSet{Feature::mvp});
  CHECK(features("(module (func i32.const 1 i32.extend8_s drop))") ==
        FeatureSet{Feature::mvp, Feature::sign_extension});
  CHECK(features("(module (func v128.const i64x2 0 0 drop))") == FeatureSet{Feature::mvp, Feature::simd});
  CHECK(features("(module (func i32.const 1 block (param i32) drop end))") ==
        FeatureSet{Feature::mvp, Feature::multi_value});
  CHECK(features("(module (func return_call 0))") == FeatureSet{Feature::mvp, Feature::tail_calls});
  CHECK(features("(module (global i32 (i32.add (i32.const 1) (i32.const 2))) (func))") ==
        FeatureSet{Feature::mvp, Feature::extended_const});
  CHECK(features("(module (memory 1) (func i32.const 0 i32.atomic.load drop))") ==
        FeatureSet{Feature::mvp, Feature::threads});
}

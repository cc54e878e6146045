// Structures, arrays and i31. wabt does not write them, so the modules are in bytes.
#include <catch2/catch.hpp>

#include "validate/support.h"

using wasi::test::build;
using wasi::test::verdict;

namespace {
// type 0: () -> (); 1: (struct (mut i32) i64 (mut i8)); 2: (array (mut i16)); 3: (array (ref func));
// 4: (array (mut anyref))
constexpr std::string_view kTypes = "05 60 00 00  5f 03 7f 01 7e 00 78 01  5e 77 01  5e 64 70 00  5e 6e 01";

std::string body(std::string_view code) { return verdict(build({.types = kTypes, .body = code})); }
std::string with_data(std::string_view code) {
  return verdict(build({.types = kTypes, .data_count = "01", .body = code, .data = "01 01 00"}));
}
}  // namespace

TEST_CASE("struct.new takes all fields, packed ones as i32") {
  CHECK(body("41 01 42 02 41 03 fb 00 01 1a") == "ok");
  CHECK(body("fb 01 01 1a") == "ok");
  CHECK(body("41 01 42 02 42 03 fb 00 01 1a") ==
        "invalid at body+7: type mismatch: instruction requires [i32] but stack has [i64], in struct.new (in function "
        "0)");
  CHECK(body("42 02 41 03 fb 00 01 1a") ==
        "invalid at body+5: type mismatch: instruction requires [i32] but stack has [], in struct.new (in function 0)");
  CHECK(body("fb 00 02 1a") ==
        "invalid at body+1: type mismatch: struct.new expected a structure type and type 2 is none (in function 0)");
  CHECK(body("fb 00 09 1a") == "invalid at body+3: unknown type 9: 5 types are known here (in function 0)");
}

TEST_CASE("default values exist for all fields") {
  CHECK(verdict(build({.types = "02 60 00 00 5f 01 64 70 00", .body = "fb 01 01 1a"})) ==
        "invalid at body+1: type mismatch: struct.new_default of a field without a default value, (ref func) (in "
        "function 0)");
  CHECK(body("41 01 fb 07 02 1a") == "ok");
  CHECK(body("41 01 fb 07 03 1a") ==
        "invalid at body+3: type mismatch: array.new_default of elements without a default value, (ref func) (in "
        "function 0)");
}

TEST_CASE("fields are read plainly when they are values, with a sign when they are packed") {
  CHECK(body("d0 01 fb 02 01 00 1a") == "ok");
  CHECK(body("d0 01 fb 04 01 02 1a") == "ok");
  CHECK(body("d0 01 fb 02 01 02 1a") ==
        "invalid at body+3: type mismatch: struct.get of a packed field (in function 0)");
  CHECK(body("d0 01 fb 03 01 00 1a") ==
        "invalid at body+3: type mismatch: struct.get_s of a field not packed (in function 0)");
  CHECK(body("d0 01 fb 02 01 03 1a") == "invalid at body+3: unknown field 3: the structure has 3 (in function 0)");
  CHECK(body("d0 02 fb 02 01 00 1a") ==
        "invalid at body+3: type mismatch: instruction requires [(ref null $type1)] but stack has [(ref null $type2)], "
        "in struct.get (in function 0)");
}

TEST_CASE("fields are written where they are mutable") {
  CHECK(body("d0 01 41 05 fb 05 01 00") == "ok");
  CHECK(body("d0 01 41 05 fb 05 01 02") == "ok");
  CHECK(body("d0 01 42 05 fb 05 01 01") ==
        "invalid at body+5: immutable field: struct.set would change it (in function 0)");
  CHECK(body("d0 01 42 05 fb 05 01 00") ==
        "invalid at body+5: type mismatch: instruction requires [(ref null $type1) i32] but stack has [(ref null "
        "$type1) i64], in struct.set (in function 0)");
}

TEST_CASE("arrays are made of a value, of values, of data and of element segments") {
  CHECK(body("41 01 41 08 fb 06 02 1a") == "ok");
  CHECK(body("41 01 41 08 41 09 fb 08 02 03 1a") == "ok");
  CHECK(body("fb 08 02 00 1a") == "ok");
  CHECK(body("41 01 42 08 fb 08 02 02 1a") ==
        "invalid at body+5: type mismatch: instruction requires [i32] but stack has [i64], in array.new_fixed (in "
        "function 0)");
  CHECK(body("41 01 fb 08 02 ff ff ff ff 0f 1a") ==
        "invalid at body+3: type mismatch: instruction requires 4294967295 of i32 but stack has 1, in array.new_fixed "
        "(in function 0)");
  CHECK(with_data("41 00 41 02 fb 09 02 00 1a") == "ok");
  CHECK(with_data("41 00 41 02 fb 09 04 00 1a") ==
        "invalid at body+5: array type is not numeric or vector: array.new_data cannot make anyref (in function 0)");
  CHECK(with_data("41 00 41 02 fb 09 02 01 1a") ==
        "invalid at body+5: unknown data segment 1: the module has 1 (in function 0)");
  CHECK(verdict(build({.types = kTypes, .elements = "01 01 00 01 00", .body = "41 00 41 01 fb 0a 03 00 1a"})) == "ok");
  CHECK(verdict(build({.types = kTypes, .elements = "01 01 00 01 00", .body = "41 00 41 01 fb 0a 04 00 1a"})) ==
        "invalid at body+5: type mismatch: array.new_elem of anyref from a segment of (ref func) (in function 0)");
}

TEST_CASE("array elements are read, written, filled and copied by their type") {
  CHECK(body("d0 02 41 00 fb 0d 02 1a") == "ok");
  CHECK(body("d0 02 41 00 fb 0b 02 1a") ==
        "invalid at body+5: type mismatch: array.get of a packed field (in function 0)");
  CHECK(body("d0 02 41 00 41 07 fb 0e 02") == "ok");
  CHECK(body("d0 03 41 00 d0 70 fb 0e 03") ==
        "invalid at body+7: immutable array: array.set would change it (in function 0)");
  CHECK(body("d0 02 41 00 41 07 41 01 fb 10 02") == "ok");
  CHECK(body("d0 02 41 00 d0 02 41 00 41 01 fb 11 02 02") == "ok");
  CHECK(body("d0 02 41 00 d0 04 41 00 41 01 fb 11 02 04") ==
        "invalid at body+11: array types do not match: array.copy from type 4 to type 2 (in function 0)");
  CHECK(body("d0 04 41 00 d0 03 41 00 41 01 fb 11 04 03") ==
        "invalid at body+11: array types do not match: array.copy from type 3 to type 4 (in function 0)");
  CHECK(with_data("d0 02 41 00 41 00 41 01 fb 12 02 00") == "ok");
  CHECK(
      verdict(build({.types = kTypes, .elements = "01 01 00 01 00", .body = "d0 04 41 00 41 00 41 01 fb 13 04 00"})) ==
      "invalid at body+9: type mismatch: array.init_elem of anyref from a segment of (ref func) (in function 0)");
  CHECK(body("d0 02 fb 0f 1a") == "ok");
  CHECK(body("d0 01 fb 0f 1a") ==
        "invalid at body+3: type mismatch: instruction requires [arrayref] but stack has [(ref null $type1)], in "
        "array.len (in function 0)");
}

TEST_CASE("i31 holds an i32 and is a reference that is never null") {
  CHECK(verdict(build({.types = "01 60 00 01 64 6c", .body = "41 05 fb 1c"})) == "ok");
  CHECK(body("d0 6c fb 1d 1a") == "ok");
  CHECK(body("d0 6d fb 1e 1a") ==
        "invalid at body+3: type mismatch: instruction requires [i31ref] but stack has [eqref], in i31.get_u (in "
        "function 0)");
}

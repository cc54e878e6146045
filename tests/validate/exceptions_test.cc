// Exceptions: try_table and its clauses, throw, and the legacy instructions.
#include <catch2/catch.hpp>

#include "validate/support.h"

using wasi::test::build;
using wasi::test::verdict;

namespace {
// type 0: () -> (); 1: (i32) -> (); 2: () -> (i32 exnref); tag 0 of type 1
constexpr std::string_view kTypes = "03 60 00 00 60 01 7f 00 60 00 02 7f 69";

std::string body(std::string_view code) { return verdict(build({.types = kTypes, .tags = "01 00 01", .body = code})); }
}  // namespace

TEST_CASE("throw takes the tag's parameters and does not come back") {
  CHECK(body("41 01 08 00") == "ok");
  CHECK(body("41 01 08 00 45 1a") == "ok");
  CHECK(body("42 01 08 00") ==
        "invalid at body+3: type mismatch: instruction requires [i32] but stack has [i64], in throw (in function 0)");
  CHECK(body("08 02") == "invalid at body+1: unknown tag 2: the module has 1 (in function 0)");
  CHECK(body("d0 69 0a") == "ok");  // throw_ref
  CHECK(body("d0 70 0a") ==
        "invalid at body+3: type mismatch: instruction requires [exnref] but stack has [funcref], in throw_ref (in "
        "function 0)");
}

TEST_CASE("a catch clause gives its label what it catches") {
  // block (result i32) try_table (catch 0 0) end i32.const 1 end drop
  CHECK(body("02 7f 1f 40 01 00 00 00 0b 41 01 0b 1a") == "ok");
  // block (type 2) try_table (catch_ref 0 0) end unreachable end drop drop
  CHECK(body("02 02 1f 40 01 01 00 00 0b 00 0b 1a 1a") == "ok");
  // block try_table (catch_all 0) end end; block (result exnref) try_table (catch_all_ref 0) end unreachable end drop
  CHECK(body("02 40 1f 40 01 02 00 0b 0b") == "ok");
  CHECK(body("02 69 1f 40 01 03 00 0b 00 0b 1a") == "ok");
  // The reference is never null.
  CHECK(body("02 64 69 1f 40 01 03 00 0b 00 0b 1a") == "ok");
  CHECK(body("02 7f 1f 40 01 02 00 0b 41 01 0b 1a") ==
        "invalid at body+3: type mismatch: a catch clause gives [] but its label expects [i32] (in function 0)");
  CHECK(body("02 7f 1f 40 01 01 00 00 0b 41 01 0b 1a") ==
        "invalid at body+3: type mismatch: a catch clause gives [i32 (ref exn)] but its label expects [i32] (in "
        "function 0)");
}

TEST_CASE("clauses are counted from outside of their try_table") {
  CHECK(body("1f 40 01 02 00 0b") == "ok");  // the function's own label
  CHECK(body("1f 40 01 02 01 0b") == "invalid at body+1: unknown label 1: 1 block is open here (in function 0)");
  CHECK(body("1f 40 01 04 00 0b") == "malformed at body+1: malformed catch clause: its kind is 4 (in function 0)");
  CHECK(body("1f 40 01 00 05 00 0b") == "invalid at body+1: unknown tag 5: the module has 1 (in function 0)");
}

TEST_CASE("a try_table is a block") {
  CHECK(body("1f 7f 00 41 01 0b 1a") == "ok");
  CHECK(body("1f 7f 00 0b 1a") ==
        "invalid at body+4: type mismatch: instruction requires [i32] but stack has [], in end (in function 0)");
}

TEST_CASE("legacy: a try's handlers begin with what they catch") {
  CHECK(verdict("(module (tag (param i32)) (func (result i32) try (result i32) i32.const 1 catch 0 end))") == "ok");
  CHECK(verdict("(module (tag (param i32)) (func try nop catch 0 drop catch_all end))") == "ok");
  CHECK(verdict("(module (tag (param i32)) (func try catch 0 end))") ==
        "invalid at body+5: type mismatch: block requires [] but stack has [i32], at its end (in function 0)");
  CHECK(verdict("(module (func try i32.const 1 catch_all end))") ==
        "invalid at body+5: type mismatch: block requires [] but stack has [i32], at its catch_all (in function 0)");
  CHECK(verdict(build({.body = "06 40 19 19 0b"})) ==
        "malformed at body+4: unexpected catch_all: the innermost open block is no try, or has its catch_all already "
        "(in function 0)");
  CHECK(verdict(build({.body = "02 40 19 0b"})) ==
        "malformed at body+3: unexpected catch_all: the innermost open block is no try, or has its catch_all already "
        "(in function 0)");
  CHECK(body("06 40 19 07 00 0b") ==
        "malformed at body+4: unexpected catch: the innermost open block is no try, or has its catch_all already (in "
        "function 0)");
}

TEST_CASE("legacy: delegate ends a try, counted from outside of it") {
  CHECK(verdict("(module (func try try nop delegate 0 catch_all end))") == "ok");
  CHECK(verdict("(module (func (result i32) try (result i32) i32.const 1 delegate 0))") == "ok");
  CHECK(verdict(build({.body = "06 40 18 01"})) ==
        "invalid at body+3: unknown label 1: 1 block is open here (in function 0)");
  CHECK(verdict(build({.body = "06 40 19 18 00"})) ==
        "malformed at body+4: unexpected delegate: the innermost open block is no try without catches (in function 0)");
}

TEST_CASE("legacy: rethrow names a handler that it stands in") {
  CHECK(verdict("(module (func try catch_all block rethrow 1 end end))") == "ok");
  CHECK(verdict("(module (func try rethrow 0 catch_all end))") ==
        "invalid at body+3: invalid rethrow label: 0 is no catch (in function 0)");
}

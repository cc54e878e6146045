// References: null, functions, tests and casts, locals that have no default. What wabt cannot write is in bytes.
#include <catch2/catch.hpp>

#include "validate/support.h"

using wasi::test::build;
using wasi::test::verdict;

TEST_CASE("ref.null, ref.is_null, ref.eq") {
  CHECK(verdict("(module (func (result i32) ref.null extern ref.is_null))") == "ok");
  CHECK(verdict("(module (func (result i32) i32.const 0 ref.is_null))") ==
        "invalid at body+3: type mismatch: instruction requires a reference but stack has [i32], in ref.is_null (in "
        "function 0)");
  CHECK(verdict(build({.body = "d0 6d d0 6c d3 1a"})) == "ok");  // eq, i31
  CHECK(verdict(build({.body = "d0 6e d0 6c d3 1a"})) ==         // any is above eq
        "invalid at body+5: type mismatch: instruction requires [eqref eqref] but stack has [anyref i31ref], in ref.eq "
        "(in function 0)");
}

TEST_CASE("a function that a body refers to is declared outside of bodies") {
  CHECK(verdict("(module (func ref.func 0 drop) (elem declare func 0))") == "ok");
  CHECK(verdict("(module (func (export \"f\") ref.func 0 drop))") == "ok");
  CHECK(verdict("(module (global funcref (ref.func 0)) (func ref.func 0 drop))") == "ok");
  CHECK(verdict("(module (table 1 funcref) (elem (i32.const 0) funcref (ref.func 0)) (func ref.func 0 drop))") == "ok");
  CHECK(verdict("(module (func ref.func 0 drop))") ==
        "invalid at body+1: undeclared function reference: function 0 is named in no export, element segment or "
        "constant expression (in function 0)");
  // The start function does not count.
  CHECK(verdict("(module (func ref.func 0 drop) (start 0))") ==
        "invalid at body+1: undeclared function reference: function 0 is named in no export, element segment or "
        "constant expression (in function 0)");
  CHECK(verdict("(module (func ref.func 4 drop))") ==
        "invalid at body+1: unknown function 4: the module has 1 (in function 0)");
}

TEST_CASE("call_ref calls a reference of its type") {
  // type 0: () -> (), type 1: (ref null 0) -> ()
  const std::string_view types = "02 60 00 00 60 01 63 00 00";
  CHECK(verdict(build({.types = types, .functions = "01 01", .body = "20 00 14 00"})) == "ok");
  CHECK(verdict(build({.types = types, .functions = "01 01", .body = "d0 70 14 00"})) ==
        "invalid at body+3: type mismatch: instruction requires [(ref null $type0)] but stack has [funcref], in "
        "call_ref (in function 0)");
  CHECK(verdict(build({.types = types, .functions = "01 01", .body = "20 00 15 00"})) == "ok");  // return_call_ref
  CHECK(verdict(build({.types = "01 5f 00", .functions = "00", .globals = "", .body = ""})) == "ok");
}

TEST_CASE("a local without a default is set before it is read") {
  // (local (ref func)) from the parameter (ref func)
  const std::string_view types = "01 60 01 64 70 00";
  const std::string_view locals = "01 01 64 70";
  CHECK(verdict(build({.types = types, .locals = locals, .body = "20 00 21 01 20 01 1a"})) == "ok");
  CHECK(verdict(build({.types = types, .locals = locals, .body = "20 00 22 01 1a 20 01 1a"})) == "ok");
  CHECK(verdict(build({.types = types, .locals = locals, .body = "20 01 1a"})) ==
        "invalid at body+4: uninitialized local: local 1 of type (ref func) has no default and is not set on every "
        "path to here (in function 0)");
  // Set inside of a block: forgotten at its end ...
  CHECK(verdict(build({.types = types, .locals = locals, .body = "02 40 20 00 21 01 20 01 1a 0b 20 01 1a"})) ==
        "invalid at body+14: uninitialized local: local 1 of type (ref func) has no default and is not set on every "
        "path to here (in function 0)");
  // ... and at the else; set before the block: known in it.
  CHECK(verdict(build({.types = types, .locals = locals, .body = "41 00 04 40 20 00 21 01 05 20 01 1a 0b"})) ==
        "invalid at body+13: uninitialized local: local 1 of type (ref func) has no default and is not set on every "
        "path to here (in function 0)");
  CHECK(verdict(build({.types = types, .locals = locals, .body = "20 00 21 01 41 00 04 40 20 01 1a 05 20 01 1a 0b"})) ==
        "ok");
  // Behind a branch too.
  CHECK(verdict(build({.types = types, .locals = locals, .body = "00 20 01 1a"})) ==
        "invalid at body+5: uninitialized local: local 1 of type (ref func) has no default and is not set on every "
        "path to here (in function 0)");
  // Locals that have a default, before and behind it, are not asked.
  CHECK(verdict(build({.types = types, .locals = "03 01 7f 01 64 70 01 7c", .body = "20 01 1a 20 03 1a"})) == "ok");
}

TEST_CASE("br_on_null takes nulls away, br_on_non_null the others") {
  // (func (param funcref)): block br_on_null 0, ref.as_non_null is not needed
  CHECK(verdict(build({.types = "01 60 01 70 01 64 70", .body = "02 40 20 00 d5 00 0f 0b 00"})) == "ok");
  CHECK(verdict(build({.types = "01 60 01 70 00", .body = "02 64 70 20 00 d6 00 00 0b 1a"})) == "ok");
  CHECK(verdict(build({.types = "01 60 01 70 00", .body = "02 7f 20 00 d6 00 00 0b 1a"})) ==
        "invalid at body+5: type mismatch: br_on_non_null brings [(ref func)] but its label expects [i32] (in function "
        "0)");
  CHECK(verdict(build({.types = "01 60 01 70 00", .body = "20 00 d6 00"})) ==
        "invalid at body+3: type mismatch: br_on_non_null brings [(ref func)] but its label expects [] (in function "
        "0)");
  CHECK(verdict(build({.body = "41 00 d5 00"})) ==
        "invalid at body+3: type mismatch: instruction requires a reference but stack has [i32], in br_on_null (in "
        "function 0)");
}

TEST_CASE("tests and casts stay within one hierarchy") {
  const std::string_view types = "01 60 01 6e 00";                                  // (param anyref)
  CHECK(verdict(build({.types = types, .body = "20 00 fb 14 6c 1a"})) == "ok");     // ref.test (ref i31)
  CHECK(verdict(build({.types = types, .body = "20 00 fb 16 6b d1 1a"})) == "ok");  // ref.cast (ref struct)
  CHECK(verdict(build({.types = types, .body = "20 00 fb 14 70 1a"})) ==
        "invalid at body+3: type mismatch: instruction requires [funcref] but stack has [anyref], in ref.test (in "
        "function 0)");
  CHECK(verdict(build({.types = types, .body = "20 00 fb 17 6f 1a"})) ==
        "invalid at body+3: type mismatch: instruction requires [externref] but stack has [anyref], in ref.cast (in "
        "function 0)");
}

TEST_CASE("br_on_cast sends the cast reference or what is left of it") {
  const std::string_view types = "01 60 01 6e 00";
  // block (result (ref i31)) local.get 0 br_on_cast 0 anyref (ref i31) unreachable end drop
  CHECK(verdict(build({.types = types, .body = "02 64 6c 20 00 fb 18 01 00 6e 6c 00 0b 1a"})) == "ok");
  // A cast that takes nulls leaves none: block (result i31ref) ... br_on_cast 0 anyref i31ref; then (ref any) is left
  CHECK(verdict(build({.types = "01 60 01 6e 01 64 6e", .body = "02 6c 20 00 fb 18 03 00 6e 6c 0f 0b 00"})) == "ok");
  CHECK(verdict(build({.types = "01 60 01 6e 01 64 6e", .body = "02 64 6c 20 00 fb 18 01 00 6e 6c 0f 0b 00"})) ==
        "invalid at body+12: type mismatch: instruction requires [(ref any)] but stack has [anyref], in return (in "
        "function 0)");
  // br_on_cast_fail sends the rest: here it may still be null.
  CHECK(verdict(build({.types = types, .body = "02 6e 20 00 fb 19 01 00 6e 6c 1a 00 0b 1a"})) == "ok");
  CHECK(verdict(build({.types = types, .body = "02 64 6e 20 00 fb 19 01 00 6e 6c 1a 00 0b 1a"})) ==
        "invalid at body+6: type mismatch: br_on_cast_fail brings anyref but its label expects [(ref any)] (in "
        "function 0)");
  CHECK(verdict(build({.types = types, .body = "02 6c 20 00 fb 18 01 00 6c 6e 00 0b 1a"})) ==
        "invalid at body+5: type mismatch: br_on_cast from i31ref to (ref any), which does not match it (in function "
        "0)");
  CHECK(verdict(build({.types = types, .body = "02 6c 20 00 fb 18 04 00 6e 6c 00 0b 1a"})) ==
        "malformed at body+5: malformed br_on_cast flags: 4 (in function 0)");
}

TEST_CASE("any and extern convert into each other and keep what is known of null") {
  CHECK(verdict(build({.types = "01 60 01 64 6f 01 64 6e", .body = "20 00 fb 1a"})) == "ok");
  CHECK(verdict(build({.types = "01 60 01 6f 01 64 6e", .body = "20 00 fb 1a"})) ==
        "invalid at body+5: type mismatch: instruction requires [(ref any)] but stack has [anyref], in end (in "
        "function 0)");
  CHECK(verdict(build({.types = "01 60 01 70 01 6f", .body = "20 00 fb 1b"})) ==
        "invalid at body+3: type mismatch: instruction requires [anyref] but stack has [funcref], in "
        "extern.convert_any (in function 0)");
}

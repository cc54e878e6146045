// Blocks, branches and calls.
#include <catch2/catch.hpp>

#include "validate/support.h"

using wasi::test::verdict;

TEST_CASE("operands are of the type that the instruction takes") {
  CHECK(verdict("(module (func (result i32) i32.const 1 i32.const 2 i32.add))") == "ok");
  CHECK(verdict("(module (func i32.const 1 f64.const 2 i32.add drop))") ==
        "invalid at body+12: type mismatch: instruction requires [i32 i32] but stack has [i32 f64], in i32.add (in "
        "function 0)");
  CHECK(verdict("(module (func i32.const 1 i32.add drop))") ==
        "invalid at body+3: type mismatch: instruction requires [i32 i32] but stack has [i32], in i32.add (in "
        "function 0)");
  CHECK(verdict("(module (func drop))") ==
        "invalid at body+1: type mismatch: instruction requires an operand but stack has [], in drop (in function 0)");
}

TEST_CASE("a block sees no operands from outside but its parameters") {
  CHECK(verdict("(module (func i32.const 1 block drop end drop))") ==
        "invalid at body+5: type mismatch: instruction requires an operand but stack has [], in drop (in function 0)");
  CHECK(verdict("(module (func i32.const 1 block (param i32) drop end))") == "ok");
  CHECK(verdict("(module (func i64.const 1 block (param i32) drop end))") ==
        "invalid at body+3: type mismatch: instruction requires [i32] but stack has [i64], in block (in function 0)");
}

TEST_CASE("at its end a block has its results and nothing else") {
  CHECK(verdict("(module (func block (result i32) end drop))") ==
        "invalid at body+3: type mismatch: instruction requires [i32] but stack has [], in end (in function 0)");
  CHECK(verdict("(module (func block i32.const 1 end))") ==
        "invalid at body+5: type mismatch: block requires [] but stack has [i32], at its end (in function 0)");
  CHECK(verdict("(module (func (result i32) i32.const 1 i32.const 2))") ==
        "invalid at body+5: type mismatch: block requires [i32] but stack has [i32 i32], at its end (in function 0)");
  CHECK(verdict("(module (func i32.const 1 if (result i32) i32.const 1 i64.const 1 else i32.const 1 end drop))") ==
        "invalid at body+9: type mismatch: instruction requires [i32] but stack has [i64], in else (in function 0)");
}

TEST_CASE("an if without else gives what it takes") {
  CHECK(verdict("(module (func i32.const 1 if end))") == "ok");
  CHECK(verdict("(module (func (result i32) i32.const 7 i32.const 1 if (param i32) (result i32) end))") == "ok");
  CHECK(verdict("(module (func i32.const 1 if (result i32) i32.const 1 end drop))") ==
        "invalid at body+7: type mismatch: an if without else takes [] but should give [i32] (in function 0)");
  CHECK(verdict("(module (func if end))") ==
        "invalid at body+1: type mismatch: instruction requires [i32] but stack has [], in if (in function 0)");
}

TEST_CASE("labels are counted from the innermost block") {
  CHECK(verdict("(module (func block br 1 end))") == "ok");
  CHECK(verdict("(module (func block br 2 end))") ==
        "invalid at body+3: unknown label 2: 2 blocks are open here (in function 0)");
  CHECK(verdict("(module (func br_table 0 5 0))") ==
        "invalid at body+1: type mismatch: instruction requires [i32] but stack has [], in br_table (in function 0)");
  CHECK(verdict("(module (func i32.const 0 br_table 0 5 0))") ==
        "invalid at body+3: unknown label 5: 1 block is open here (in function 0)");
}

TEST_CASE("a branch carries what its label takes: a loop's parameters, a block's results") {
  CHECK(verdict("(module (func block (result i32) br 0 end drop))") ==
        "invalid at body+3: type mismatch: instruction requires [i32] but stack has [], in br (in function 0)");
  CHECK(verdict("(module (func loop (result i32) br 0 end drop))") == "ok");
  CHECK(verdict("(module (func i32.const 1 loop (param i32) br 0 end))") == "ok");
  CHECK(verdict("(module (func (result i32) f32.const 1 i32.const 1 br_if 0))") ==
        "invalid at body+8: type mismatch: instruction requires [i32] but stack has [f32], in br_if (in function 0)");
  // br_if leaves the label's operands.
  CHECK(verdict("(module (func (result i32) i32.const 1 i32.const 1 br_if 0))") == "ok");
}

TEST_CASE("all targets of a br_table take the same number of operands, each of its types") {
  CHECK(verdict("(module (func (result i32) block (result i32) i32.const 1 i32.const 0 br_table 0 1 0 end))") == "ok");
  CHECK(verdict("(module (func (result i32) block i32.const 1 i32.const 0 br_table 0 1 end i32.const 1))") ==
        "invalid at body+7: type mismatch: br_table's targets take [i32] and [] (in function 0)");
  CHECK(verdict("(module (func (result i32) block (result f32) i32.const 1 i32.const 0 br_table 0 1 end drop "
                "i32.const 1))") ==
        "invalid at body+7: type mismatch: instruction requires [f32] but stack has [i32], in br_table (in function "
        "0)");
}

TEST_CASE("a return carries the function's results from any depth") {
  CHECK(verdict("(module (func (result i32) block loop i32.const 3 return end end i32.const 4))") == "ok");
  CHECK(verdict("(module (func (result i32) block return end i32.const 4))") ==
        "invalid at body+3: type mismatch: instruction requires [i32] but stack has [], in return (in function 0)");
}

TEST_CASE("a call takes the callee's parameters and gives its results") {
  CHECK(verdict("(module (func (param i32 f32) (result i64) i64.const 1)"
                "        (func (result i64) i32.const 1 f32.const 2 call 0))") == "ok");
  CHECK(verdict("(module (func call 1) (func (param i32 f32)))") ==
        "invalid at body+1: type mismatch: instruction requires [i32 f32] but stack has [], in call (in function 0)");
  CHECK(verdict("(module (func call 7))") == "invalid at body+1: unknown function 7: the module has 1 (in function 0)");
}

TEST_CASE("call_indirect needs a type, a table of functions and an index") {
  CHECK(verdict("(module (table 1 funcref) (func i32.const 0 call_indirect))") == "ok");
  CHECK(verdict("(module (func i32.const 0 call_indirect))") ==
        "invalid at body+3: unknown table 0: the module has 0 (in function 0)");
  CHECK(verdict("(module (table 1 externref) (func i32.const 0 call_indirect))") ==
        "invalid at body+3: type mismatch: call_indirect expected a table of functions and table 0 holds externref (in "
        "function 0)");
  CHECK(verdict("(module (table 1 funcref) (func f32.const 0 call_indirect))") ==
        "invalid at body+6: type mismatch: instruction requires [i32] but stack has [f32], in call_indirect (in "
        "function 0)");
  CHECK(verdict("(module (table 1 funcref) (type (func (param i64))) (func i32.const 1 i32.const 0 call_indirect "
                "(type 0)))") ==
        "invalid at body+5: type mismatch: instruction requires [i64] but stack has [i32], in call_indirect (in "
        "function 0)");
  CHECK(verdict("(module (table 1 funcref) (func i32.const 0 call_indirect (type 9)))") ==
        "invalid at body+4: unknown type 9: 1 types are known here (in function 0)");
}

TEST_CASE("a tail call's callee returns what the caller returns") {
  CHECK(verdict("(module (func (result i32) return_call 0))") == "ok");
  CHECK(verdict("(module (func (result i32) return_call 1) (func (result i64) i64.const 0))") ==
        "invalid at body+1: type mismatch: return_call gives [i64] but the function returns [i32] (in function 0)");
  CHECK(verdict("(module (table 1 funcref) (func (result i32) i32.const 0 return_call_indirect))") ==
        "invalid at body+3: type mismatch: return_call_indirect gives [] but the function returns [i32] (in function "
        "0)");
}

// Behind an unconditional branch the stack holds whatever is asked of it, and what is put there is checked still.
// Source: https://webassembly.github.io/spec/core/appendix/algorithm.html
#include <catch2/catch.hpp>

#include "validate/support.h"

using wasi::test::build;
using wasi::test::verdict;

TEST_CASE("operands that are missing behind a branch have any type") {
  CHECK(verdict("(module (func (result i32) unreachable i32.add))") == "ok");
  CHECK(verdict("(module (func (result i64) br 0 (drop) i64.eqz unreachable))") ==
        "invalid at body+1: type mismatch: instruction requires [i64] but stack has [], in br (in function 0)");
  CHECK(verdict("(module (func unreachable select drop))") == "ok");
  CHECK(verdict("(module (func unreachable select i64.eqz drop))") == "ok");
  CHECK(verdict("(module (func (param i64) unreachable local.set 0))") == "ok");
  CHECK(verdict("(module (func (param i64) unreachable local.tee 0 drop))") == "ok");
  CHECK(verdict("(module (memory 1) (func unreachable f64.store i32.load8_u memory.grow drop))") == "ok");
}

TEST_CASE("operands that are there behind a branch are checked") {
  CHECK(verdict("(module (func unreachable f32.const 1 i32.add drop))") ==
        "invalid at body+7: type mismatch: instruction requires [i32 i32] but stack has [f32], in i32.add (in function "
        "0)");
  CHECK(verdict("(module (func unreachable i64.const 1 i32.const 1 select i32.eqz drop))") ==
        "invalid at body+7: type mismatch: instruction requires [i32] but stack has [i64], in i32.eqz (in function "
        "0)");
  CHECK(verdict("(module (func (param i64) unreachable local.tee 0 i32.eqz drop))") ==
        "invalid at body+4: type mismatch: instruction requires [i32] but stack has [i64], in i32.eqz (in function "
        "0)");
  CHECK(verdict("(module (func (result i32) unreachable i32.const 1 i32.const 2))") ==
        "invalid at body+6: type mismatch: block requires [i32] but stack has [i32 i32], at its end (in function 0)");
  CHECK(verdict("(module (func (result i32) return i64.const 2))") ==
        "invalid at body+1: type mismatch: instruction requires [i32] but stack has [], in return (in function 0)");
  CHECK(verdict("(module (func (result i32) unreachable i64.const 2))") ==
        "invalid at body+4: type mismatch: instruction requires [i32] but stack has [i64], in end (in function 0)");
}

TEST_CASE("the results of an instruction behind a branch have its types") {
  CHECK(verdict("(module (func unreachable i32.add i64.eqz drop))") ==
        "invalid at body+3: type mismatch: instruction requires [i64] but stack has [i32], in i64.eqz (in function "
        "0)");
  CHECK(verdict("(module (func (result i32) i32.const 1) (func unreachable call 0 f32.neg drop))") ==
        "invalid at 0x24: type mismatch: instruction requires [f32] but stack has [i32], in f32.neg (in function 1)");
}

TEST_CASE("a block that is opened behind a branch has a stack of its own") {
  CHECK(verdict("(module (func unreachable block drop end))") ==
        "invalid at body+4: type mismatch: instruction requires an operand but stack has [], in drop (in function 0)");
  CHECK(verdict("(module (func unreachable loop (param i32) drop end))") == "ok");
  CHECK(verdict("(module (func unreachable if (result i32) i32.const 1 else i32.const 2 end drop))") == "ok");
  CHECK(verdict("(module (func unreachable if (result i32) i32.const 1 else i64.const 2 end drop))") ==
        "invalid at body+9: type mismatch: instruction requires [i32] but stack has [i64], in end (in function 0)");
}

TEST_CASE("behind the end of a block that does not fall through, the outer stack is an ordinary one") {
  CHECK(verdict("(module (func block unreachable end drop))") ==
        "invalid at body+5: type mismatch: instruction requires an operand but stack has [], in drop (in function 0)");
  CHECK(verdict("(module (func block (result i32) unreachable end drop))") == "ok");
  CHECK(verdict("(module (func i32.const 0 if unreachable else nop end drop))") ==
        "invalid at body+9: type mismatch: instruction requires an operand but stack has [], in drop (in function 0)");
}

TEST_CASE("branches behind a branch are checked against what is there") {
  CHECK(verdict("(module (func (result i32) unreachable br_if 0))") == "ok");
  // br_if leaves what the label takes, also when nothing was there.
  CHECK(verdict("(module (func (result i32) unreachable br_if 0 i64.eqz))") ==
        "invalid at body+4: type mismatch: instruction requires [i64] but stack has [i32], in i64.eqz (in function "
        "0)");
  // The two targets take different types: only nothing fits both.
  CHECK(verdict("(module (func (result i32) block (result f32) unreachable br_table 0 1 end drop i32.const 1))") ==
        "ok");
  CHECK(verdict("(module (func (result i32) block (result f32) unreachable i32.const 1 i32.const 0 br_table 1 0 end "
                "drop i32.const 1))") ==
        "invalid at body+8: type mismatch: instruction requires [f32] but stack has [i32], in br_table (in function "
        "0)");
  CHECK(verdict("(module (func block (result i32) block unreachable br_table 0 1 end i32.const 1 end drop))") ==
        "invalid at body+6: type mismatch: br_table's targets take [i32] and [] (in function 0)");
}

TEST_CASE("what is missing can be a reference, but no number comes of it then") {
  CHECK(verdict(build({.body = "00 d3 1a"})) == "ok");        // ref.eq
  CHECK(verdict(build({.body = "00 d4 1a"})) == "ok");        // ref.as_non_null
  CHECK(verdict(build({.body = "00 d4 d1 1a"})) == "ok");     // ... ref.is_null
  CHECK(verdict(build({.body = "00 d4 fb 0f 1a"})) == "ok");  // ... array.len
  CHECK(verdict(build({.body = "00 d4 14 00"})) == "ok");     // ... call_ref
  CHECK(verdict(build({.body = "00 d4 45 1a"})) ==            // ... i32.eqz
        "invalid at body+3: type mismatch: instruction requires [i32] but stack has [a reference], in i32.eqz (in "
        "function 0)");
  CHECK(verdict(build({.body = "00 d5 00 45 1a"})) ==  // br_on_null, i32.eqz
        "invalid at body+4: type mismatch: instruction requires [i32] but stack has [a reference], in i32.eqz (in "
        "function 0)");
  CHECK(verdict(build({.body = "00 d4 fb 1b d4 fb 1a 1a"})) == "ok");  // extern.convert_any and back
}

TEST_CASE("all else is checked behind a branch as anywhere") {
  CHECK(verdict("(module (func return local.get 3 drop))") ==
        "invalid at body+2: unknown local 3: the function has 0 (in function 0)");
  CHECK(verdict("(module (func return br 7))") ==
        "invalid at body+2: unknown label 7: 1 block is open here (in function 0)");
  CHECK(verdict(build({.body = "0f ff"})) == "malformed at body+2: illegal opcode ff (in function 0)");
}

// Parametric instructions, locals, globals, memories and tables.
#include <catch2/catch.hpp>

#include "validate/support.h"

using wasi::test::build;
using wasi::test::verdict;

TEST_CASE("select without a type is for two numbers or vectors of one type") {
  CHECK(verdict("(module (func i32.const 1 i32.const 2 i32.const 0 select drop))") == "ok");
  CHECK(verdict("(module (func i32.const 1 i64.const 2 i32.const 0 select drop))") ==
        "invalid at body+7: type mismatch: select expected two operands of one type but the stack holds [i32 i64] (in "
        "function 0)");
  CHECK(verdict("(module (func (param externref) local.get 0 local.get 0 i32.const 0 select drop))") ==
        "invalid at body+7: type mismatch: instruction requires numbers or vectors but stack has [externref], in "
        "select without a type (in function 0)");
  CHECK(verdict("(module (func i32.const 2 i32.const 0 select drop))") ==
        "invalid at body+5: type mismatch: instruction requires two operands but stack has [], in select (in function "
        "0)");
}

TEST_CASE("select with a type is for two operands of it") {
  CHECK(verdict("(module (func (param externref) local.get 0 local.get 0 i32.const 0 select (result externref) "
                "drop))") == "ok");
  CHECK(verdict("(module (func (param externref) local.get 0 i32.const 0 i32.const 0 select (result externref) "
                "drop))") ==
        "invalid at body+7: type mismatch: instruction requires [externref externref i32] but stack has [externref i32 "
        "i32], in select (in function 0)");
  // select (result)
  CHECK(verdict(build({.body = "1c 00"})) ==
        "invalid at body+1: invalid result arity: select gives 1 value, not 0 (in function 0)");
}

TEST_CASE("locals are the parameters, then what is declared") {
  CHECK(verdict("(module (func (param i32) (local f32 f64) local.get 2 drop local.get 0 drop))") == "ok");
  CHECK(verdict("(module (func (param i32) (local f32) local.get 2 drop))") ==
        "invalid at body+3: unknown local 2: the function has 2 (in function 0)");
  CHECK(verdict("(module (func (param i32) (local f32) i32.const 1 local.set 1))") ==
        "invalid at body+5: type mismatch: instruction requires [f32] but stack has [i32], in local.set (in function "
        "0)");
  CHECK(verdict("(module (func (local i64) local.tee 0 drop))") ==
        "invalid at body+3: type mismatch: instruction requires [i64] but stack has [], in local.tee (in function 0)");
}

TEST_CASE("at most 50000 locals are declared, however the runs are cut") {
  CHECK(verdict(build({.locals = "01 d0 86 03 7f", .body = "20 cf 86 03 1a"})) == "ok");
  CHECK(verdict(build({.locals = "02 90 ce 00 7f c1 b8 02 7e"})) ==
        "limit at body+0: too many locals: 50001 are declared, 50000 are allowed (in function 0)");
  CHECK(verdict(build({.locals = "02 ff ff ff ff 0f 7f 01 7e"})) ==
        "malformed at body+0: too many locals: more than 2^32 - 1 are declared (in function 0)");
  // Behind the runs that are expanded eagerly each local keeps its type.
  CHECK(verdict(build({.locals = "02 90 4e 7f 90 4e 7c", .body = "20 8f 4e 1a 20 90 4e 99 1a"})) == "ok");
  CHECK(verdict(build({.locals = "02 90 4e 7f 90 4e 7c", .body = "20 8f 4e 99 1a"})) ==
        "invalid at body+10: type mismatch: instruction requires [f64] but stack has [i32], in f64.abs (in function "
        "0)");
}

TEST_CASE("globals are read by their type and written where they are mutable") {
  CHECK(verdict("(module (global (mut i64) (i64.const 1)) (func global.get 0 global.set 0))") == "ok");
  CHECK(verdict("(module (global i64 (i64.const 1)) (func global.get 0 global.set 0))") ==
        "invalid at body+3: immutable global: global.set of global 0 (in function 0)");
  CHECK(verdict("(module (global (mut i64) (i64.const 1)) (func i32.const 1 global.set 0))") ==
        "invalid at body+3: type mismatch: instruction requires [i64] but stack has [i32], in global.set (in function "
        "0)");
  CHECK(verdict("(module (func global.get 1 drop))") ==
        "invalid at body+1: unknown global 1: the module has 0 (in function 0)");
}

TEST_CASE("loads and stores need a memory, an address of its type, and no more than the natural alignment") {
  CHECK(verdict("(module (memory 1) (func i32.const 0 i64.load offset=300 drop))") == "ok");
  CHECK(verdict("(module (func i32.const 0 i64.load drop))") ==
        "invalid at body+3: unknown memory 0: the module has 0 (in function 0)");
  CHECK(verdict("(module (memory 1) (func i64.const 0 i64.load drop))") ==
        "invalid at body+3: type mismatch: instruction requires [i32] but stack has [i64], in i64.load (in function "
        "0)");
  CHECK(verdict("(module (memory 1) (func i32.const 0 i64.const 0 i32.store))") ==
        "invalid at body+5: type mismatch: instruction requires [i32 i32] but stack has [i32 i64], in i32.store (in "
        "function 0)");
  // i32.const 0, i32.load16_u with an alignment of 2^2
  CHECK(verdict(build({.memories = "01 00 01", .body = "41 00 2f 02 00 1a"})) ==
        "invalid at body+3: alignment must not be larger than natural: i32.load16_u accesses 2 bytes and states an "
        "alignment of 4 (in function 0)");
  CHECK(verdict(build({.memories = "01 00 01", .body = "41 00 2f 3f 00 1a"})) ==
        "invalid at body+3: alignment must not be larger than natural: i32.load16_u accesses 2 bytes and states an "
        "alignment of 2^63 (in function 0)");
  CHECK(verdict(build({.memories = "01 00 01", .body = "41 00 2f 81 01 00 1a"})) ==
        "malformed at body+3: malformed memop flags: bit 7 or above is set (in function 0)");
  CHECK(verdict(build({.memories = "01 00 01", .body = "41 00 28 02 80 80 80 80 10 1a"})) ==
        "invalid at body+3: offset out of range: 4294967296 in a 32-bit memory (in function 0)");
  CHECK(verdict(build({.memories = "01 00 01", .body = "41 00 28 02 ff ff ff ff 0f 1a"})) == "ok");
}

TEST_CASE("64-bit memories take 64-bit addresses and offsets") {
  CHECK(verdict("(module (memory i64 1) (func i64.const 0 i32.load drop i64.const 0 i32.const 1 i32.store))") == "ok");
  CHECK(verdict("(module (memory i64 1) (func i32.const 0 i32.load drop))") ==
        "invalid at body+3: type mismatch: instruction requires [i64] but stack has [i32], in i32.load (in function "
        "0)");
  CHECK(verdict(build({.memories = "01 04 01", .body = "42 00 28 02 80 80 80 80 10 1a"})) == "ok");
  CHECK(verdict("(module (memory i64 1) (func (result i64) memory.size drop i64.const 1 memory.grow))") == "ok");
  CHECK(verdict("(module (memory i64 1) (func i64.const 0 i32.const 0 i64.const 0 memory.fill))") == "ok");
  CHECK(verdict("(module (memory i64 1) (func i64.const 0 i32.const 0 i32.const 0 memory.fill))") ==
        "invalid at body+7: type mismatch: instruction requires [i64 i32 i64] but stack has [i64 i32 i32], in "
        "memory.fill (in function 0)");
}

TEST_CASE("an access names any of several memories") {
  // (memory 1) (memory i64 1): i32.load of memory 1
  CHECK(verdict(build({.memories = "02 00 01 04 01", .body = "42 00 28 42 01 00 1a"})) == "ok");
  CHECK(verdict(build({.memories = "02 00 01 04 01", .body = "41 00 28 42 01 00 1a"})) ==
        "invalid at body+3: type mismatch: instruction requires [i64] but stack has [i32], in i32.load (in function "
        "0)");
  CHECK(verdict(build({.memories = "02 00 01 04 01", .body = "41 00 28 42 02 00 1a"})) ==
        "invalid at body+3: unknown memory 2: the module has 2 (in function 0)");
  // memory.copy between them: the length has the smaller address type.
  CHECK(verdict(build({.memories = "02 00 01 04 01", .body = "41 00 42 00 41 00 fc 0a 00 01"})) == "ok");
  CHECK(verdict(build({.memories = "02 00 01 04 01", .body = "41 00 42 00 42 00 fc 0a 00 01"})) ==
        "invalid at body+7: type mismatch: instruction requires [i32 i64 i32] but stack has [i32 i64 i64], in "
        "memory.copy (in function 0)");
}

TEST_CASE("atomic accesses state exactly their natural alignment") {
  CHECK(verdict("(module (memory 1 1 shared) (func i32.const 0 i32.const 1 i32.atomic.rmw.add drop))") == "ok");
  CHECK(verdict("(module (memory 1) (func i32.const 0 i32.const 1 i32.const 2 i32.atomic.rmw.cmpxchg drop))") == "ok");
  CHECK(verdict(build({.memories = "01 00 01", .body = "41 00 fe 10 01 00 1a"})) ==
        "invalid at body+3: atomic alignment must be natural: i32.atomic.load accesses 4 bytes and states an alignment "
        "of 2 (in function 0)");
  CHECK(verdict(build({.body = "fe 03 01"})) ==
        "malformed at body+1: zero byte expected: atomic.fence (in function 0)");
}

TEST_CASE("data segments are counted before bodies may name them") {
  CHECK(verdict("(module (memory 1) (data \"a\") (func i32.const 0 i32.const 0 i32.const 0 memory.init 0 data.drop "
                "0))") == "ok");
  CHECK(verdict("(module (memory 1) (data \"a\") (func data.drop 1))") ==
        "invalid at body+1: unknown data segment 1: the module has 1 (in function 0)");
  CHECK(verdict(build({.memories = "01 00 01", .body = "fc 09 00", .data = "01 01 00"})) ==
        "malformed at body+1: data count section required: data.drop names a data segment (in function 0)");
}

TEST_CASE("lanes exist in their shape") {
  CHECK(verdict("(module (func v128.const i32x4 1 2 3 4 i32x4.extract_lane 3 drop))") == "ok");
  // v128 from local 0; i32x4.extract_lane 4
  CHECK(verdict(build({.locals = "01 01 7b", .body = "20 00 fd 1b 04 1a"})) ==
        "invalid at body+5: invalid lane index: 4 of 4 in i32x4.extract_lane (in function 0)");
  CHECK(verdict(build({.locals = "01 01 7b", .body = "20 00 fd 15 10 1a"})) ==
        "invalid at body+5: invalid lane index: 16 of 16 in i8x16.extract_lane_s (in function 0)");
  CHECK(verdict(build({.locals = "01 01 7b", .body = "20 00 fd 18 07 1a 20 00 fd 1d 01 1a"})) == "ok");
  CHECK(verdict(build({.locals = "01 01 7b", .body = "20 00 fd 1d 02 1a"})) ==
        "invalid at body+5: invalid lane index: 2 of 2 in i64x2.extract_lane (in function 0)");
  CHECK(verdict(build({.memories = "01 00 01", .locals = "01 01 7b", .body = "41 00 20 00 fd 55 00 00 08 1a"})) ==
        "invalid at body+7: invalid lane index: 8 of 8 in v128.load16_lane (in function 0)");
  CHECK(verdict(build(
            {.locals = "01 01 7b", .body = "20 00 20 00 fd 0d 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 20 1a"})) ==
        "invalid at body+7: invalid lane index: 32 of 32 in i8x16.shuffle (in function 0)");
}

TEST_CASE("tables: elements, sizes and copies by their types") {
  CHECK(verdict("(module (table 1 externref) (func (param externref) i32.const 0 local.get 0 table.set 0 i32.const 0 "
                "table.get 0 drop))") == "ok");
  CHECK(verdict("(module (table 1 funcref) (func (param externref) i32.const 0 local.get 0 table.set 0))") ==
        "invalid at body+5: type mismatch: instruction requires [i32 funcref] but stack has [i32 externref], in "
        "table.set (in function 0)");
  CHECK(verdict("(module (func i32.const 0 table.get 0 drop))") ==
        "invalid at body+3: unknown table 0: the module has 0 (in function 0)");
  CHECK(verdict("(module (table 1 funcref) (func (result i32) ref.null func i32.const 1 table.grow 0 table.size 0 "
                "i32.add))") == "ok");
  CHECK(verdict("(module (table 1 funcref) (table 1 externref) (func i32.const 0 i32.const 0 i32.const 0 table.copy 0 "
                "1))") ==
        "invalid at body+7: type mismatch: table.copy from a table of externref to a table of funcref (in function 0)");
  CHECK(verdict("(module (table 1 externref) (elem func) (func i32.const 0 i32.const 0 i32.const 0 table.init 0 0))") ==
        "invalid at body+7: type mismatch: table.init from a segment of (ref func) to a table of externref (in "
        "function 0)");
  CHECK(verdict("(module (func elem.drop 3))") ==
        "invalid at body+1: unknown elem segment 3: the module has 0 (in function 0)");
  CHECK(verdict("(module (table 1 funcref) (func i32.const 0 ref.null func i32.const 1 table.fill 0))") == "ok");
}

TEST_CASE("64-bit tables take 64-bit indices") {
  // (table i64 1 funcref): table.get, table.size, and table.copy with a 32-bit table
  CHECK(verdict(build({.tables = "02 70 04 01 70 00 01",
                       .body = "42 00 25 00 1a fc 10 00 50 1a 42 00 41 00 41 00 fc 0e 00 01"})) == "ok");
  CHECK(verdict(build({.tables = "01 70 04 01", .body = "41 00 25 00 1a"})) ==
        "invalid at body+3: type mismatch: instruction requires [i64] but stack has [i32], in table.get (in function "
        "0)");
}

TEST_CASE("opcodes that mean nothing are malformed") {
  CHECK(verdict(build({.body = "ff"})) == "malformed at body+1: illegal opcode ff (in function 0)");
  CHECK(verdict(build({.body = "fd 9a 01"})) == "malformed at body+1: illegal opcode fd 9a (in function 0)");
  CHECK(verdict(build({.body = "fb 1f"})) == "malformed at body+1: illegal opcode fb 1f (in function 0)");
  CHECK(verdict(build({.body = "27"})) == "malformed at body+1: illegal opcode 27 (in function 0)");
}

TEST_CASE("a body ends with the end of its function") {
  CHECK(verdict(build({.body = "0b 01"})) ==
        "malformed at body+2: unexpected content behind the end of the function: END opcode expected last (in function "
        "0)");
  CHECK(verdict(build({.body = "02 40"})) ==
        "malformed at body+4: unexpected end of section or function: END opcode expected (in function 0)");
  CHECK(verdict(build({.body = "41"})) ==
        "malformed at body+3: unexpected end of section or function: END opcode expected (in function 0)");
}

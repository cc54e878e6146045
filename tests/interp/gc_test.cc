// Objects and casts in every way that code is made and with every way of collecting: results and traps are the same.
// wabt does not write these modules, so they are in bytes.
#include <catch2/catch.hpp>

#include "machine.h"
#include "runtime/gc_heap.h"
#include "support/module_builder.h"

namespace wasi::interp::test {
namespace {

using namespace wasi::test;

// The types of all modules here:
//   0 $pair   (sub (struct (field $value (mut i32)) (field $next (mut (ref null $pair)))))
//   1 $triple (sub $pair (struct ... (field $more (mut i8))))
//   2 $bytes  (array (mut i8))
//   3 $list   (array (mut anyref))
//   4 $mixed  (struct (mut i16) (mut f32) (mut f64) (mut i64) (mut anyref) (mut i32))
//   5 (func (param i32) (result i32))
//   6 (func (param (ref $pair)))
//   7 $wide   (struct (mut i32) (mut v128))
//   8 $wides  (array (mut v128))
//   9 (func (param anyref)), of the one tag
//  10 (func (result anyref exnref))
constexpr std::string_view kTypes =
    "0b"
    "50 00 5f 02 7f 01 63 00 01"
    "50 01 00 5f 03 7f 01 63 00 01 78 01"
    "5e 78 01"
    "5e 6e 01"
    "5f 06 77 01 7d 01 7c 01 7e 01 6e 01 7f 01"
    "60 01 7f 01 7f"
    "60 01 64 00 00"
    "5f 02 7f 01 7b 01"
    "5e 7b 01"
    "60 01 6e 00"
    "60 00 02 6e 69";

// One function (param i32) (result i32), exported as "f".
Bytes one_function(std::string_view body) {
  return module({section(kTypeSection, hex(kTypes)), section(kFunctionSection, hex("01 05")),
                 section(kTagSection, hex("01 00 09")),
                 section(kExportSection, join(hex("01"), name("f"), hex("00 00"))),
                 section(kCodeSection, vec({sized(hex(body))}))});
}

void expect(std::string_view body, const Values& arguments, const Values& results) {
  for (const Mode mode : kModes) {
    for (const bool gc_stress : {false, true}) {
      INFO(describe(mode) << (gc_stress ? ", collecting at every allocation" : ""));
      Machine machine(mode, {}, gc_stress);
      machine.instantiate(one_function(body));
      for (std::size_t i = 0; i < arguments.size(); ++i) {
        CAPTURE(arguments[i]);
        CHECK(machine.value("f", {arguments[i]}) == results[i]);
      }
    }
  }
}

void expect_trap(std::string_view body, std::string_view message) {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(one_function(body));
    const auto results = machine.call("f", {0});
    REQUIRE_FALSE(results);
    CHECK(results.error().message == message);
  }
}

TEST_CASE("a list of structures that is built and then walked", "[gc]") {
  // locals: list (ref null $pair), sum i32
  // loop: list = struct.new $pair n list; n -= 1; br_if n
  // block: loop: br_on_null: sum += value; list = next; br
  expect(
      "02 01 63 00 01 7f"
      "03 40 20 00 20 01 fb 00 00 21 01 20 00 41 01 6b 22 00 0d 00 0b"
      "02 40 03 40 20 01 d5 01 fb 02 00 00 20 02 6a 21 02 20 01 fb 02 00 01 21 01 0c 00 0b 0b"
      "20 02 0b",
      {1, 2, 1000}, {1, 3, 500500});
}

TEST_CASE("br_on_non_null goes back with its value", "[gc]") {
  // (local.get 0 pairs, then) loop (param (ref null $pair)): drop it, count, br_on_non_null with its successor
  // locals: 1 list, 2 count
  expect(
      "02 01 63 00 01 7f"
      "03 40 20 00 20 01 fb 00 00 21 01 20 00 41 01 6b 22 00 0d 00 0b"
      "02 40 20 01 d5 00 03 06 21 01 20 02 41 01 6a 21 02 20 01 fb 02 00 01 d6 00 0b 0b"
      "20 02 0b",
      {1, 5}, {1, 5});
}

TEST_CASE("fields of every storage type keep their values", "[gc]") {
  // local 1: (ref null $mixed) = struct.new 0xFFF5 1.5 2.5 -7 (i31 9) x
  // get_s 0 + get_u 0 + trunc(f32) + trunc(f64) + wrap(i64) + i31 + i32
  expect(
      "01 01 63 04"
      "41 f5 ff 03 43 00 00 c0 3f 44 00 00 00 00 00 00 04 40 42 79 41 09 fb 1c 20 00 fb 00 04 21 01"
      "20 01 fb 03 04 00 20 01 fb 04 04 00 6a"
      "20 01 fb 02 04 01 a8 6a 20 01 fb 02 04 02 aa 6a 20 01 fb 02 04 03 a7 6a"
      "20 01 fb 02 04 04 fb 16 6c fb 1d 6a 20 01 fb 02 04 05 6a 0b",
      {0, 100}, {65519, 65619});
}

TEST_CASE("defaults are zero and null, also in memory that was used before", "[gc]") {
  // 200 rounds of: struct.new_default $mixed, filled at once; then one more must be empty.
  expect(
      "02 01 63 04 01 7f"
      "03 40 fb 01 04 22 01 42 7f fb 05 04 03 20 01 41 7f fb 05 04 05 20 02 41 01 6a 22 02 41 c8 01 48 0d 00 0b"
      "fb 01 04 21 01 20 01 fb 02 04 03 a7 20 01 fb 02 04 05 6a 20 01 fb 02 04 04 d1 41 01 6c 6a 0b",
      {0}, {1});
}

TEST_CASE("arrays: elements, length, fill and copy", "[gc]") {
  // local 1 = array.new $bytes 3 x; set [1] = -1; fill [2,4) with 7; copy [0,2) to [4,6); get_s 5 + get_u 1 + get 2 +
  // len
  expect(
      "01 01 63 02"
      "41 03 20 00 fb 06 02 21 01"
      "20 01 41 01 41 7f fb 0e 02 20 01 41 02 41 07 41 02 fb 10 02 20 01 41 04 20 01 41 00 41 02 fb 11 02 02"
      "20 01 41 05 fb 0c 02 20 01 41 01 fb 0d 02 6a 20 01 41 02 fb 0d 02 6a 20 01 fb 0f 6a 0b",
      {6, 10}, {255 + 7 - 1 + 6, 255 + 7 - 1 + 10});
}

TEST_CASE("vectors in structures and arrays", "[gc]") {
  // local 1 = struct.new $wide x (splat x), its vector doubled; local 2 = array.new_fixed of that and (splat 1);
  // [1] = [0] + [1]; lane 3 of [1] + x + lane 2 of (array.new (splat x) 3)[2]
  expect(
      "02 01 63 07 01 63 08"
      "20 00 20 00 fd 11 fb 00 07 21 01"
      "20 01 20 01 fb 02 07 01 20 01 fb 02 07 01 fd ae 01 fb 05 07 01"
      "20 01 fb 02 07 01 41 01 fd 11 fb 08 08 02 21 02"
      "20 02 41 01 20 02 41 00 fb 0b 08 20 02 41 01 fb 0b 08 fd ae 01 fb 0e 08"
      "20 02 41 01 fb 0b 08 fd 1b 03 20 01 fb 02 07 00 6a"
      "20 00 fd 11 41 03 fb 06 08 41 02 fb 0b 08 fd 1b 02 6a 0b",
      {5, 7}, {21, 29});
}

TEST_CASE("arrays of references keep what was put in", "[gc]") {
  // local 1 = array.new_default $list 50; [i] = i31(i) for all i, through a struct each; sum of get
  expect(
      "02 01 63 03 02 7f"
      "41 32 fb 07 03 21 01"
      "03 40 20 01 20 02 20 02 d0 00 fb 00 00 fb 0e 03 20 02 41 01 6a 22 02 41 32 48 0d 00 0b"
      "41 00 21 02"
      "03 40 20 03 20 01 20 02 fb 0b 03 fb 16 00 fb 02 00 00 6a 21 03 20 02 41 01 6a 22 02 41 32 48 0d 00 0b"
      "20 03 0b",
      {0}, {1225});
}

TEST_CASE("casts tell subtypes, supertypes and numbers apart", "[gc]") {
  // x == 0: $triple, 1: $pair, 2: i31, else null. Result: test $triple * 8 + test $pair * 4 + test i31 * 2 + is null
  expect(
      "01 01 6e"
      "20 00 45 04 40 41 01 d0 00 41 02 fb 00 01 21 01 0b"
      "20 00 41 01 46 04 40 41 01 d0 00 fb 00 00 21 01 0b"
      "20 00 41 02 46 04 40 41 05 fb 1c 21 01 0b"
      "20 01 fb 14 01 41 08 6c 20 01 fb 14 00 41 04 6c 6a 20 01 fb 14 6c 41 02 6c 6a 20 01 d1 6a 0b",
      {0, 1, 2, 3}, {12, 4, 2, 1});
}

TEST_CASE("br_on_cast and br_on_cast_fail branch with the reference", "[gc]") {
  // As above, then: block (result anyref) { block (result (ref $pair)) { x; br_on_cast 0 anyref (ref $pair);
  //   br_on_cast_fail 1 anyref i31ref ; drop; return 7 } ; struct.get value; return } drop 9
  expect(
      "01 01 6e"
      "20 00 45 04 40 41 03 d0 00 41 02 fb 00 01 21 01 0b"
      "20 00 41 01 46 04 40 fb 01 04 21 01 0b"
      "20 00 41 02 46 04 40 41 05 fb 1c 21 01 0b"
      "02 6e 02 64 00 20 01 fb 18 01 00 6e 00 fb 19 03 01 6e 6c 1a 41 07 0f 0b fb 02 00 00 0f 0b 1a 41 09 0b",
      {0, 1, 2, 3}, {3, 9, 7, 7});
}

TEST_CASE("references are equal when they are the same", "[gc]") {
  // x: a == a, a == b, i31 5 == i31 5
  expect(
      "01 01 63 00"
      "41 01 d0 00 fb 00 00 21 01"
      "20 01 20 01 d3 41 04 6c 20 01 41 01 d0 00 fb 00 00 d3 41 02 6c 6a 41 05 fb 1c 20 00 fb 1c d3 6a 0b",
      {5, 6}, {5, 4});
}

TEST_CASE("exceptions keep the objects that they carry", "[gc]") {
  // A $pair with x is thrown and caught; more objects are made; its value.
  expect("00 02 6e 1f 40 01 00 00 00 20 00 d0 00 fb 00 00 08 00 0b 00 0b fb 01 04 1a fb 16 00 fb 02 00 00 0b", {3},
         {3});
  // The same by way of an exnref in a local: what catch_ref gave is dropped, and the exception thrown again.
  expect(
      "01 01 69"
      "02 0a 1f 40 01 01 00 00 20 00 d0 00 fb 00 00 08 00 0b 00 0b 21 01 1a"
      "fb 01 04 1a fb 01 04 1a"
      "02 6e 1f 40 01 00 00 00 20 01 0a 0b 00 0b fb 16 00 fb 02 00 00 0b",
      {4, 5}, {4, 5});
}

TEST_CASE("traps of references", "[gc]") {
  expect_trap("00 d0 00 fb 02 00 00 0b", "null structure reference");
  expect_trap("00 d0 00 41 01 fb 05 00 00 41 00 0b", "null structure reference");
  expect_trap("00 d0 02 41 00 fb 0d 02 0b", "null array reference");
  expect_trap("00 d0 02 fb 0f 0b", "null array reference");
  expect_trap("00 d0 02 41 00 41 00 41 00 fb 10 02 41 00 0b", "null array reference");
  expect_trap("00 41 03 fb 07 02 41 03 fb 0d 02 0b", "out of bounds array access");
  expect_trap("00 41 03 fb 07 02 41 7f fb 0d 02 0b", "out of bounds array access");
  expect_trap("00 41 03 fb 07 02 41 02 41 00 41 02 fb 10 02 41 00 0b", "out of bounds array access");
  expect_trap("00 41 03 fb 07 02 41 7f 41 00 41 02 fb 10 02 41 00 0b", "out of bounds array access");
  expect_trap("00 d0 6c fb 1d 0b", "null i31 reference");
  expect_trap("00 d0 6c d4 fb 1d 0b", "null reference");
  expect_trap("00 41 01 fb 1c fb 16 00 fb 02 00 00 0b", "cast failure");
  expect_trap("00 41 01 d0 00 fb 00 00 fb 16 01 fb 02 01 00 0b", "cast failure");
  expect_trap("00 d0 6e fb 16 6c fb 1d 0b", "cast failure");
  expect_trap("00 41 00 d0 05 14 05 0b", "null function reference");
  expect_trap("00 41 00 d0 05 15 05 0b", "null function reference");
}

}  // namespace
}  // namespace wasi::interp::test

// What code functions become: each fusion in its smallest example.
#include <catch2/catch.hpp>

#include "machine.h"

namespace wasi::interp::test {
namespace {

std::string body(std::string_view text) {
  return code_of("(module (memory 1) (global $g (mut i32) (i32.const 0)) " + std::string(text) + ")");
}

TEST_CASE("operands are taken where they are", "[translator]") {
  CHECK(body("(func (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))") ==
        "0: i32_add_ss s2 s0 s1\n"
        "10: return_s s2\n");
  CHECK(body("(func (param i32) (result i32) (i32.mul (i32.const 7) (local.get 0)))") ==
        "0: i32_mul_sk s1 s0 7\n"
        "12: return_s s1\n");
  CHECK(body("(func (param i32) (result i32) (i32.sub (i32.const 7) (local.get 0)))") ==
        "0: i32_sub_ks s1 7 s0\n"
        "12: return_s s1\n");
}

TEST_CASE("an instruction writes the local that its result is for", "[translator]") {
  CHECK(body("(func (param i32) (local i32) (local.set 1 (i32.mul (local.get 0) (local.get 0))))") ==
        "0: i32_mul_ss s1 s0 s0\n"
        "10: return_none\n");
}

TEST_CASE("an entry that names a local outlives a write to it", "[translator]") {
  // The old value of the local is copied before the instruction that writes it.
  CHECK(body(R"((func (param i32) (result i32)
                  local.get 0
                  (local.set 0 (i32.mul (local.get 0) (i32.const 3)))))") ==
        "0: copy s1 s0\n"
        "8: i32_mul_sk s0 s0 3\n"
        "20: return_s s1\n");
}

TEST_CASE("wide arithmetic writes two slots, and no local instead of them", "[translator]") {
  CHECK(body("(func (param i64 i64) (result i64) (local i64) (i64.mul_wide_u (local.get 0) (local.get 1)) (local.set "
             "2))") ==
        "0: i64_mul_wide_u s3 s0 s1\n"
        "10: copy s2 s4\n"
        "18: return_s s3\n");
  CHECK(body("(func (param i64 i64) (local i64) (i64.mul_wide_s (local.get 0) (local.get 1)) drop (local.set 2))") ==
        "0: i64_mul_wide_s s3 s0 s1\n"
        "10: copy s2 s3\n"
        "18: return_none\n");
}

TEST_CASE("entries keep the values that their locals had", "[translator]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(R"((module
      (func (export "f") (param i32 i32) (result i32 i32 i32 i32 i32 i32)
        (local.get 0) (local.get 1) (local.get 0) (drop) (local.get 0) (local.get 1)
        (local.set 1 (i32.const 50))
        (local.get 0) (local.get 1)
        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
        (drop) (local.get 0))))");
    CHECK(machine.call("f", {3, 4}) == Values{3, 4, 3, 4, 3, 4});
  }
}

TEST_CASE("many values of a branch are moved by one instruction", "[translator]") {
  CHECK(body("(func (param i32) (result i32 i32 i32) (local.get 0) (i32.const 7) (i32.const 9))") ==
        "0: copy s1 s0\n"
        "8: const32 s2 7\n"
        "18: const32 s3 9\n"
        "28: copy_range s0 s1 3\n"
        "38: return_none\n");
  // They are brought into their slots once, however many branches there are.
  CHECK(body(R"((func (param i32)
                  (block (result i32 i32 i32)
                    (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
                    (br_if 0 (local.get 0)) (br_if 0 (local.get 0)) (br 0))
                  (drop) (drop) (drop)))") ==
        "0: const32 s2 2\n"
        "10: const32 s3 3\n"
        "20: const32 s4 4\n"
        "30: br_eqz_s s0 ->58\n"
        "40: copy_range s1 s2 3\n"
        "50: br ->104\n"
        "58: br_eqz_s s0 ->86\n"
        "68: copy_range s1 s2 3\n"
        "78: br ->104\n"
        "86: copy_range s1 s2 3\n"
        "96: br ->104\n"
        "104: return_none\n");
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(R"((module
      (func (export "f") (param i32) (result i32 i64 v128 i32)
        (block (result i32 i64 v128 i32)
          (i32.const 9)
          (i32.const 1) (i64.const 2) (v128.const i64x2 5 6) (i32.const 3)
          (br_if 0 (local.get 0))
          (drop) (i32.const 4)
          (br_if 0 (i32.eqz (local.get 0)))
          (unreachable)))))");
    CHECK(machine.call("f", {1}) == Values{1, 2, 5, 6, 3});
    CHECK(machine.call("f", {0}) == Values{1, 2, 5, 6, 4});
  }
}

TEST_CASE("comparison and branch are one instruction", "[translator]") {
  CHECK(body("(func (param i32) (block (br_if 0 (i32.lt_s (local.get 0) (i32.const 5))) (global.set $g (local.get "
             "0))))") ==
        "0: br_i32_lt_s_sk s0 5 ->24\n"
        "14: global_set_s s0 #0\n"
        "24: return_none\n");
  CHECK(body("(func (param i32) (if (i32.eqz (i32.lt_s (local.get 0) (i32.const 5))) (then (global.set $g (i32.const "
             "9)))))") ==
        "0: br_i32_lt_s_sk s0 5 ->26\n"
        "14: global_set_k 9 #0\n"
        "26: return_none\n");
  // The inverse of a comparison of floats is none: NaN.
  CHECK(body("(func (param f64 f64) (if (f64.lt (local.get 0) (local.get 1)) (then (global.set $g (i32.const 9)))))") ==
        "0: brn_f64_lt_ss s0 s1 ->24\n"
        "12: global_set_k 9 #0\n"
        "24: return_none\n");
}

TEST_CASE("values go through the accumulator where that saves a load", "[translator]") {
  CHECK(body("(func (param i32) (result i32) (i32.rotl (i32.mul (local.get 0) (i32.const 3)) (i32.const 5)))") ==
        "0: i32_mul_sk s1 s0 3\n"
        "12: i32_rotl_ak s1 5\n"
        "22: return_s s1\n");
}

TEST_CASE("addresses and values of stores", "[translator]") {
  CHECK(body("(func (param i32) (i64.store offset=8 (i32.const 16) (i64.const -1)))") ==
        "0: const32 s1 16\n"
        "10: i64_store_sk s1 -1 +8\n"
        "24: return_none\n");
  CHECK(body("(func (param i32) (i32.store8 offset=8 (i32.const 16) (local.get 0)))") ==
        "0: i32_store8_ks s0 +24\n"
        "10: return_none\n");
  CHECK(body("(func (result i32) (i32.load offset=8 (i32.const 16)))") ==
        "0: i32_load_k s0 +24\n"
        "10: return_s s0\n");
  // 2^32 + 15 is no 32-bit offset.
  CHECK(body("(func (result i32) (i32.load offset=16 (i32.const -1)))") ==
        "0: const32 s0 -1\n"
        "10: i32_load_s s0 s0 +16\n"
        "22: return_s s0\n");
}

TEST_CASE("what is live across a block is in its own slot", "[translator]") {
  CHECK(body("(func (param i32) (result i32) local.get 0 (block) i32.const 1 i32.add)") ==
        "0: copy s1 s0\n"
        "8: i32_add_sk s1 s1 1\n"
        "20: return_s s1\n");
}

TEST_CASE("plain code has one instruction per Wasm instruction", "[translator]") {
  CHECK(code_of("(module (func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))",
                {.style = CodeStyle::plain}) ==
        "0: copy s1 s0\n"
        "8: const32 s2 1\n"
        "18: i32_add_ss s1 s1 s2\n"
        "28: return_s s1\n");
}

TEST_CASE("a function has at most 65535 values at a time", "[translator]") {
  std::string wat = "(module (func (local";
  for (int i = 0; i < 50'000; ++i) wat += " i32";
  wat += ")";
  for (int i = 0; i < 16'000; ++i) wat += " local.get 0";
  for (int i = 0; i < 16'000; ++i) wat += " drop";
  CHECK(code_of(wat + "))") == "the function needs 66000 values at a time, and at most 65535 are supported\n");
}

TEST_CASE("fused instructions show their parts", "[translator]") {
  CHECK(code_of("(module (func (param i32) (result i32) (i32.add (local.get 0) (i32.const 5))))", {}) ==
        "0: i32_add_sk s1 s0 5\n"
        "12: + return_s s1\n");
}

}  // namespace
}  // namespace wasi::interp::test

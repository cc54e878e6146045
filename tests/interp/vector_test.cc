// Values of two slots, wherever values go: the model of the stack counts slots, not values.
#include <catch2/catch.hpp>

#include "machine.h"

namespace wasi::interp::test {
namespace {

// Two v128 as four slots.
const Values kTwo = {0x0706'0504'0302'0100, 0x0F0E'0D0C'0B0A'0908, 0x1716'1514'1312'1110, 0x1F1E'1D1C'1B1A'1918};
const Values kFirst = {kTwo[0], kTwo[1]};
const Values kSecond = {kTwo[2], kTwo[3]};

// Calls "run" in every mode.
template <class Check>
void in_all_modes(std::string_view wat, Check check) {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(wat);
    check(machine);
  }
}

Values run(Machine& machine, Values arguments) {
  const auto results = machine.call("run", arguments);
  REQUIRE(results.has_value());
  return *results;
}

Values with(Values values, std::initializer_list<std::uint64_t> more) {
  values.insert(values.end(), more);
  return values;
}

TEST_CASE("vectors among locals: the others are where they were", "[vector]") {
  in_all_modes(R"((module (func (export "run") (param i32 v128 i64 v128) (result i64 v128 i32 v128)
      (local v128 i32 v128)
      (local.set 5 (local.get 0))
      (local.set 4 (local.get 1))
      (local.set 1 (local.get 3))
      (local.set 3 (local.get 4))
      (local.get 2) (local.get 1) (local.get 5) (local.get 3))))",
               [](Machine& machine) { CHECK(run(machine, {7, 1, 2, 9, 3, 4}) == Values{9, 3, 4, 7, 1, 2}); });
  // Locals begin as zero.
  in_all_modes(R"((module (func (export "run") (param v128) (result v128 v128) (local i32 v128 v128 v128 v128 v128)
      (local.get 2) (local.get 6))))",
               [](Machine& machine) { CHECK(run(machine, kFirst) == Values{0, 0, 0, 0}); });
}

TEST_CASE("an entry that names a vector outlives a write to it", "[vector]") {
  in_all_modes(R"((module (func (export "run") (param v128 v128) (result v128 v128)
      (local.get 0) (local.set 0 (local.get 1)) (local.get 0))))",
               [](Machine& machine) { CHECK(run(machine, kTwo) == Values{kTwo[0], kTwo[1], kTwo[2], kTwo[3]}); });
  in_all_modes(R"((module (func (export "run") (param v128 v128) (result v128 v128)
      (local.get 0) (local.tee 0 (select (local.get 1) (local.get 0) (i32.const 1))))))",
               [](Machine& machine) { CHECK(run(machine, kTwo) == kTwo); });
}

TEST_CASE("blocks, loops and branches carry vectors", "[vector]") {
  in_all_modes(R"((module (func (export "run") (param v128 v128 i32) (result v128)
      (local.get 1)
      (block (param v128) (result v128)
        (br_if 0 (local.get 2))
        (drop) (local.get 0)))))",
               [](Machine& machine) {
                 CHECK(run(machine, with(kTwo, {1})) == kSecond);
                 CHECK(run(machine, with(kTwo, {0})) == kFirst);
               });
  // The branch takes its values over operands that lie between.
  in_all_modes(R"((module (func (export "run") (param v128 v128 i32) (result v128 i32 v128)
      (block (result v128 i32 v128)
        (i64.const 5) (local.get 1) (i32.const 6) (local.get 0)
        (br_if 0 (local.get 2))
        (drop) (drop) (drop) (drop)
        (local.get 0) (i32.const 7) (local.get 0)))))",
               [](Machine& machine) {
                 CHECK(run(machine, with(kTwo, {1})) == Values{kTwo[2], kTwo[3], 6, kTwo[0], kTwo[1]});
                 CHECK(run(machine, with(kTwo, {0})) == Values{kTwo[0], kTwo[1], 7, kTwo[0], kTwo[1]});
               });
  // Each turn exchanges the two, below a number.
  in_all_modes(R"((module (func (export "run") (param v128 v128 i32) (result v128 i64 v128) (local v128 i64)
      (local.get 0) (i64.const 0) (local.get 1)
      (loop (param v128 i64 v128) (result v128 i64 v128)
        (local.set 3) (local.set 4) (local.set 0)
        (local.get 3) (i64.add (local.get 4) (i64.const 1)) (local.get 0)
        (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1))))))))",
               [](Machine& machine) {
                 CHECK(run(machine, with(kTwo, {4})) == Values{kTwo[0], kTwo[1], 4, kTwo[2], kTwo[3]});
                 CHECK(run(machine, with(kTwo, {5})) == Values{kTwo[2], kTwo[3], 5, kTwo[0], kTwo[1]});
               });
  in_all_modes(R"((module (func (export "run") (param v128 v128 i32) (result v128)
      (if (result v128) (local.get 2) (then (local.get 0)) (else (return (local.get 1)))))))",
               [](Machine& machine) {
                 CHECK(run(machine, with(kTwo, {1})) == kFirst);
                 CHECK(run(machine, with(kTwo, {0})) == kSecond);
               });
}

TEST_CASE("a branch table carries vectors to labels of different heights", "[vector]") {
  in_all_modes(R"((module (func (export "run") (param v128 i32) (result v128 i32)
      (i32.const 100)
      (block $outer (result v128)
        (i64.const 1)
        (block $inner (result v128)
          (i32.const 2)
          (br_table $inner $outer (local.get 0) (local.get 1)))
        (return (i32.const 50)))
      (local.set 0) (local.set 1)
      (local.get 0) (local.get 1))))",
               [](Machine& machine) {
                 CHECK(run(machine, with(kFirst, {0})) == with(kFirst, {50}));
                 CHECK(run(machine, with(kFirst, {1})) == with(kFirst, {100}));
                 CHECK(run(machine, with(kFirst, {9})) == with(kFirst, {100}));
               });
}

TEST_CASE("calls take and give vectors", "[vector]") {
  in_all_modes(R"((module
      (type $swap (func (param v128 i32 v128) (result v128 i32 v128)))
      (table funcref (elem $swap))
      (func $swap (type $swap) (local.get 2) (i32.add (local.get 1) (i32.const 1)) (local.get 0))
      (func $tail (type $swap) (return_call $swap (local.get 0) (local.get 1) (local.get 2)))
      (func $tail_indirect (type $swap)
        (local.get 2) (local.get 1) (local.get 0) (return_call_indirect (type $swap) (i32.const 0)))
      (func (export "run") (param v128 v128) (result i64 v128 i32 v128)
        (i64.const 8)
        (local.get 0) (i32.const 1) (local.get 1)
        (call $swap)
        (call_indirect (type $swap) (i32.const 0))
        (call $tail)
        (call $tail_indirect))))",
               [](Machine& machine) { CHECK(run(machine, kTwo) == Values{8, kTwo[2], kTwo[3], 5, kTwo[0], kTwo[1]}); });
}

TEST_CASE("a host function takes and gives vectors", "[vector]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.define("swap", {wasm::kV128, wasm::kI32, wasm::kV128}, {wasm::kV128, wasm::kV128},
                   [](void* /*data*/, runtime::HostCall& call) -> std::optional<Trap> {
                     CHECK(call.slots[2].u32 == 6);
                     for (int i = 0; i < 2; ++i) {
                       const std::uint64_t low = call.slots[i].u64;
                       call.slots[i].u64 = call.slots[3 + i].u64;
                       call.slots[3 + i].u64 = low;
                     }
                     for (int i = 0; i < 2; ++i) call.slots[2 + i] = call.slots[3 + i];
                     return std::nullopt;
                   });
    machine.instantiate(R"((module
        (import "env" "swap" (func $swap (param v128 i32 v128) (result v128 v128)))
        (func (export "run") (param v128 v128) (result i32 v128 v128)
          (i32.const 3) (call $swap (local.get 0) (i32.const 6) (local.get 1)))))");
    CHECK(run(machine, kTwo) == Values{3, kTwo[2], kTwo[3], kTwo[0], kTwo[1]});
  }
}

TEST_CASE("select, drop and globals take vectors", "[vector]") {
  in_all_modes(R"((module (func (export "run") (param v128 v128 i32) (result i32 v128 v128 i32)
      (i32.const 1)
      (select (local.get 0) (local.get 1) (local.get 2))
      (drop (local.get 0))
      (select (result v128) (local.get 1) (local.get 0) (local.get 2))
      (i32.const 2))))",
               [](Machine& machine) {
                 CHECK(run(machine, with(kTwo, {1})) == Values{1, kTwo[0], kTwo[1], kTwo[2], kTwo[3], 2});
                 CHECK(run(machine, with(kTwo, {0})) == Values{1, kTwo[2], kTwo[3], kTwo[0], kTwo[1], 2});
               });
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    machine.instantiate(R"((module (global (export "c") v128 (v128.const i64x2 1 2))))", "a");
    machine.instantiate(R"((module
        (import "a" "c" (global $c v128))
        (global $copy v128 (global.get $c))
        (global $g (mut v128) (v128.const i32x4 1 2 3 4))
        (func (export "run") (param v128) (result v128 v128 v128)
          (global.get $g) (global.set $g (local.get 0)) (global.get $g) (global.get $copy))))");
    CHECK(run(machine, kFirst) == Values{0x2'0000'0001, 0x4'0000'0003, kTwo[0], kTwo[1], 1, 2});
  }
}

TEST_CASE("accumulators do not outlive a vector that is written over them", "[vector]") {
  // The sum lies where the vector's upper half will.
  in_all_modes(R"((module (func (export "run") (param v128 i32) (result i32 i32) (local v128)
      (i64.const 1) (i32.add (local.get 1) (i32.const 1)) (local.set 1)
      (drop)
      (local.get 0) (local.set 2)
      (local.get 1) (i32.mul (local.get 1) (i32.const 2)))))",
               [](Machine& machine) { CHECK(run(machine, with(kFirst, {4})) == Values{5, 10}); });
}

TEST_CASE("what was just computed comes from the accumulator, what was only moved does not", "[vector]") {
  CHECK(code_of("(module (func (param v128) (result v128) (v128.not (i8x16.add (local.get 0) (local.get 0)))))") ==
        "0: i8x16_add_ss s2 s0 s0\n"
        "10: v128_not_a s2\n"
        "16: copy_v128 s0 s2\n"
        "24: return_none\n");
  // Locals, globals and selected values pass between the sum and its use.
  in_all_modes(R"((module (global $g (mut v128) (v128.const i64x2 0 0))
    (func (export "run") (param v128 v128) (result v128) (local v128)
      (local.set 0 (i64x2.add (local.get 0) (local.get 1)))
      (local.set 2 (local.get 1))
      (global.set $g (local.get 2))
      (local.set 2 (global.get $g))
      (local.set 1 (select (local.get 2) (local.get 0) (i32.const 1)))
      (i64x2.sub (local.get 0) (local.get 1)))))",
               [](Machine& machine) { CHECK(run(machine, kTwo) == kFirst); });
  // The second sum is written over the first one's upper half.
  in_all_modes(R"((module (func (export "run") (param v128 v128) (result i64 v128)
      (drop (i64x2.add (local.get 0) (local.get 1)))
      (i64.const 9)
      (i64x2.sub (i64x2.add (local.get 0) (local.get 1)) (local.get 1)))))",
               [](Machine& machine) { CHECK(run(machine, kTwo) == Values{9, kTwo[0], kTwo[1]}); });
}

TEST_CASE("vectors are moved as vectors", "[vector]") {
  CHECK(code_of("(module (func (param i32 v128 v128) (result v128) (local.set 1 (local.get 2)) (local.get 1)))") ==
        "0: copy_v128 s1 s3\n"
        "8: copy_v128 s0 s1\n"
        "16: return_none\n");
}

}  // namespace
}  // namespace wasi::interp::test

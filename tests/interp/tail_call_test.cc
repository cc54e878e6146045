// Tail calls in every form: of this instance's functions and of others', of the host's, a million deep.
#include <catch2/catch.hpp>

#include "machine.h"
#include "runtime/host_function.h"

namespace wasi::interp::test {
namespace {

using runtime::HostCall;

// A store whose stack would not hold a hundredth of the calls.
struct TailCalls {
  Mode mode = GENERATE(from_range(std::begin(kModes), std::end(kModes)));
  Machine machine{mode, {.stack_bytes = 64 << 10}};
};

constexpr std::uint64_t kDeep = 1'000'000;

TEST_CASE_METHOD(TailCalls, "a million tail calls take no stack", "[tail]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (type $t (func (param i64 i64) (result i64)))
    (table funcref (elem $even $odd $indirect))
    (func $even (export "direct") (type $t)
      (if (result i64) (i64.eqz (local.get 0))
        (then (i64.mul (local.get 1) (i64.const 2)))
        (else (return_call $odd (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 1))))))
    (func $odd (type $t)
      (if (result i64) (i64.eqz (local.get 0))
        (then (i64.add (i64.mul (local.get 1) (i64.const 2)) (i64.const 1)))
        (else (return_call $even (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 1))))))
    (func $indirect (export "indirect") (type $t)
      (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
      (return_call_indirect (type $t) (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 1))
        (i32.const 2)))
    ;; More parameters, then fewer.
    (func $many (param i64 i64 i64 i64 i64 i64) (result i64)
      (return_call $few (i64.sub (local.get 5) (i64.const 1)) (i64.add (local.get 0) (i64.const 1))))
    (func $few (export "changing") (type $t)
      (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
      (return_call $many (local.get 1) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (local.get 0)))
    ;; Arguments change places.
    (func $swap (export "swap") (param i64 i64 i64) (result i64)
      (if (i64.eqz (local.get 2)) (then (return (i64.sub (local.get 0) (local.get 1)))))
      (return_call $swap (local.get 1) (local.get 0) (i64.sub (local.get 2) (i64.const 1))))))");
  CHECK(machine.value("direct", {kDeep, 0}) == 2 * kDeep);
  CHECK(machine.value("direct", {kDeep + 1, 0}) == 2 * (kDeep + 1) + 1);
  CHECK(machine.value("indirect", {kDeep, 5}) == kDeep + 5);
  CHECK(machine.value("changing", {kDeep, 5}) == kDeep + 5);
  CHECK(machine.value("swap", {10, 3, kDeep}) == 7);
  CHECK(machine.value("swap", {10, 3, kDeep + 1}) == static_cast<std::uint64_t>(-7));
}

TEST_CASE_METHOD(TailCalls, "a million tail calls between instances take no stack", "[tail]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (type $t (func (param i64) (result i64)))
    (table (export "table") 2 funcref)
    (elem (i32.const 0) $step)
    (memory 1)
    (data (i32.const 0) "\01")
    (func $step (export "step") (type $t)
      (if (i64.eqz (local.get 0)) (then (return (i64.load8_u (i32.const 0)))))
      (return_call_indirect (type $t) (i64.sub (local.get 0) (i64.const 1)) (i32.const 1)))))",
                      "one");
  machine.instantiate(R"((module
    (type $t (func (param i64) (result i64)))
    (import "one" "table" (table 2 funcref))
    (import "one" "step" (func $other (type $t)))
    (elem (i32.const 1) $step)
    (memory 1)
    (data (i32.const 0) "\02")
    (func $step (type $t)
      (if (i64.eqz (local.get 0)) (then (return (i64.load8_u (i32.const 0)))))
      (return_call $other (i64.sub (local.get 0) (i64.const 1))))
    ;; What it finds behind the call is its own again.
    (func (export "run") (type $t)
      (i64.add (call $step (local.get 0)) (i64.mul (i64.const 10) (i64.load8_u (i32.const 0)))))
    (func (export "indirect") (type $t)
      (i64.add (call_indirect (type $t) (local.get 0) (i32.const 1))
        (i64.mul (i64.const 10) (i64.load8_u (i32.const 0)))))))");
  CHECK(machine.value("run", {kDeep}) == 22);
  CHECK(machine.value("run", {kDeep + 1}) == 21);
  CHECK(machine.value("indirect", {kDeep}) == 22);
  CHECK(machine.value("indirect", {kDeep + 1}) == 21);
}

TEST_CASE_METHOD(TailCalls, "the host's functions are called in tail position like any other", "[tail]") {
  INFO(describe(mode));
  machine.define("add", {wasm::kI64, wasm::kI64}, {wasm::kI64}, [](void*, HostCall& call) -> std::optional<Trap> {
    call.slots[0].u64 += call.slots[1].u64;
    return std::nullopt;
  });
  // More results than parameters.
  machine.define("split", {wasm::kI64}, {wasm::kI64, wasm::kI64, wasm::kI64},
                 [](void*, HostCall& call) -> std::optional<Trap> {
                   const std::uint64_t value = call.slots[0].u64;
                   for (unsigned i = 0; i < 3; ++i) call.slots[i].u64 = value + i;
                   return std::nullopt;
                 });
  machine.instantiate(R"((module
    (type $binary (func (param i64 i64) (result i64)))
    (import "env" "add" (func $add (type $binary)))
    (import "env" "split" (func $split (param i64) (result i64 i64 i64)))
    (table funcref (elem $add))
    (func $direct (export "direct") (param i64) (result i64) (return_call $add (local.get 0) (i64.const 1)))
    (func $indirect (export "indirect") (param i64) (result i64)
      (return_call_indirect (type $binary) (local.get 0) (i64.const 2) (i32.const 0)))
    (func $three (result i64 i64 i64) (return_call $split (i64.const 100)))
    (func (export "sum") (param i64) (result i64)
      (i64.const 1000)
      (call $three) (i64.add) (i64.add) (i64.add)
      (i64.add (call $direct (local.get 0)))
      (i64.add (call $indirect (local.get 0))))
    (func $loop (export "loop") (param i64 i64) (result i64)
      (if (i64.eqz (local.get 0)) (then (return_call $add (local.get 1) (i64.const 7))))
      (return_call $loop (i64.sub (local.get 0) (i64.const 1)) (call $add (local.get 1) (i64.const 1))))))");
  CHECK(machine.value("direct", {41}) == 42);
  CHECK(machine.value("indirect", {40}) == 42);
  CHECK(machine.value("sum", {5}) == 1000 + 303 + 6 + 7);
  CHECK(machine.value("loop", {kDeep, 0}) == kDeep + 7);
}

TEST_CASE_METHOD(TailCalls, "a tail call of another instance's function from the host's entry comes back", "[tail]") {
  INFO(describe(mode));
  machine.instantiate(R"((module (func (export "f") (param i64 i64 i64) (result i64 i64)
    (i64.add (local.get 0) (local.get 1)) (local.get 2))))",
                      "lib");
  machine.instantiate(R"((module
    (import "lib" "f" (func $f (param i64 i64 i64) (result i64 i64)))
    (func (export "run") (param i64) (result i64 i64)
      (return_call $f (local.get 0) (i64.const 10) (i64.const 20)))))");
  CHECK(machine.call("run", {5}).value() == Values{15, 20});
}

TEST_CASE_METHOD(TailCalls, "a tail call traps where an ordinary one would", "[tail]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (type $t (func)) (type $other (func (param i32)))
    (table 3 funcref)
    (elem (i32.const 0) $wrong)
    (func $wrong (param i32))
    (func (export "type") (return_call_indirect (type $t) (i32.const 0)))
    (func (export "null") (return_call_indirect (type $t) (i32.const 1)))
    (func (export "outside") (return_call_indirect (type $t) (i32.const 3)))
    (func $big (local i64 i64 i64 i64 i64 i64 i64 i64) (call $big))
    (func (export "overflow") (return_call $big))))");
  CHECK(machine.trap("type").starts_with("indirect call type mismatch"));
  CHECK(machine.trap("null").starts_with("uninitialized element 1"));
  CHECK(machine.trap("outside").starts_with("undefined element 3"));
  CHECK(machine.trap("overflow").starts_with("call stack exhausted"));
}

}  // namespace
}  // namespace wasi::interp::test

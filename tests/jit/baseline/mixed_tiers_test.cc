// Modules of which some functions have machine code and others none: what passes between the two worlds.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "mixed_world.h"
#include "runtime/instance.h"
#include "runtime/store.h"

namespace wasi::jit::baseline {
namespace {

using runtime::Instance;
using runtime::Slot;

using World = MixedWorld;

bool has_machine_code(Instance& instance, std::uint32_t function) {
  return instance.code->code(wasm::FuncIndex(function)).native_code.load() != nullptr;
}

constexpr std::uint64_t kManyCalls = 1'000'000;

TEST_CASE("tail calls between machine code and the interpreter take no room, however often they go back and forth") {
  World world;
  // $i_even and $odd alternate.
  Instance& instance = world.instantiate(R"((module
    (func $i_even (export "even") (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then (return (i64.const 1))))
      (return_call $odd (i64.sub (local.get 0) (i64.const 1))))
    (func $odd (export "odd") (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then (return (i64.const 0))))
      (return_call $i_even (i64.sub (local.get 0) (i64.const 1))))
    (func $i_calls_even (export "i_calls_even") (param i64) (result i64)
      (i64.add (call $i_even (local.get 0)) (i64.const 10)))
    (func $i_calls_odd (export "i_calls_odd") (param i64) (result i64)
      (i64.add (call $odd (local.get 0)) (i64.const 10)))
    (func $calls_even (export "calls_even") (param i64) (result i64)
      (i64.add (call $i_even (local.get 0)) (i64.const 20)))))");
  CHECK(world.call(instance, "even", kManyCalls) == 1);
  CHECK(world.call(instance, "odd", kManyCalls) == 0);
  CHECK(world.call(instance, "i_calls_even", kManyCalls) == 11);
  CHECK(world.call(instance, "i_calls_odd", kManyCalls) == 10);
  CHECK(world.call(instance, "calls_even", kManyCalls + 1) == 20);
  CHECK_FALSE(has_machine_code(instance, 0));
  CHECK(has_machine_code(instance, 1));
}

TEST_CASE("tail calls between the worlds bring arguments of every kind") {
  World world;
  // More of each than there are registers; rotated at each call.
  const std::string params =
      "(param i64 i32 i64 i32 i64 i32 i64 f32 f64 f32 f64 f32 f64 f32 f64 f32 f64 v128 v128 v128 i64)";
  const std::string rotated = R"(
      (i64.add (local.get 2) (i64.const 1)) (i32.wrap_i64 (local.get 0)) (local.get 4) (local.get 1)
      (local.get 6) (local.get 3) (i64.extend_i32_u (local.get 5))
      (local.get 9) (local.get 10) (local.get 11) (local.get 12) (local.get 13) (local.get 14) (local.get 15)
      (local.get 16) (local.get 7) (local.get 8) (local.get 18) (local.get 19) (local.get 17)
      (i64.sub (local.get 20) (i64.const 1)))";
  const std::string folded = R"(
      (i64.add (local.get 0) (i64.mul (i64.const 3) (i64.extend_i32_u (local.get 1))))
      (i64.add (i64.mul (i64.const 5) (local.get 2)))
      (i64.add (i64.mul (i64.const 7) (i64.extend_i32_u (local.get 3))))
      (i64.add (i64.mul (i64.const 11) (local.get 4)))
      (i64.add (i64.mul (i64.const 13) (i64.extend_i32_u (local.get 5))))
      (i64.add (i64.mul (i64.const 17) (local.get 6)))
      (i64.add (i64.trunc_f32_s (f32.add (local.get 7) (f32.mul (f32.const 100) (local.get 9)))))
      (i64.add (i64.trunc_f64_s (f64.add (local.get 8) (f64.mul (f64.const 1000) (local.get 16)))))
      (i64.add (i64.mul (i64.const 19) (i64x2.extract_lane 1 (local.get 17))))
      (i64.add (i64.mul (i64.const 23) (i64x2.extract_lane 0 (local.get 19)))))";
  const auto module = [&](std::string_view first, std::string_view second) {
    std::string wat = "(module ";
    for (const auto& [self, other] : {std::pair(first, second), std::pair(second, first)}) {
      wat += "(func $" + std::string(self) + params + "(result i64) (if (i64.eqz (local.get 20)) (then (return " +
             folded + "))) (return_call $" + std::string(other) + rotated + "))";
    }
    return wat + R"((func $i_start (export "f") (param i64) (result i64)
      (return_call $)" +
           std::string(first) +
           R"( (i64.const 100) (i32.const 2) (i64.const 300) (i32.const 4) (i64.const 500) (i32.const 6)
        (i64.const 700) (f32.const 8) (f64.const 9) (f32.const 10) (f64.const 11) (f32.const 12) (f64.const 13)
        (f32.const 14) (f64.const 15) (f32.const 16) (f64.const 17) (v128.const i64x2 18 19) (v128.const i64x2 20 21)
        (v128.const i64x2 22 23) (local.get 0)))))";
  };
  Instance& interpreted = world.instantiate(module("i_a", "i_b"));
  Instance& compiled = world.instantiate(module("a", "b"));
  Instance& mixed = world.instantiate(module("i_a", "b"));
  Instance& mixed_otherwise = world.instantiate(module("a", "i_b"));
  for (const std::uint64_t times : {0, 1, 2, 3, 10, 1000, 50'000}) {
    const auto expected = world.call(interpreted, "f", times);
    REQUIRE(expected.has_value());
    CHECK(world.call(compiled, "f", times) == *expected);
    CHECK(world.call(mixed, "f", times) == *expected);
    CHECK(world.call(mixed_otherwise, "f", times) == *expected);
  }
}

TEST_CASE("tail calls between the worlds go to other instances, through tables and references") {
  World world;
  Instance& other = world.instantiate(R"((module
    (type $t (func (param i64) (result i64)))
    (table (export "table") 1 funcref)
    (global (export "global") (mut i64) (i64.const 7))
    (func $odd (export "odd") (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then (return (global.get 0))))
      (return_call_indirect (type $t) (i64.sub (local.get 0) (i64.const 1)) (i32.const 0)))))");
  Instance& instance = world.instantiate(R"((module
    (type $t (func (param i64) (result i64)))
    (import "other" "odd" (func $odd (type $t)))
    (import "other" "table" (table 1 funcref))
    (global i64 (i64.const 8))
    (elem (i32.const 0) func $i_even)
    (elem declare func $odd)
    (func $i_even (export "even") (type $t)
      (if (i64.eqz (local.get 0)) (then (return (global.get 0))))
      (if (i64.ne (i64.and (local.get 0) (i64.const 2)) (i64.const 0))
        (then (return_call $odd (i64.sub (local.get 0) (i64.const 1)))))
      (return_call_ref $t (i64.sub (local.get 0) (i64.const 1)) (ref.func $odd)))
    (func $i_caller (export "caller") (type $t) (i64.add (call $i_even (local.get 0)) (global.get 0)))))",
                                         {*other.find_export("odd"), *other.find_export("table")});
  CHECK(world.call(instance, "even", kManyCalls) == 8);
  CHECK(world.call(instance, "even", kManyCalls + 1) == 7);
  CHECK(world.call(other, "odd", kManyCalls) == 7);
  CHECK(world.call(instance, "caller", kManyCalls) == 16);
}

TEST_CASE("traps and exceptions behind tail calls between the worlds go to who called the first") {
  World world;
  Instance& instance = world.instantiate(R"((module
    (tag $e (param i64))
    (func $i_even (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then (throw $e (i64.const 42))))
      (return_call $odd (i64.sub (local.get 0) (i64.const 1))))
    (func $odd (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then unreachable))
      (return_call $i_even (i64.sub (local.get 0) (i64.const 1))))
    (func $catches (export "catches") (param i64) (result i64)
      (block $handler (result i64)
        (try_table (result i64) (catch $e $handler) (call $i_even (local.get 0)))))
    (func $i_catches (export "i_catches") (param i64) (result i64)
      (block $handler (result i64)
        (try_table (result i64) (catch $e $handler) (call $i_even (local.get 0)))))))");
  for (int i = 0; i < 3; ++i) {
    for (const std::string_view function : {"catches", "i_catches"}) {
      CHECK(world.call(instance, function, 1000) == 42);
      const auto trapped = world.call(instance, function, 1001);
      REQUIRE_FALSE(trapped);
      CHECK(trapped.error().code == TrapCode::unreachable);
      CHECK(trapped.error().backtrace.size() == 2);
      CHECK(world.store.exec().thrown == nullptr);
      CHECK(world.store.exec().top == nullptr);
    }
  }
}

TEST_CASE("an endless chain of tail calls between the worlds is stopped") {
  World world;
  Instance& instance = world.instantiate(R"((module
    (func $i_ping (export "f") (param i64) (result i64) (return_call $pong (local.get 0)))
    (func $pong (param i64) (result i64) (return_call $i_ping (local.get 0)))))");
  world.store.keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  const auto stopped = world.call(instance, "f", 0);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == TrapCode::deadline_exceeded);
}

TEST_CASE("a host function between the two worlds is what a tail call returns to") {
  World world;
  struct Data {
    Instance* instance = nullptr;
  } data;
  const auto type = world.store.registry().add_func({{wasm::kI64}, {wasm::kI64}});
  runtime::HostFunction* const host = world.store.add_host_function(
      type->id(),
      [](void* data_pointer, runtime::HostCall& call) -> std::optional<Trap> {
        std::vector<Slot> slots(1);
        slots[0].u64 = call.slots[0].u64;
        auto& even = *static_cast<Data*>(data_pointer)->instance->find_export("even")->func;
        if (const auto done = call.store.call(even, slots); !done) return done.error();
        call.slots[0].u64 = slots[0].u64 + 1000;
        return std::nullopt;
      },
      std::shared_ptr<void>(&data, [](void*) {}));
  Instance& instance = world.instantiate(R"((module
    (import "host" "f" (func $host (param i64) (result i64)))
    (func $i_even (export "even") (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then (return (i64.const 1))))
      (return_call $odd (i64.sub (local.get 0) (i64.const 1))))
    (func $odd (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then (return (i64.const 0))))
      (return_call $i_even (i64.sub (local.get 0) (i64.const 1))))
    (func $calls (export "calls") (param i64) (result i64)
      (i64.add (call $host (local.get 0)) (i64.const 20000)))))",
                                         {runtime::External(&host->ref)});
  data.instance = &instance;
  CHECK(world.call(instance, "calls", 10) == 21001);
  CHECK(world.call(instance, "calls", kManyCalls + 1) == 21000);
}

TEST_CASE("a poll that goes on keeps what locals have in registers") {
  World world;
  int put_back = 0;
  const auto type = world.store.registry().add_func({{wasm::kI64}, {wasm::kI64}});
  runtime::HostFunction* const host = world.store.add_host_function(
      type->id(),
      [](void* data, runtime::HostCall& call) -> std::optional<Trap> {
        if (call.store.exec().stack_limit.exchange(UINTPTR_MAX) != UINTPTR_MAX) ++*static_cast<int*>(data);
        return std::nullopt;
      },
      std::shared_ptr<void>(&put_back, [](void*) {}));
  // $mix polls in its loops, $calls in the one around.
  const auto functions = [](const std::string& prefix) {
    return "(func $" + prefix + R"(mix (param $n i64) (result i64)
      (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $e i64) (local $f i64) (local $p i32)
      (local $x f64) (local $y f64) (local $v v128)
      (loop $outer
        (local.set $e (i64.xor (local.get $e) (local.get $n)))
        (local.set $p (i32.const 5))
        (loop $inner
          (local.set $a (i64.add (local.get $a) (i64.load offset=8 (local.get $p))))
          (local.set $b (i64.xor (i64.rotl (local.get $b) (i64.const 7)) (local.get $a)))
          (local.set $c (i64.sub (local.get $c) (local.get $b)))
          (local.set $d (i64.mul (i64.add (local.get $d) (local.get $c)) (i64.const 0x9e3779b97f4a7c15)))
          (local.set $f (i64.add (local.get $f) (local.get $d)))
          (local.set $x (f64.add (local.get $x) (f64.const 1.5)))
          (local.set $y (f64.add (local.get $y) (local.get $x)))
          (local.set $v (i64x2.add (local.get $v) (i64x2.splat (local.get $f))))
          (i64.store offset=8 (local.get $p) (local.get $f))
          (br_if $inner (local.tee $p (i32.sub (local.get $p) (i32.const 1)))))
        (br_if $outer (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
      (i64.xor
        (i64.add (local.get $e) (i64.add (local.get $f) (i64.reinterpret_f64 (local.get $y))))
        (i64x2.extract_lane 1 (local.get $v))))
    (func (export ")" +
           prefix + R"(calls") (param $n i64) (result i64) (local $sum i64)
      (i64.store offset=8 (i32.const 3) (i64.const 0))
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 64))
      (loop $again
        (local.set $n (call $host (local.get $n)))
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (call $)" +
           prefix + R"(mix (local.get $n))))
        (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
      (local.get $sum)))";
  };
  Instance& instance =
      world.instantiate("(module (import \"host\" \"f\" (func $host (param i64) (result i64))) (memory 1)" +
                            functions("i_") + functions("") + ")",
                        {runtime::External(&host->ref)});
  const auto expected = world.call(instance, "i_calls", 20);
  REQUIRE(expected.has_value());
  put_back = 0;
  CHECK(world.call(instance, "calls", 20) == *expected);
  CHECK(put_back == 20);
  CHECK(has_machine_code(instance, 3));
}

}  // namespace
}  // namespace wasi::jit::baseline

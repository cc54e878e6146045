// Loops that are left for machine code at their heads (on-stack replacement), and functions that become others while
// they are called: the results, traps and exceptions are those of a program that never left the interpreter.
#include <catch2/catch.hpp>
#include <thread>

#include "interp/isa.h"
#include "loop_tier.h"
#include "machine.h"
#include "runtime/exception.h"
#include "runtime/module_code.h"
#include "runtime/trap_raise.h"
#include "text/text.h"

namespace wasi::interp::test {

namespace {

using runtime::ExecState;
using runtime::FunctionCode;
using runtime::Slot;
using runtime::TierPolicy;
using runtime::VmContext;

// By our own encoder: wabt does not know all instructions.
std::vector<std::uint8_t> binary_of(std::string_view wat) { return text::encode_module(wat).value(); }

// A machine in which every loop is left at its first branch back.
struct World {
  explicit World(runtime::TierPolicyOptions options = kAtOnce, Mode mode = {}, runtime::StoreLimits limits = {})
      : World(std::make_unique<LoopTier>(make_interpreter({.style = mode.style})), options, mode, limits) {}

  LoopTier& tier;
  TierPolicy policy;
  Machine machine;

 private:
  World(std::unique_ptr<LoopTier> own, runtime::TierPolicyOptions options, Mode mode, runtime::StoreLimits limits)
      : tier(*own), policy(*own, options), machine(std::move(own), &policy, mode, limits) {}
};

constexpr std::string_view kSum = R"((module
  (func (export "sum") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func (export "twice") (param i64) (result i64)
    (i64.add (call 0 (local.get 0)) (call 0 (local.get 0)))))
)";

TEST_CASE("a loop is left at its head, with its frame as it is and without its record") {
  World world;
  world.machine.instantiate(binary_of(kSum));
  ExecState& exec = world.machine.store().exec();
  int times = 0;
  world.tier.rest = [&](VmContext* vm, Slot* slots, FunctionCode& self) {
    ++times;
    CHECK(vm == &world.machine.newest().vm);
    CHECK(self.index == 0);
    CHECK(exec.top == nullptr);
    CHECK(slots[0].u64 == 9);   // $n
    CHECK(slots[1].u64 == 10);  // $sum
    slots[0].u64 = 1234;
  };
  CHECK(world.machine.value("sum", {10}) == 1234);
  CHECK(times == 1);
  CHECK(exec.top == nullptr);
}

TEST_CASE("behind a loop that was left its caller goes on in the interpreter") {
  World world;
  world.machine.instantiate(binary_of(kSum));
  CHECK(world.machine.value("twice", {10}) == 110);
  CHECK(world.machine.value("sum", {100}) == 5050);
  CHECK(world.tier.times_left() > 2);
}

// What stands at these offsets of the module is a `loop`.
TEST_CASE("loops are named by their instruction, whatever branches back to them") {
  const Mode mode = GENERATE(from_range(std::begin(kModes), std::end(kModes)));
  INFO(describe(mode));
  World world(kAtOnce, mode);
  const std::vector<std::uint8_t> binary = binary_of(R"((module
    (func (export "f") (param $n i32) (result i32) (local $i i32) (local $x f64) (local $sum i32)
      (loop $br
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (block $out
          (br_if $out (i32.ge_u (local.get $i) (local.get $n)))
          (br $br)))
      (loop $if_not_zero
        (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
        (br_if $if_not_zero (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (loop $if_zero
        (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
        (br_if $if_zero (i32.eqz (i32.and (local.get $sum) (i32.const 1)))))
      (loop $float
        (local.set $x (f64.add (local.get $x) (f64.const 1)))
        (br_if $float (f64.lt (local.get $x) (f64.const 3))))
      (loop $table
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (block $out
          (br_table $table $table $table $out (local.get $i))))
      (i32.const 0)
      (loop $value (param i32) (result i32)
        (i32.add (i32.const 7))
        (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
        (br_if $value (i32.lt_u (local.get $sum) (i32.const 10))))
      (loop $outer
        (loop $inner
          (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
          (br_if $inner (i32.and (local.get $sum) (i32.const 3))))
        (br_if $outer (i32.lt_u (local.get $sum) (i32.const 40))))
      (i32.add (local.get $sum)))))");
  Machine plain(mode);
  plain.instantiate(binary);
  world.machine.instantiate(binary);
  CHECK(world.machine.value("f", {5}) == plain.value("f", {5}));
  const std::set<std::uint64_t> loops = world.tier.left_loops();
  // The outermost of two that begin at one place is not told from the innermost.
  CHECK(loops.size() == 7);
  for (const std::uint64_t offset : loops) CHECK(binary.at(offset) == 0x03);
}

TEST_CASE("values of every width are whole at a loop's head, below it and in it") {
  const Mode mode = GENERATE(from_range(std::begin(kModes), std::end(kModes)));
  INFO(describe(mode));
  World world(kAtOnce, mode);
  const std::string_view wat = R"((module
    (func (export "f") (param $n i32) (result i64)
        (local $wide i64) (local $narrow i32) (local $v v128) (local $f f32) (local $d f64)
      (local.set $wide (i64.const 0x123456789abcdef0))
      (local.set $narrow (i32.const 0x9abcdef0))
      (local.set $v (v128.const i64x2 0x0102030405060708 0x1112131415161718))
      (local.set $f (f32.const 1.5))
      (local.set $d (f64.const -2.25))
      ;; below the loop: names of locals, which it writes, and constants
      (local.get $wide) (local.get $v) (i64.extend_i32_u (local.get $narrow)) (i64.const 0x7777777777777777)
      (loop $again (param i64) (result i64)
        (local.set $wide (i64.xor (local.get $wide)))
        (local.set $v (i8x16.add (local.get $v) (local.get $v)))
        (local.set $narrow (i32.add (local.get $narrow) (i32.const 1)))
        (local.set $f (f32.add (local.get $f) (f32.const 0.25)))
        (local.set $d (f64.mul (local.get $d) (local.get $d)))
        (i64.rotl (local.get $wide) (i64.extend_i32_u (local.get $n)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i64.add)
      (i64.add (i64.trunc_sat_f64_s (local.get $d)))
      (i64.add (i64.trunc_sat_f32_s (f32.mul (local.get $f) (f32.const 100))))
      (i64.add (i64.extend_i32_u (local.get $narrow)))
      (local.set $wide)
      (i8x16.add (local.get $v))
      (local.set $v)
      (i64.add (local.get $wide))
      (i64.add (i64x2.extract_lane 0 (local.get $v)))
      (i64.add (i64x2.extract_lane 1 (local.get $v))))))";
  Machine plain(mode);
  plain.instantiate(binary_of(wat));
  world.machine.instantiate(binary_of(wat));
  for (const std::uint64_t n : {1, 2, 3, 5}) CHECK(world.machine.value("f", {n}) == plain.value("f", {n}));
  CHECK(world.tier.times_left() > 3);
}

TEST_CASE("a loop that is left in a callee of another instance returns there") {
  World world;
  world.machine.instantiate(binary_of(kSum), "sums");
  world.machine.instantiate(binary_of(R"((module
    (import "sums" "sum" (func $sum (param i64) (result i64)))
    (global $g (mut i64) (i64.const 1000))
    (table funcref (elem $sum))
    (type $t (func (param i64) (result i64)))
    (func (export "direct") (param i64) (result i64) (i64.add (call $sum (local.get 0)) (global.get $g)))
    (func (export "indirect") (param i64) (result i64)
      (i64.add (call_indirect (type $t) (local.get 0) (i32.const 0)) (global.get $g)))
    (func (export "tail") (param i64) (result i64) (return_call $sum (local.get 0)))
    (func (export "behind_tail") (param i64) (result i64) (i64.add (call 3 (local.get 0)) (global.get $g)))))"));
  CHECK(world.machine.value("direct", {10}) == 1055);
  CHECK(world.machine.value("indirect", {10}) == 1055);
  CHECK(world.machine.value("tail", {10}) == 55);
  CHECK(world.machine.value("behind_tail", {10}) == 1055);
  CHECK(world.tier.times_left() >= 4);
}

TEST_CASE("the results of a loop that is left may be more than its frame has slots") {
  World world;
  world.machine.instantiate(binary_of(R"((module
    (func $many (param $n i32) (result i64 i32 i64 i32 i64 i32)
      (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i64.const 1) (i32.const 2) (i64.const 3) (i32.const 4) (i64.const 5) (i32.const 6))
    (func (export "f") (result i64)
      (local i64 i64 i64 i32 i32 i32)
      (call $many (i32.const 3))
      (local.set 5) (local.set 2) (local.set 4) (local.set 1) (local.set 3) (local.set 0)
      (i64.add (i64.mul (local.get 0) (i64.const 100)) (i64.add (i64.mul (local.get 1) (i64.const 10)) (local.get 2)))
      (i64.extend_i32_u (i32.add (local.get 3) (i32.add (local.get 4) (local.get 5))))
      (i64.add))))"));
  CHECK(world.machine.value("f") == 135 + 12);
}

TEST_CASE("a trap behind a loop that was left has the backtrace of one that was not") {
  const std::string_view wat = R"((module
    (func $inner (param $n i32) (result i32)
      (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i32.div_u (i32.const 1) (local.get $n)))
    (func $outer (export "f") (result i32) (call $inner (i32.const 5)))))";
  World world;
  Machine plain;
  world.machine.instantiate(binary_of(wat));
  plain.instantiate(binary_of(wat));
  const auto left = world.machine.call("f");
  const auto stayed = plain.call("f");
  REQUIRE_FALSE(left);
  REQUIRE_FALSE(stayed);
  CHECK(left.error().to_string() == stayed.error().to_string());
  CHECK(world.tier.times_left() == 4);
}

constexpr std::string_view kThrows = R"((module
  (tag $e (param i32))
  (func $throws (param $n i32) (result i32)
    (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (throw $e (i32.const 42)))
  (func (export "caught") (result i32)
    (block $handler (result i32)
      (try_table (result i32) (catch $e $handler) (call $throws (i32.const 5)))))
  (func (export "caught_further") (result i32)
    (block $handler (result i32)
      (try_table (result i32) (catch $e $handler) (call $passes (i32.const 5)))))
  (func $passes (param i32) (result i32) (i32.add (call $throws (local.get 0)) (i32.const 1)))
  (func (export "caught_inside") (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (block $handler (result i32)
        (try_table (result i32) (catch $e $handler) (call $throws (i32.const 2))))
      (local.set $sum (i32.add (local.get $sum)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "uncaught") (result i32) (call $throws (i32.const 5)))))";

TEST_CASE("exceptions leave a loop that was left, and are caught by who would have") {
  const bool replaces_calls = GENERATE(false, true);
  World world;
  world.tier.replaces_calls = replaces_calls;
  world.machine.instantiate(binary_of(kThrows));
  Machine plain;
  plain.instantiate(binary_of(kThrows));
  for (int i = 0; i < 3; ++i) {
    CHECK(world.machine.value("caught") == 42);
    CHECK(world.machine.value("caught_further") == 42);
    CHECK(world.machine.value("caught_inside", {4}) == 4 * 42);
    CHECK(world.machine.trap("uncaught") == plain.trap("uncaught"));
    CHECK(world.machine.store().exec().thrown == nullptr);
    CHECK(world.machine.store().exec().top == nullptr);
  }
  CHECK(world.tier.times_left() > 4);
}

TEST_CASE("an exception of the rest of a function unwinds to the interpreted caller, over its own record") {
  World world;
  world.machine.instantiate(binary_of(kThrows));
  world.tier.rest = [&](VmContext* vm, Slot* slots, FunctionCode& /*self*/) {
    ExecState& exec = *vm->exec;
    slots[0].u64 = 7;
    exec.thrown = exec.store->make_exception(*world.machine.newest().tags[0], slots);
    exec.pending = runtime::make_uncaught(exec, *exec.thrown);
  };
  CHECK(world.machine.value("caught") == 7);
  CHECK(world.machine.value("caught_further") == 7);
  const auto uncaught = world.machine.call("uncaught");
  REQUIRE_FALSE(uncaught);
  CHECK(uncaught.error().code == TrapCode::uncaught_exception);
  CHECK(world.machine.store().exec().top == nullptr);
}

TEST_CASE("what machine code has no room for stays in the interpreter") {
  World world;
  world.machine.instantiate(binary_of(kSum));
  SECTION("on the Wasm stack") {
    // Slots are eight bytes; the stack has eight MiB.
    world.tier.frame_slots = 2U << 20;
    CHECK(world.machine.value("sum", {10}) == 55);
    CHECK(world.tier.times_left() == 0);
  }
  SECTION("on the native stack") {
    bool is_reached = false;
    world.machine.define(
        "call", {}, {},
        [](void* data, runtime::HostCall& call) -> std::optional<Trap> {
          *static_cast<bool*>(data) = true;
          // Just above the limit.
          call.store.exec().native_limit = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - 2048;
          return std::nullopt;
        },
        std::shared_ptr<void>(&is_reached, [](void*) {}));
    world.machine.instantiate(binary_of(R"((module
      (import "env" "call" (func $call))
      (func (export "f") (param $n i32) (result i32)
        (call $call)
        (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.const 3))))"));
    CHECK(world.machine.value("f", {10}) == 3);
    CHECK(is_reached);
    CHECK(world.tier.times_left() == 0);
  }
}

// Each iteration leaves the loop of the interpreter before it, until there is no room.
TEST_CASE("loops that are left at every branch back end where the native stack does") {
  World world;
  world.machine.instantiate(binary_of(kSum));
  CHECK(world.machine.value("sum", {1'000'000}) == 500'000'500'000);
  CHECK(world.tier.times_left() > 100);
  CHECK(world.tier.times_left() < 1'000'000);
}

TEST_CASE("recursion through loops that are left overflows as a trap, and the store goes on") {
  World world;
  world.machine.instantiate(binary_of(R"((module
    (func $f (export "f") (param $n i32) (result i32) (local $i i32)
      (local.set $i (i32.const 2))
      (loop $again (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (if (result i32) (local.get $n)
        (then (i32.add (i32.const 1) (call $f (i32.sub (local.get $n) (i32.const 1)))))
        (else (i32.const 0))))))"));
  CHECK(world.machine.value("f", {100}) == 100);
  const auto overflow = world.machine.call("f", {UINT32_MAX});
  REQUIRE_FALSE(overflow);
  CHECK(overflow.error().code == TrapCode::stack_overflow);
  CHECK(world.machine.value("f", {100}) == 100);
}

TEST_CASE("objects that only a frame holds survive collections behind a loop that was left") {
  World world;
  world.machine.instantiate(binary_of(R"((module
    (type $box (struct (field i32)))
    (func (export "f") (param $n i32) (result i32) (local $kept (ref null $box))
      (local.set $kept (struct.new $box (i32.const 77)))
      (struct.new $box (i32.const 5))
      (loop $again (param (ref $box)) (result (ref $box))
        (drop (struct.new $box (local.get $n)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (struct.get $box 0)
      (i32.add (struct.get $box 0 (local.get $kept))))))"));
  CHECK(world.machine.value("f", {100'000}) == 82);
}

TEST_CASE("functions that become other entries while they run are called through them") {
  World world;
  world.tier.replaces_calls = true;
  world.machine.instantiate(binary_of(R"((module
    (func $fib (export "fib") (param i32) (result i32)
      (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
        (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                       (call $fib (i32.sub (local.get 0) (i32.const 2)))))))))"));
  CHECK(world.machine.value("fib", {15}) == 610);
  CHECK(world.tier.compiled == 1);
  CHECK(world.machine.value("fib", {15}) == 610);
}

TEST_CASE("threads that turn the same functions hot at once compile each once, and agree") {
  const auto registry = std::make_shared<wasm::TypeRegistry>();
  auto own = std::make_unique<LoopTier>(make_interpreter());
  LoopTier& tier = *own;
  tier.replaces_calls = true;
  const bool in_background = GENERATE(false, true);
  runtime::TierPolicyOptions options = kAtOnce;
  if (in_background) {
    options = {.period = 7, .warm_up_samples = 3, .bytes_per_sample = 16, .immediate_bytes = 20, .threads = 2};
  }
  TierPolicy policy(tier, options);
  {
    const std::vector<std::uint8_t> binary = binary_of(kSum);
    Machine first(std::move(own), &policy);
    first.instantiate(binary);
    const std::shared_ptr<runtime::ModuleCode> code = first.newest().code;
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i) {
          runtime::Store store(code->module->registry, {});
          const std::shared_ptr<runtime::ModuleCode> both[] = {code, code};
          const auto instance = store.instantiate(both, {});
          if (!instance) {
            ++wrong;
            continue;
          }
          for (std::uint64_t n = 1; n < 60; ++n) {
            Slot slots[1] = {{.u64 = n}};
            const auto done = store.call(*(*instance)->find_export("twice")->func, slots);
            if (!done || slots[0].u64 != n * (n + 1)) ++wrong;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    policy.wait();
    CHECK(tier.compiled == 2);
  }
}

}  // namespace

}  // namespace wasi::interp::test

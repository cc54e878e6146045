// Exceptions: where handlers are found, what lies in the slots when they begin.
#include <catch2/catch.hpp>
#include <chrono>

#include "interp/catch_table.h"
#include "machine.h"

namespace wasi::interp::test {
namespace {

TEST_CASE("the innermost region around a position is asked first, then its parents", "[exceptions]") {
  CatchTableBuilder builder;
  builder.clear();
  const std::uint32_t outer = builder.open(10);
  builder.add(outer, CatchClause::kNone, {.target = 100});
  const std::uint32_t inner = builder.open(20);
  std::uint32_t last = builder.add(inner, CatchClause::kNone, {.tag = 1, .target = 200});
  last = builder.add(inner, last, {.tag = 2, .target = 201});
  builder.add(inner, last, {.tag = 2, .target = 202});
  builder.enter(30, outer);
  builder.enter(40, 0);
  const std::uint32_t last_region = builder.open(40);
  builder.add(last_region, CatchClause::kNone, {.tag = 3, .target = 300});
  builder.enter(50, 0);
  const CatchTable table = builder.table();
  const auto target = [&](std::uint32_t position, std::uint32_t tag) {
    const CatchClause* clause = table.find(position, [&](std::uint32_t index) { return index == tag; });
    return clause == nullptr ? 0 : clause->target;
  };
  CHECK(target(0, 1) == 0);
  CHECK(target(9, 1) == 0);
  CHECK(target(10, 1) == 100);
  CHECK(target(19, 1) == 100);
  CHECK(target(20, 1) == 200);
  CHECK(target(25, 2) == 201);
  CHECK(target(29, 3) == 100);
  CHECK(target(30, 1) == 100);
  CHECK(target(39, 3) == 100);
  CHECK(target(40, 3) == 300);
  CHECK(target(40, 1) == 0);
  CHECK(target(50, 3) == 0);
  CHECK(target(1000, 3) == 0);
}

TEST_CASE("a try costs no instruction", "[exceptions]") {
  CHECK(code_of("(module (import \"\" \"\" (func $f)) (tag $e) (func (try (do (call $f)) (catch_all))))") ==
        "0: call_import #0 0\n"
        "10: br ->18\n"
        "18: return_none\n");
}

struct Exceptions {
  Mode mode = GENERATE(from_range(std::begin(kModes), std::end(kModes)));
  Machine machine{mode};
};

TEST_CASE_METHOD(Exceptions, "operands below a try and locals are what they were", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (tag $e (param i32 i64))
    (func $throw (param i32) (throw $e (local.get 0) (i64.const 1000)))
    ;; A local that is set in the try keeps what it was given before the throw.
    (func (export "run") (param i32) (result i64) (local $x i32)
      (local.get 0)                               ;; named below the try
      (i32.const 3)
      (i32.mul (local.get 0) (i32.const 10))
      (try (result i32 i64)
        (do
          (local.set 0 (i32.const 50))
          (local.set $x (i32.add (local.get 0) (i32.const 1)))
          (call $throw (i32.const 4))
          (local.set $x (i32.const 9999))
          (i32.const 0) (i64.const 0))
        (catch $e))
      ;; 7 3 70 4 1000
      (i64.add (i64.extend_i32_s (local.get $x)))  ;; + 51
      (local.set 0 (i32.wrap_i64))
      (i32.add) (i32.add) (i32.add)
      (i64.extend_i32_s (i32.add (local.get 0))))))");
  CHECK(machine.value("run", {7}) == 7 + 3 + 70 + 4 + 1000 + 51);
}

TEST_CASE_METHOD(Exceptions, "only what lies in the try is caught", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (tag $e (param i32))
    (func $maybe (param i32 i32) (if (i32.eq (local.get 0) (local.get 1)) (then (throw $e (local.get 0)))))
    (func (export "run") (param i32) (result i32)
      (call $maybe (local.get 0) (i32.const 1))
      (try (result i32)
        (do
          (call $maybe (local.get 0) (i32.const 2))
          (try (result i32)
            (do (call $maybe (local.get 0) (i32.const 3)) (i32.const 0))
            (catch $e
              (call $maybe (local.get 0) (i32.const 3))
              (i32.const 100) (i32.add)))
          (call $maybe (local.get 0) (i32.const 4)))
        (catch $e (i32.const 200) (i32.add)))
      (call $maybe (local.get 0) (i32.const 5)))))");
  CHECK(machine.value("run", {0}) == 0);
  CHECK(machine.trap("run", {1}).starts_with("unhandled exception: tag 0 (1)"));
  CHECK(machine.value("run", {2}) == 202);
  CHECK(machine.value("run", {3}) == 203);
  CHECK(machine.value("run", {4}) == 204);
  CHECK(machine.trap("run", {5}).starts_with("unhandled exception: tag 0 (5)"));
}

TEST_CASE_METHOD(Exceptions, "a rethrow throws what its catch caught, however deep", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (tag $a (param i32)) (tag $b (param i32))
    (func (export "run") (param $which i32) (result i32)
      (try $outermost (result i32)
        (do
          (try $outer (result i32)
            (do (throw $a (i32.const 1)))
            (catch $a
              (drop)
              (try $inner (result i32)
                (do (throw $b (i32.const 2)))
                (catch $b
                  (drop)
                  (if (i32.eq (local.get $which) (i32.const 1)) (then (rethrow 2)))
                  (if (i32.eq (local.get $which) (i32.const 2)) (then (rethrow 1)))
                  (i32.const 3))
                (catch_all (i32.const 99))))))
        (catch $a (i32.const 10) (i32.add))
        (catch $b (i32.const 20) (i32.add))))))");
  CHECK(machine.value("run", {0}) == 3);
  CHECK(machine.value("run", {1}) == 11);
  CHECK(machine.value("run", {2}) == 22);
}

TEST_CASE_METHOD(Exceptions, "a delegate hands its exceptions to the label's block", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (tag $e (param i32))
    (func $throw (param i32) (throw $e (local.get 0)))
    (func (export "skip") (result i32)
      (try $far (result i32)
        (do
          (try $near (result i32)
            (do (try (result i32) (do (call $throw (i32.const 5)) (i32.const 0)) (delegate $far)))
            (catch $e (drop) (i32.const 1))))
        (catch $e (i32.const 100) (i32.add))))
    (func (export "near") (result i32)
      (try $far (result i32)
        (do
          (try $near (result i32)
            (do (try (result i32) (do (call $throw (i32.const 5)) (i32.const 0)) (delegate $near)))
            (catch $e (i32.const 50) (i32.add))))
        (catch_all (i32.const 1))))
    ;; A block that is no try hands on to what is around it; a catch's own try does not catch.
    (func (export "block") (result i32)
      (try $far (result i32)
        (do
          (block $plain (result i32)
            (try (result i32)
              (do (try (result i32) (do (call $throw (i32.const 6)) (i32.const 0)) (delegate $plain)))
              (catch_all (i32.const 1)))))
        (catch $e (i32.const 60) (i32.add))))
    (func (export "from_catch") (result i32)
      (try $far (result i32)
        (do
          (try $near (result i32)
            (do (throw $e (i32.const 1)))
            (catch $e
              (drop)
              (try (result i32) (do (call $throw (i32.const 7)) (i32.const 0)) (delegate $near)))))
        (catch $e (i32.const 70) (i32.add))))
    (func $leave (export "leave") (result i32)
      (try (result i32)
        (do (try (result i32) (do (call $throw (i32.const 8)) (i32.const 0)) (delegate 1)))
        (catch_all (i32.const 1))))
    (func (export "after") (result i32)
      (try (result i32) (do (call $leave)) (catch $e (i32.const 80) (i32.add))))))");
  CHECK(machine.value("skip") == 105);
  CHECK(machine.value("near") == 55);
  CHECK(machine.value("block") == 66);
  CHECK(machine.value("from_catch") == 77);
  CHECK(machine.trap("leave").starts_with("unhandled exception: tag 0 (8)"));
  CHECK(machine.value("after") == 88);
}

TEST_CASE_METHOD(Exceptions, "exceptions cross many frames, instances and ways of calling", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (tag $e (export "e") (param i64))
    (func $down (export "down") (param i32 i64)
      (if (i32.eqz (local.get 0)) (then (throw $e (local.get 1))))
      (call $down (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1))))))",
                      "lib");
  machine.instantiate(R"((module
    (import "lib" "e" (tag $e (param i64)))
    (import "lib" "down" (func $down (param i32 i64)))
    (type $t (func (param i32 i64)))
    (table funcref (elem $down $by_tail))
    (func $by_tail (param i32 i64) (return_call $down (local.get 0) (local.get 1)))
    (func $indirect (param i32 i64) (result i32)
      (call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 1))
      (i32.const 5))
    (memory 1)
    (func (export "run") (param i32) (result i64)
      (i32.store (i32.const 8) (i32.const 1000))
      (try (result i64)
        (do (drop (call $indirect (local.get 0) (i64.const 3))) (i64.const 0))
        (catch $e))
      (i64.add (i64.load (i32.const 8))))))");
  CHECK(machine.value("run", {0}) == 1003);
  CHECK(machine.value("run", {10'000}) == 11'003);
  // And again: nothing is left behind on the stack.
  CHECK(machine.value("run", {10'000}) == 11'003);
}

TEST_CASE_METHOD(Exceptions, "vectors take two slots in exceptions, too", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (tag $e (param i32 v128 i64))
    (func $throw (param v128 i32) (local $copy v128)
      (local.set $copy (local.get 0))
      (throw $e (local.get 1) (local.get $copy) (i64.const 5)))
    (func (export "run") (param i32) (result i64) (local $vector v128)
      (v128.const i64x2 1000 2000)
      (try (result i32 v128 i64)
        (do
          (local.set $vector (i64x2.splat (i64.const 7)))
          (call $throw (v128.const i64x2 30 40) (local.get 0))
          (unreachable))
        (catch $e)
        (catch_all (rethrow 0)))
      (i64.add (i64x2.extract_lane 0 (local.get $vector)))
      (local.set $vector (i64x2.splat))
      (local.set $vector (i64x2.add (local.get $vector)))
      (i64.extend_i32_u)
      (i64x2.splat)
      (i64x2.add (local.get $vector))
      (i64x2.add)
      (local.set $vector)
      (i64.add (i64x2.extract_lane 0 (local.get $vector)) (i64x2.extract_lane 1 (local.get $vector))))))");
  CHECK(machine.value("run", {100}) == (1000 + 30 + 12 + 100) + (2000 + 40 + 12 + 100));
}

TEST_CASE("exceptions that nobody holds any more take no memory", "[exceptions]") {
  Machine machine({}, {.gc_heap_bytes = 1 << 20});
  machine.instantiate(R"((module
    (tag $e (param i64))
    (func $throw (param i64) (try (do (throw $e (local.get 0))) (catch_all (rethrow 0))))
    (func (export "run") (param $n i64) (result i64) (local $sum i64)
      (loop $again
        (local.set $sum (i64.add (local.get $sum)
          (try (result i64) (do (call $throw (local.get $n)) (i64.const 0)) (catch $e))))
        (br_if $again (i32.eqz (i64.eqz (local.tee $n (i64.sub (local.get $n) (i64.const 1)))))))
      (local.get $sum))))");
  // Some 3 MB of them.
  CHECK(machine.value("run", {100'000}) == 5'000'050'000);
}

TEST_CASE_METHOD(Exceptions, "a tail call leaves its try", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (tag $e)
    (func $throw (result i32) (throw $e))
    (func $tail (result i32) (try (result i32) (do (return_call $throw)) (catch_all (i32.const 1))))
    (func (export "run") (result i32) (try (result i32) (do (call $tail)) (catch $e (i32.const 2))))))");
  CHECK(machine.value("run") == 2);
}

TEST_CASE_METHOD(Exceptions, "traps are not caught", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (memory 1)
    (func $deep (call $deep))
    (func (export "overflow") (try (do (call $deep)) (catch_all)))
    (func (export "divide") (param i32)
      (try (do (drop (i32.div_s (i32.const 1) (local.get 0)))) (catch_all)))
    (func (export "bounds") (try (do (drop (i32.load (i32.const -1)))) (catch_all)))))");
  CHECK(machine.trap("overflow").starts_with("call stack exhausted"));
  CHECK(machine.trap("divide", {0}).starts_with("integer divide by zero"));
  CHECK(machine.trap("bounds").starts_with("out of bounds memory access"));
}

TEST_CASE_METHOD(Exceptions, "a loop made of throws can be interrupted", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(R"((module
    (tag $e)
    (func (export "spin") (loop (try (do (throw $e)) (catch_all)) (br 0)))))");
  machine.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  CHECK(machine.trap("spin").starts_with("deadline exceeded"));
}

// (func (export "f") loop try_table (catch_all 0) throw 0 end end): the handler is the loop's head.
TEST_CASE_METHOD(Exceptions, "a catch clause that leads to a loop can be interrupted", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(std::vector<std::uint8_t>{0,    'a', 's', 'm',  1,   0,    0,    0,           //
                                                1,    4,   1,   0x60, 0,   0,                       // type
                                                3,    2,   1,   0,                                  // function
                                                0x0D, 3,   1,   0,    0,                            // tag
                                                7,    5,   1,   1,    'f', 0,    0,                 // export
                                                10,   15,  1,   13,   0,   0x03, 0x40, 0x1F, 0x40,  //
                                                1,    2,   0,   0x08, 0,   0x0B, 0x0B, 0x0B});
  machine.store().keep_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
  CHECK(machine.trap("f").starts_with("deadline exceeded"));
}

// (func (export "f") (param i32) (result i32)
//   try_table (catch 0 0) local.get 0 throw 0 end unreachable): the handler is the function's own label.
TEST_CASE_METHOD(Exceptions, "a catch clause that leads to the function's label returns", "[exceptions]") {
  INFO(describe(mode));
  machine.instantiate(std::vector<std::uint8_t>{
      0,    'a', 's', 'm',  1,   0,    0,    0,                       //
      1,    10,  2,   0x60, 1,   0x7F, 1,    0x7F, 0x60, 1, 0x7F, 0,  // types
      3,    2,   1,   0,                                              // function
      0x0D, 3,   1,   0,    1,                                        // tag
      7,    5,   1,   1,    'f', 0,    0,                             // export
      10,   16,  1,   14,   0,   0x1F, 0x40, 1,    0,    0, 0,    0x20, 0, 0x08, 0, 0x0B, 0x00, 0x0B});
  CHECK(machine.value("f", {31}) == 31);
}

}  // namespace
}  // namespace wasi::interp::test

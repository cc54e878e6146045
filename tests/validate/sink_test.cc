// What sinks are told, in which order, and what they see of the stack then.
#include <catch2/catch.hpp>

#include "validate/empty_sink.h"
#include "validate/recorder.h"
#include "validate/support.h"

using namespace wasi;
using test::build;

namespace {

template <bool kChecked>
std::string record(const wasm::Module& module, std::uint32_t function) {
  test::Recorder recorder;
  validate::FunctionWalk<test::Recorder, kChecked> walk(module, wasm::FuncIndex(function), recorder);
  const auto result = walk.run();
  if (!result) return recorder.log() + result.error().to_string();
  return recorder.log() + fmt::format("slots {}\n", walk.max_slot_height());
}

// Both walks tell the same.
std::string told(const std::shared_ptr<wasm::Module>& module, std::uint32_t function = 0) {
  const std::string checked = record<true>(*module, function);
  CHECK(record<false>(*module, function) == checked);
  return checked;
}
std::string told(std::string_view wat) { return told(test::module_of(wat)); }

// What sinks that charge are told, and at which instruction.
class ChargingRecorder : public test::Recorder {
 public:
  explicit ChargingRecorder(bool charges) : charges_(charges) {}
  [[nodiscard]] bool charges() const { return charges_; }
  template <class W>
  void charge(W& walk, std::uint32_t cost) {
    const std::uint8_t opcode = walk.module().bytes.data[walk.offset()];
    costs_ += fmt::format("{} {}; ", wasm::info(wasm::op_from_byte(opcode)).text, cost);
  }
  [[nodiscard]] const std::string& costs() const { return costs_; }

 private:
  bool charges_;
  std::string costs_;
};

template <bool kChecked>
std::string charged(const wasm::Module& module, bool charges) {
  ChargingRecorder recorder(charges);
  validate::FunctionWalk<ChargingRecorder, kChecked> walk(module, wasm::FuncIndex(0), recorder);
  REQUIRE(walk.run());
  return recorder.costs();
}
std::string charged(std::string_view wat) {
  const auto module = test::module_of(wat);
  CHECK(charged<true>(*module, false) == "");
  const std::string costs = charged<true>(*module, true);
  CHECK(charged<false>(*module, true) == costs);
  return costs;
}

std::shared_ptr<wasm::Module> module_of(const test::Pieces& pieces) { return test::decode(build(pieces)); }

}  // namespace

TEST_CASE("a sink sees the stack before the effect, operands in their slots") {
  CHECK(told("(module (memory 1) (func (param i32) (result i32) (local f64 i64)"
             "  local.get 0 i32.const -1 i32.add local.tee 0 i32.load offset=8))") ==
        "begin i32 f64 i64 |\n"
        "local.get 0 |\n"
        "i32.const 0xffffffff | i32@0\n"
        "i32.add | i32@0 i32@1\n"
        "local.tee 0 | i32@0\n"
        "i32.load 0+8 align 2 | i32@0\n"
        "end 0 falls in | i32@0\n"
        "slots 2\n");
}

TEST_CASE("a v128 takes two slots") {
  CHECK(told("(module (func (param v128) i32.const 1 local.get 0 i32.const 2 drop drop drop))") ==
        "begin v128 |\n"
        "i32.const 0x1 |\n"
        "local.get 0 | i32@0\n"
        "i32.const 0x2 | i32@0 v128@1\n"
        "drop | i32@0 v128@1 i32@3\n"
        "drop | i32@0 v128@1\n"
        "drop | i32@0\n"
        "end 0 falls in |\n"
        "slots 4\n");
}

TEST_CASE("immediates are complete, whatever they take in bytes") {
  CHECK(told("(module (memory 1) (global (mut i32) (i32.const 0)) (func (local i64)"
             "  i64.const -5000000000 local.set 0 f32.const 1 drop f64.const 2 drop"
             "  i32.const 1000 i32.load8_u offset=70000 global.set 0 i32.const 0 i64.const 9 i64.store align=4))") ==
        "begin i64 |\n"
        "i64.const 0xfffffffed5fa0e00 |\n"
        "local.set 0 | i64@0\n"
        "f32.const 0x3f800000 |\n"
        "drop | f32@0\n"
        "f64.const 0x4000000000000000 |\n"
        "drop | f64@0\n"
        "i32.const 0x3e8 |\n"
        "i32.load8_u 0+70000 align 0 | i32@0\n"
        "global.set 0 | i32@0\n"
        "i32.const 0x0 |\n"
        "i64.const 0x9 | i32@0\n"
        "i64.store 0+0 align 2 | i32@0 i64@1\n"
        "end 0 falls in |\n"
        "slots 2\n");
}

TEST_CASE("blocks stand on their parameters, conditions are above them") {
  CHECK(told("(module (func (param i32) (result i64) i64.const 1 i32.const 2 local.get 0"
             "  if (param i32) (result i64) i64.extend_i32_u else drop i64.const 3 end i64.add))") ==
        "begin i32 |\n"
        "i64.const 0x1 |\n"
        "i32.const 0x2 | i64@0\n"
        "local.get 0 | i64@0 i32@1\n"
        "if 1 height 1/1 | i64@0 i32@1 i32@2\n"
        "i64.extend_i32_u | i64@0 i32@1\n"
        "else 1 falls in | i64@0 i64@1\n"
        "drop | i64@0 i32@1\n"
        "i64.const 0x3 | i64@0\n"
        "end 1 falls in | i64@0 i64@1\n"
        "i64.add | i64@0 i64@1\n"
        "end 0 falls in | i64@0\n"
        "slots 3\n");
}

TEST_CASE("heights of blocks count slots too") {
  CHECK(told("(module (func (param v128) local.get 0 i32.const 7 loop (param i32) drop end drop))") ==
        "begin v128 |\n"
        "local.get 0 |\n"
        "i32.const 0x7 | v128@0\n"
        "loop 1 height 1/2 | v128@0 i32@2\n"
        "drop | v128@0 i32@2\n"
        "end 1 falls in | v128@0\n"
        "drop | v128@0\n"
        "end 0 falls in |\n"
        "slots 3\n");
}

TEST_CASE("what cannot be reached is not told, nested blocks included") {
  CHECK(told("(module (func (result i32)"
             "  block (result i32)"
             "    i32.const 1 br 0"
             "    i32.const 2 drop"
             "    block loop i32.const 3 br_if 1 end end"
             "    i32.const 1 if unreachable else nop end"
             "  end))") ==
        "begin |\n"
        "block 1 height 0/0 |\n"
        "i32.const 0x1 |\n"
        "br 1 | i32@0\n"
        "end 1 |\n"
        "end 0 falls in | i32@0\n"
        "slots 1\n");
}

TEST_CASE("else and end make code reachable again and say who falls in") {
  CHECK(told("(module (func (param i32)"
             "  i32.const 9 local.get 0"
             "  if return i32.const 5 drop else nop end"
             "  local.get 0 if nop else unreachable nop end"
             "  drop))") ==
        "begin i32 |\n"
        "i32.const 0x9 |\n"
        "local.get 0 | i32@0\n"
        "if 1 height 1/1 | i32@0 i32@1\n"
        "return | i32@0\n"
        "else 1 | i32@0\n"
        "nop | i32@0\n"
        "end 1 falls in | i32@0\n"
        "local.get 0 | i32@0\n"
        "if 2 height 1/1 | i32@0 i32@1\n"
        "nop | i32@0\n"
        "else 2 falls in | i32@0\n"
        "unreachable | i32@0\n"
        "end 2 | i32@0\n"
        "drop | i32@0\n"
        "end 0 falls in |\n"
        "slots 2\n");
}

TEST_CASE("a stack that does not fall in is cut to the block's height") {
  CHECK(told("(module (func (result i32) i32.const 1 block i32.const 2 i32.const 3 unreachable end))") ==
        "begin |\n"
        "i32.const 0x1 |\n"
        "block 1 height 1/1 | i32@0\n"
        "i32.const 0x2 | i32@0\n"
        "i32.const 0x3 | i32@0 i32@1\n"
        "unreachable | i32@0 i32@1 i32@2\n"
        "end 1 | i32@0\n"
        "end 0 falls in | i32@0\n"
        "slots 3\n");
}

TEST_CASE("an if without else is told as if and end") {
  CHECK(told("(module (func (param i32) local.get 0 if end))") ==
        "begin i32 |\n"
        "local.get 0 |\n"
        "if 1 height 0/0 | i32@0\n"
        "end 1 falls in |\n"
        "end 0 falls in |\n"
        "slots 1\n");
}

TEST_CASE("branches come with their targets, the default last") {
  CHECK(told("(module (func (param i32) block loop local.get 0 br_table 1 0 2 1 end end local.get 0 br_if 0))") ==
        "begin i32 |\n"
        "block 1 height 0/0 |\n"
        "loop 2 height 0/0 |\n"
        "local.get 0 |\n"
        "br_table 1 2 0 1 | i32@0\n"
        "end 2 |\n"
        "end 1 falls in |\n"
        "local.get 0 |\n"
        "br_if 0 | i32@0\n"
        "end 0 falls in |\n"
        "slots 1\n");
}

TEST_CASE("a function that ends in a branch") {
  CHECK(told("(module (func (result i32) i32.const 1 return))") ==
        "begin |\n"
        "i32.const 0x1 |\n"
        "return | i32@0\n"
        "end 0 |\n"
        "slots 1\n");
}

TEST_CASE("calls: operands before, results after") {
  CHECK(told("(module (table 1 funcref) (type (func (param i32 i64) (result f32 f64)))"
             "  (func (result f64) i32.const 1 i64.const 2 i32.const 0 call_indirect (type 0) call 1 return_call 0)"
             "  (func (param f32 f64)))") ==
        "begin |\n"
        "i32.const 0x1 |\n"
        "i64.const 0x2 | i32@0\n"
        "i32.const 0x0 | i32@0 i64@1\n"
        "call_indirect type 0 table 0 | i32@0 i64@1 i32@2\n"
        "call 1 | f32@0 f64@1\n"
        "return_call 0 |\n"
        "end 0 |\n"
        "slots 3\n");
}

TEST_CASE("instructions that name two things name the destination first") {
  CHECK(told("(module (memory 1) (memory 1) (func i32.const 1 i32.const 2 i32.const 3 memory.copy 0 1))") ==
        "begin |\n"
        "i32.const 0x1 |\n"
        "i32.const 0x2 | i32@0\n"
        "i32.const 0x3 | i32@0 i32@1\n"
        "memory.copy 0 1 | i32@0 i32@1 i32@2\n"
        "end 0 falls in |\n"
        "slots 3\n");
}

TEST_CASE("try_table: clauses with their labels, then a block") {
  // block (result exnref) try_table (catch_all_ref 0) (catch_all 1) nop end return end throw_ref
  CHECK(told(module_of({.body = "02 69 1f 40 02 03 00 02 01 01 0b 0f 0b 0a"})) ==
        "begin |\n"
        "block 1 height 0/0 |\n"
        "try_table 3->1 2->0 2 height 0/0 |\n"
        "nop |\n"
        "end 2 falls in |\n"
        "return |\n"
        "end 1 |\n"
        "throw_ref | exnref@0\n"
        "end 0 |\n"
        "slots 1\n");
}

TEST_CASE("br_on_null and br_on_cast") {
  CHECK(told(module_of({.types = "01 60 01 70 00", .body = "20 00 d5 00 1a"})) ==
        "begin funcref |\n"
        "local.get 0 |\n"
        "br_on_null 0 | funcref@0\n"
        "drop | (ref func)@0\n"
        "end 0 falls in |\n"
        "slots 1\n");
  CHECK(told(module_of({.types = "01 60 01 6e 01 6e", .body = "20 00 fb 18 03 00 6e 6c"})) ==
        "begin anyref |\n"
        "local.get 0 |\n"
        "br_on_cast 0 | anyref@0\n"
        "end 0 falls in | (ref any)@0\n"
        "slots 1\n");
}

TEST_CASE("legacy exceptions: arms, and a delegate that is followed by its end") {
  CHECK(told("(module (tag (param i64)) (func (result i32)"
             "  try (result i32) i32.const 1 catch 0 drop i32.const 2 br 0 catch_all rethrow 0 end"
             "  try i32.const 0 br_if 0 delegate 0))") ==
        "begin |\n"
        "try 1 height 0/0 |\n"
        "i32.const 0x1 |\n"
        "catch 1 0 | i32@0\n"
        "drop | i64@0\n"
        "i32.const 0x2 |\n"
        "br 1 | i32@0\n"
        "catch_all 1 0 |\n"
        "rethrow 1 0 |\n"
        "end 1 |\n"
        "try 2 height 1/1 | i32@0\n"
        "i32.const 0x0 | i32@0\n"
        "br_if 2 | i32@0 i32@1\n"
        "delegate 0 0 | i32@0\n"
        "end 2 falls in | i32@0\n"
        "end 0 falls in | i32@0\n"
        "slots 2\n");
}

TEST_CASE("locals are told in full, also those that are not expanded eagerly") {
  const auto module = module_of({.locals = "02 e8 07 7f e8 07 7e", .body = ""});
  test::Recorder recorder;
  validate::FunctionWalk<test::Recorder, true> walk(*module, wasm::FuncIndex(0), recorder);
  REQUIRE(walk.run());
  const auto types = walk.local_types();
  REQUIRE(types.size() == 2000);
  CHECK(types[999] == wasm::kI32);
  CHECK(types[1000] == wasm::kI64);
  CHECK(types[1999] == wasm::kI64);
}

TEST_CASE("nothing is told behind an error") {
  const auto module = test::module_of("(module (func i32.const 1 f32.neg drop nop))");
  CHECK(record<true>(*module, 0) ==
        "begin |\n"
        "i32.const 0x1 |\n"
        "invalid module at offset 0x19: type mismatch: instruction requires [f32] but stack has [i32], in f32.neg (in "
        "function 0)");
}

namespace {
// Walks the module's second function while it walks the first.
struct Nesting : validate::EmptySink {
  std::string inner;
  template <class W>
  void instruction(W& walk, wasm::Op, const validate::Immediates&) {
    if (walk.function().value == 0 && inner.empty()) {
      Nesting other;
      other.inner = "no further";
      validate::FunctionWalk<Nesting, true> nested(walk.module(), wasm::FuncIndex(1), other);
      inner = nested.run() ? "ok" : "failed";
    }
  }
};
}  // namespace

TEST_CASE("a walk may stand inside of a walk") {
  const auto module = test::module_of(
      "(module (func (result i32) (local i32) i32.const 1 i32.const 2 block (result i32) i32.const 3 end i32.add "
      "i32.add)"
      "        (func (local f64 f64) f64.const 1 local.get 0 f64.add drop))");
  Nesting sink;
  validate::FunctionWalk<Nesting, true> walk(*module, wasm::FuncIndex(0), sink);
  CHECK(walk.run());
  CHECK(sink.inner == "ok");
}

TEST_CASE("straight runs are charged for where they end, once, and only what can be reached") {
  CHECK(charged("(module (func))") == "end 1; ");
  CHECK(charged("(module (func nop nop))") == "end 3; ");
  CHECK(charged("(module (func unreachable nop nop))") == "unreachable 1; ");
  CHECK(charged("(module (func (param i32) nop loop nop local.get 0 br_if 0 nop end nop))") ==
        "loop 1; br_if 3; end 1; end 2; ");
  CHECK(charged("(module (func (param i32) local.get 0 if nop br 1 nop else nop nop end))") ==
        "if 2; br 2; end 2; end 1; ");
  CHECK(charged("(module (func (param i32) block block local.get 0 br_table 0 1 end nop return end nop local.get 0 "
                "call 0))") == "br_table 2; return 2; call 3; end 1; ");
  CHECK(charged("(module (func block nop block nop end end return_call 0))") == "end 2; return_call 1; ");
  CHECK(charged("(module (tag) (func try nop call 0 nop catch 0 nop catch_all nop rethrow 0 end))") ==
        "call 2; catch 1; catch_all 1; rethrow 2; end 1; ");
  CHECK(charged("(module (tag) (func try nop throw 0 delegate 0))") == "throw 2; end 1; ");
}

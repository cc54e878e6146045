// What the function walk tells its sinks: the vocabulary between the one reader of function bodies
// and everything that is made from them (validation, interpreter code, machine code).
//
// A sink is a class with the methods of the concept FunctionSink. The walk (function_walk.h) calls them
// in body order, under these rules:
//  - State before effect. When a method is called, the operand stack still holds the instruction's
//    operands and not yet its results; types have been checked (or were, in an earlier walk). A
//    Control that an instruction opens has been built and is passed to it.
//  - Only what can be reached. Between an unconditional branch and the `else` or `end` that makes
//    code reachable again, nothing is reported, nested blocks included. A block opened in reachable
//    code is always closed with `end`, and an `if` with an `else` in its text always reports else_.
//  - `end` and `else_` say whether control falls into them from above. When it does, the results
//    are on the operand stack's top; when not, the stack holds `control.height` operands.
//  - The function's own block is a Control of kind `function`; its `end` is the last call.
//  - Branch depths are resolved: sinks get Control references, and the walk keeps their addresses
//    stable between a block's opening and its end.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>

#include "wasm/module.h"
#include "wasm/opcodes.h"
#include "wasm/types.h"

namespace wasi::validate {

enum class ControlKind : std::uint8_t { function, block, loop, if_, else_, try_table, try_, catch_, catch_all };

// An open block. `Label` is the sink's own state for it.
template <class Label>
struct Control {
  ControlKind kind = ControlKind::block;
  bool reachable_at_start = true;  // the opener was reached
  bool unreachable = false;        // the current position is behind an unconditional branch
  std::uint32_t height = 0;        // operands below its parameters
  std::uint32_t slot_height = 0;   // their slots (v128 takes two)
  std::uint64_t offset = 0;        // byte offset of the opener in the module
  std::span<const wasm::ValType> params;
  std::span<const wasm::ValType> results;
  Label label{};

  // The types that a branch to it carries.
  [[nodiscard]] std::span<const wasm::ValType> branch_types() const {
    return kind == ControlKind::loop ? params : results;
  }
};

// An operand: its type, and its first slot counted from the bottom of the operand stack. That is its
// canonical slot (frame.h).
struct Operand {
  wasm::ValType type;
  std::uint32_t slot = 0;
};

struct MemArg {
  std::uint64_t offset = 0;
  wasm::MemoryIndex memory;
  std::uint32_t align = 0;  // log2
};

// The immediates of an instruction that is not control; which are set follows from its ImmediateKind:
//   index, index2  indices in the order of the binary format (type_table: type, table; memory_memory:
//                  destination, source; data_memory: data, memory; type_count: type, count)
//   bits           i32 (zero-extended), i64, f32, f64 as bit patterns
//   bytes          v128 constant or shuffle lanes
struct Immediates {
  std::uint32_t index = 0;
  std::uint32_t index2 = 0;
  std::uint64_t bits = 0;
  MemArg memarg;
  std::uint8_t lane = 0;
  std::uint8_t bytes[16] = {};
  wasm::ValType type;   // select_t: its type; heap_type: the reference type
  wasm::ValType type2;  // br_on_cast: source `type`, target `type2`
};

// A catch clause of try_table, its label resolved.
template <class Label>
struct CatchClause {
  enum class Kind : std::uint8_t { catch_, catch_ref, catch_all, catch_all_ref };
  Kind kind = Kind::catch_all;
  wasm::TagIndex tag;
  Control<Label>* target = nullptr;
};

// What a sink offers. `W` is the walk, through which it reads module(), function(), operands(),
// operand(depth_from_top), offset(), local_types().
//
//   using Label = ...;                                       state per block
//   void begin(W&)                                           locals are known
//   void instruction(W&, Op, const Immediates&)              everything that is not listed below
//   void block(W&, Control&) / loop(W&, Control&) / if_(W&, Control&)     parameters (and condition) on the stack
//   void else_(W&, Control&, bool falls_in)
//   void end(W&, Control&, bool falls_in)
//   void br(W&, Control& target) / br_if(W&, Control& target)
//   void br_table(W&, std::span<Control* const> targets)     the default is the last
//   void br_on(W&, Op, const Immediates&, Control& target)   br_on_null, br_on_non_null, br_on_cast, br_on_cast_fail
//   void return_(W&)  void unreachable(W&)
//   void call(W&, Op, FuncIndex)                             call, return_call
//   void call_indirect(W&, Op, TypeIndex, TableIndex)        call_indirect, return_call_indirect
//   void call_ref(W&, Op, TypeIndex)                         call_ref, return_call_ref
//   void try_table(W&, Control&, std::span<const CatchClause<Label>>)
//   void throw_(W&, TagIndex)  void throw_ref(W&)
//   void legacy_try(W&, Op, Control*, std::uint32_t tag_or_depth)   the legacy exception instructions:
//       try: the new block. catch (tag), catch_all: the block, whose `unreachable` still speaks of the arm before.
//       delegate (depth): the label's block; `end` of the try itself follows. rethrow (depth): the catch.
template <class S, class W>
concept FunctionSink = requires(S sink, W& walk, Control<typename S::Label>& control, const Immediates& immediates) {
  sink.begin(walk);
  sink.instruction(walk, wasm::Op::nop, immediates);
  sink.block(walk, control);
  sink.loop(walk, control);
  sink.if_(walk, control);
  sink.else_(walk, control, true);
  sink.end(walk, control, true);
  sink.br(walk, control);
  sink.br_if(walk, control);
  sink.br_table(walk, std::span<Control<typename S::Label>* const>{});
  sink.br_on(walk, wasm::Op::br_on_null, immediates, control);
  sink.return_(walk);
  sink.unreachable(walk);
  sink.call(walk, wasm::Op::call, wasm::FuncIndex{});
  sink.call_indirect(walk, wasm::Op::call_indirect, wasm::TypeIndex{}, wasm::TableIndex{});
  sink.call_ref(walk, wasm::Op::call_ref, wasm::TypeIndex{});
  sink.try_table(walk, control, std::span<const CatchClause<typename S::Label>>{});
  sink.throw_(walk, wasm::TagIndex{});
  sink.throw_ref(walk);
  sink.legacy_try(walk, wasm::Op::try_, &control, 0U);
};

}  // namespace wasi::validate

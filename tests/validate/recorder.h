// A sink that writes down what it is told, with the operand stack of that moment: "i32.add | i32@0 i32@1".
#pragma once

#include <fmt/format.h>

#include <string>

#include "validate/function_walk.h"

namespace wasi::test {

class Recorder {
 public:
  // Blocks are numbered in the order of their opening, the function's own is 0.
  struct Label {
    int number = 0;
  };
  using Block = validate::Control<Label>;

  [[nodiscard]] const std::string& log() const { return log_; }

  template <class W>
  void begin(W& walk) {
    std::string locals;
    for (const wasm::ValType type : walk.local_types()) locals += " " + wasm::to_string(type);
    write(walk, "begin" + locals);
  }
  template <class W>
  void instruction(W& walk, wasm::Op op, const validate::Immediates& immediates) {
    std::string text(wasm::info(op).text);
    switch (wasm::info(op).immediate) {
      case wasm::ImmediateKind::local:
      case wasm::ImmediateKind::global:
      case wasm::ImmediateKind::table:
      case wasm::ImmediateKind::memory:
        text += fmt::format(" {}", immediates.index);
        break;
      case wasm::ImmediateKind::memory_memory:
      case wasm::ImmediateKind::elem_table:
        text += fmt::format(" {} {}", immediates.index, immediates.index2);
        break;
      case wasm::ImmediateKind::i32:
      case wasm::ImmediateKind::i64:
      case wasm::ImmediateKind::f32:
      case wasm::ImmediateKind::f64:
        text += fmt::format(" {:#x}", immediates.bits);
        break;
      case wasm::ImmediateKind::memarg:
        text += fmt::format(" {}+{} align {}", immediates.memarg.memory.value, immediates.memarg.offset,
                            immediates.memarg.align);
        break;
      default:
        break;
    }
    write(walk, text);
  }
  template <class W>
  void block(W& walk, Block& block) {
    open(walk, "block", block);
  }
  template <class W>
  void loop(W& walk, Block& block) {
    open(walk, "loop", block);
  }
  template <class W>
  void if_(W& walk, Block& block) {
    open(walk, "if", block);
  }
  template <class W>
  void else_(W& walk, Block& block, bool falls_in) {
    write(walk, fmt::format("else {}{}", block.label.number, falls_in ? " falls in" : ""));
  }
  template <class W>
  void end(W& walk, Block& block, bool falls_in) {
    write(walk, fmt::format("end {}{}", block.label.number, falls_in ? " falls in" : ""));
  }
  template <class W>
  void br(W& walk, Block& target) {
    write(walk, fmt::format("br {}", target.label.number));
  }
  template <class W>
  void br_if(W& walk, Block& target) {
    write(walk, fmt::format("br_if {}", target.label.number));
  }
  template <class W>
  void br_table(W& walk, std::span<Block* const> targets) {
    std::string text = "br_table";
    for (const Block* target : targets) text += fmt::format(" {}", target->label.number);
    write(walk, text);
  }
  template <class W>
  void br_on(W& walk, wasm::Op op, const validate::Immediates&, Block& target) {
    write(walk, fmt::format("{} {}", wasm::info(op).text, target.label.number));
  }
  template <class W>
  void return_(W& walk) {
    write(walk, "return");
  }
  template <class W>
  void unreachable(W& walk) {
    write(walk, "unreachable");
  }
  template <class W>
  void call(W& walk, wasm::Op op, wasm::FuncIndex function) {
    write(walk, fmt::format("{} {}", wasm::info(op).text, function.value));
  }
  template <class W>
  void call_indirect(W& walk, wasm::Op op, wasm::TypeIndex type, wasm::TableIndex table) {
    write(walk, fmt::format("{} type {} table {}", wasm::info(op).text, type.value, table.value));
  }
  template <class W>
  void call_ref(W& walk, wasm::Op op, wasm::TypeIndex type) {
    write(walk, fmt::format("{} type {}", wasm::info(op).text, type.value));
  }
  template <class W>
  void try_table(W& walk, Block& block, std::span<const validate::CatchClause<Label>> clauses) {
    std::string text = "try_table";
    for (const auto& clause : clauses) text += fmt::format(" {}->{}", int(clause.kind), clause.target->label.number);
    open(walk, text, block);
  }
  template <class W>
  void throw_(W& walk, wasm::TagIndex tag) {
    write(walk, fmt::format("throw {}", tag.value));
  }
  template <class W>
  void throw_ref(W& walk) {
    write(walk, "throw_ref");
  }
  template <class W>
  void legacy_try(W& walk, wasm::Op op, Block* block, std::uint32_t tag_or_depth) {
    if (op == wasm::Op::try_) return open(walk, "try", *block);
    write(walk, fmt::format("{} {} {}", wasm::info(op).text, block->label.number, tag_or_depth));
  }

 private:
  template <class W>
  void open(W& walk, const std::string& what, Block& block) {
    block.label.number = next_++;
    write(walk, fmt::format("{} {} height {}/{}", what, block.label.number, block.height, block.slot_height));
  }
  template <class W>
  void write(W& walk, const std::string& text) {
    // The function's block is never opened by an instruction.
    if (next_ == 0) next_ = 1;
    log_ += text + " |";
    for (const validate::Operand& operand : walk.operands()) {
      log_ += fmt::format(" {}@{}", wasm::to_string(operand.type), operand.slot);
    }
    log_ += "\n";
  }

  std::string log_;
  int next_ = 0;
};

}  // namespace wasi::test

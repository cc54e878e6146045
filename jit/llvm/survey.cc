#include "jit/llvm/survey.h"

#include <algorithm>

#include "base/result.h"
#include "jit/common/stopped.h"
#include "jit/common/types.h"
#include "validate/function_walk.h"

namespace wasi::jit::optimising {

namespace {

class Surveyor {
 public:
  struct Label {};
  using Control = validate::Control<Label>;

  Surveyor(std::optional<std::uint64_t> loop, LikelyCallees* likely, runtime::Preparation& preparation)
      : loop_(loop), likely_(likely), preparation_(preparation) {}

  Survey result;

  template <class W>
  void poll(W& walk) {
    stop_unless(preparation_.poll());
    const std::uint64_t held = walk.held_bytes();
    if (held <= taken_) return;
    stop_unless(preparation_.take(held - taken_));
    taken_ = held;
  }
  template <class W>
  void begin(W& walk) {
    result.locals = static_cast<std::uint32_t>(walk.local_types().size());
  }
  template <class W>
  void instruction(W& walk, wasm::Op op, const validate::Immediates& immediates) {
    count(walk);
    // Those with as many operands as an immediate or a type says.
    if (op == wasm::Op::array_new_fixed) slots(2 * std::uint64_t{immediates.index2});
    if (op == wasm::Op::struct_new || op == wasm::Op::struct_new_default) {
      const wasm::Module& module = walk.module();
      slots(2 * module.registry->at(module.types[immediates.index]).fields.size());
    }
  }
  template <class W>
  void block(W& walk, Control&) {
    count(walk);
    ++result.joins;
  }
  template <class W>
  void loop(W& walk, Control& control) {
    count(walk);
    result.has_loops = true;
    if (loop_) open_loops_.push_back(control.offset);
    if (control.offset == loop_) result.outermost_loop = open_loops_.front();
    ++result.joins;
  }
  template <class W>
  void if_(W& walk, Control&) {
    count(walk);
    ++result.joins;
  }
  template <class W>
  void else_(W&, Control&, bool) {}
  template <class W>
  void end(W& walk, Control& control, bool) {
    count(walk);
    if (!open_loops_.empty() && open_loops_.back() == control.offset) open_loops_.pop_back();
  }
  template <class W>
  void br(W& walk, Control&) {
    count(walk);
  }
  template <class W>
  void br_if(W& walk, Control&) {
    count(walk);
  }
  template <class W>
  void br_table(W& walk, std::span<Control* const>) {
    count(walk);
  }
  template <class W>
  void br_on(W& walk, wasm::Op, const validate::Immediates&, Control&) {
    count(walk);
  }
  template <class W>
  void return_(W& walk) {
    count(walk);
  }
  template <class W>
  void unreachable(W& walk) {
    count(walk);
  }
  template <class W>
  void call(W& walk, wasm::Op, wasm::FuncIndex function) {
    count(walk);
    if (!walk.module().is_imported(function)) result.callees.push_back(function);
  }
  template <class W>
  void call_indirect(W& walk, wasm::Op, wasm::TypeIndex type, wasm::TableIndex) {
    count(walk);
    call_of(walk.offset(), type);
  }
  template <class W>
  void call_ref(W& walk, wasm::Op, wasm::TypeIndex type) {
    count(walk);
    call_of(walk.offset(), type);
  }
  template <class W>
  void try_table(W& walk, Control&, std::span<const validate::CatchClause<Label>> clauses) {
    count(walk);
    result.has_handlers = true;
    ++result.joins;
    for (const auto& clause : clauses) slots_of_values(clause.target->branch_types());
  }
  template <class W>
  void throw_(W& walk, wasm::TagIndex tag) {
    count(walk);
    const wasm::Module& module = walk.module();
    slots_of_values(module.registry->at(module.types[module.tags[tag.value].value]).func.params);
  }
  template <class W>
  void throw_ref(W& walk) {
    count(walk);
  }
  template <class W>
  void legacy_try(W& walk, wasm::Op op, Control*, std::uint32_t tag_or_depth) {
    count(walk);
    result.has_handlers = true;
    ++result.joins;
    result.has_rethrow |= op == wasm::Op::rethrow;
    if (op != wasm::Op::catch_) return;
    const wasm::Module& module = walk.module();
    slots_of_values(module.registry->at(module.types[module.tags[tag_or_depth].value]).func.params);
  }

 private:
  template <class W>
  void count(W& walk) {
    ++result.instructions;
    result.operand_slots = std::max(result.operand_slots, walk.max_slot_height());
  }
  void call_of(std::uint64_t offset, wasm::TypeIndex type) {
    if (likely_ == nullptr) return;
    const auto callees = likely_->of(offset, type);
    result.callees.insert(result.callees.end(), callees.begin(), callees.end());
  }
  void slots(std::uint64_t count) {
    result.operation_slots = static_cast<std::uint32_t>(std::max<std::uint64_t>(result.operation_slots, count));
  }
  void slots_of_values(std::span<const wasm::ValType> types) {
    std::uint64_t count = 1;  // and the exception
    for (const wasm::ValType type : types) count += type.slots();
    slots(count);
  }

  const std::optional<std::uint64_t> loop_;
  std::vector<std::uint64_t> open_loops_;  // around the instruction, where one is asked for
  LikelyCallees* const likely_;
  runtime::Preparation& preparation_;
  std::uint64_t taken_ = 0;
};

}  // namespace

Result<Survey> survey(const wasm::Module& module, wasm::FuncIndex function, bool validated,
                      std::optional<std::uint64_t> loop, LikelyCallees* likely, runtime::Preparation& preparation) {
  try {
    Surveyor surveyor(loop, likely, preparation);
    // No other instruction has more operands than these.
    surveyor.result.operation_slots = 8;
    if (validated) {
      validate::FunctionWalk<Surveyor, false> walk(module, function, surveyor);
      WASI_TRY(walk.run());
    } else {
      validate::FunctionWalk<Surveyor, true> walk(module, function, surveyor);
      WASI_TRY(walk.run());
    }
    return surveyor.result;
  } catch (Stopped& stopped) {
    return std::unexpected(std::move(stopped.error));
  }
}

}  // namespace wasi::jit::optimising

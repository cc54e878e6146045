// Blocks and branches. A label's values are in homes, at the slots where the label has them.
#include <llvm/IR/Constants.h>

#include "jit/llvm/lowering.h"
#include "runtime/frame.h"

namespace wasi::jit::optimising {

using runtime::Slot;
using validate::ControlKind;

llvm::BasicBlock* Lowering::target_of(Control& control) {
  if (control.label.target == nullptr) control.label.target = new_block("");
  return control.label.target;
}

// The parameters stay where they are: they dominate all of the block.
void Lowering::open_block(Control& /*control*/) {
  if (loop_) flush();
}

void Lowering::open_loop(Control& control) {
  if (loop_) {
    flush();
  }
  // Its parameters come from everywhere.
  for (std::size_t i = control.height; i < stack_.size(); ++i) {
    Entry& entry = stack_[i];
    if (entry.value == nullptr) continue;
    store_home(entry.slot, entry.type, entry.value);
    entry.value = nullptr;
  }
  control.label.target = new_block("loop");
  builder_.CreateBr(control.label.target);
  if (loop_ == offset_) {
    // From the frame that is left to the homes of what lives here.
    loop_head_ = new_block("from_slots");
    enter(loop_head_);
    llvm::Value* const slots = builder_.CreateIntToPtr(into_.getArg(2), builder_.getPtrTy());
    for (const Entry& entry : stack_) {
      if (entry.value != nullptr) continue;  // a constant
      store_home(entry.slot, entry.type,
                 load(type(entry.type), slots, (local_slots_ + entry.slot) * sizeof(Slot), Region::area));
    }
    builder_.CreateBr(control.label.target);
  }
  enter(control.label.target);
}

llvm::Value* Lowering::pop_condition() { return builder_.CreateICmpNE(pop(), i32(0)); }

void Lowering::open_if(Control& control) {
  llvm::Value* const condition = pop_condition();
  if (loop_) flush();
  // Where there is an `else`, it begins with the same parameters.
  for (std::size_t i = control.height; i < stack_.size(); ++i) {
    Entry& entry = stack_[i];
    if (entry.value == nullptr) continue;
    store_home(entry.slot, entry.type, entry.value);
    entry.value = nullptr;
  }
  control.label.otherwise = new_block("else");
  llvm::BasicBlock* const then = new_block("then");
  builder_.CreateCondBr(condition, then, control.label.otherwise);
  enter(then);
}

void Lowering::open_else(Control& control, bool falls_in) {
  if (falls_in) {
    move_to_label(control);
    builder_.CreateBr(target_of(control));
  }
  enter(control.label.otherwise);
  control.label.otherwise = nullptr;
  reset_stack(control.height, control.params);
}

void Lowering::close(Control& control, bool falls_in) {
  if (control.kind == ControlKind::function) {
    if (falls_in) emit_return();
    return;
  }
  if (control.kind >= ControlKind::try_table) close_try();
  if (control.kind == ControlKind::loop) {
    // What follows is behind the loop, and nothing else leads there.
    if (!falls_in) {
      enter(new_block("unreached"));
      reset_stack(control.height, control.results);
    }
    return;
  }
  if (falls_in) {
    move_to_label(control);
    builder_.CreateBr(target_of(control));
  }
  if (control.label.otherwise != nullptr) {
    // Without an `else`, the parameters are the results, and in the same slots.
    enter(control.label.otherwise);
    builder_.CreateBr(target_of(control));
  }
  enter(target_of(control));
  reset_stack(control.height, control.results);
}

// The uppermost values. All are read before the first is written: some may be in each other's homes.
void Lowering::move_to_label(const Control& target) {
  const std::size_t count = target.branch_types().size();
  if (count == 0) return;
  const std::size_t first = stack_.size() - count;
  std::uint32_t slot = target.slot_height;
  if (stack_[first].slot == slot) {
    for (std::size_t i = first; i < stack_.size(); ++i) {
      if (stack_[i].value != nullptr) store_home(stack_[i].slot, stack_[i].type, stack_[i].value);
    }
    return;
  }
  std::vector<llvm::Value*> values;
  for (std::size_t i = first; i < stack_.size(); ++i) values.push_back(value_of(stack_[i]));
  for (std::size_t i = 0; i < count; ++i) {
    const Type of = stack_[first + i].type;
    store_home(slot, of, values[i]);
    slot += slots_of(of);
  }
}

void Lowering::branch(Control& target) {
  if (target.kind == ControlKind::function) return emit_return();
  move_to_label(target);
  builder_.CreateBr(target_of(target));
}

void Lowering::branch_if(llvm::Value* condition, Control& target) {
  llvm::BasicBlock* const on = new_block("");
  if (target.kind != ControlKind::function && target.branch_types().empty()) {
    builder_.CreateCondBr(condition, target_of(target), on);
    return enter(on);
  }
  llvm::BasicBlock* const edge = new_block("");
  builder_.CreateCondBr(condition, edge, on);
  enter(edge);
  branch(target);
  enter(on);
}

void Lowering::branch_table(std::span<Control* const> targets) {
  llvm::Value* const index = pop();
  ++table_count_;
  std::vector<Control*> edges;
  const auto edge_to = [&](Control* target) {
    if (target->kind != ControlKind::function && target->branch_types().empty()) return target_of(*target);
    if (target->label.table != table_count_) {
      target->label.table = table_count_;
      target->label.table_edge = new_block("");
      edges.push_back(target);
    }
    return target->label.table_edge;
  };
  const std::size_t last = targets.size() - 1;
  llvm::SwitchInst* const choice = builder_.CreateSwitch(index, edge_to(targets[last]), static_cast<unsigned>(last));
  for (std::size_t i = 0; i < last; ++i) choice->addCase(i32(static_cast<std::uint32_t>(i)), edge_to(targets[i]));
  for (Control* const target : edges) {
    enter(target->label.table_edge);
    branch(*target);
  }
}

void Lowering::emit_return() {
  const std::size_t first = stack_.size() - type_.results.size();
  llvm::Value* result = llvm::PoisonValue::get(unit_.prototype()->getReturnType());
  PlaceAssigner places = PlaceAssigner::of_results();
  for (std::size_t i = 0; i < type_.results.size(); ++i) {
    const Place place = places.next(type_.results[i]);
    const Entry& entry = stack_[first + i];
    llvm::Value* const value = value_of(entry);
    if (place.bank == Place::Bank::memory) {
      store(value, area(), place.slot * sizeof(Slot), Region::area);
      continue;
    }
    const unsigned at = place.bank == Place::Bank::vector                      ? 2U + place.number
                        : static_cast<Gpr>(place.number) == kIntegerResults[0] ? 0U
                                                                               : 1U;
    result = builder_.CreateInsertValue(result, to_register(value, entry.type), at);
  }
  builder_.CreateRet(result);
}

}  // namespace wasi::jit::optimising

// Blocks and branches.
#include <algorithm>

#include "jit/baseline/compiler.h"
#include "jit/baseline/numeric_x64.h"

namespace wasi::jit::baseline {

using validate::ControlKind;

// --- blocks

// A single value comes in a register, where nothing comes back to.
bool Compiler::carries(const Control& target) {
  return target.kind != ControlKind::loop && target.branch_types().size() == 1;
}

asmjit::Label Compiler::target_of(Control& control) {
  if (control.kind == ControlKind::function) return return_label_;
  if (!control.label.target.isValid()) control.label.target = asm_.newLabel();
  return control.label.target;
}

void Compiler::open_loop(Control& control) {
  flush();
  for (std::size_t i = control.height; i < stack_.size(); ++i) force_home(i);
  control.label.outer_region = region_;
  const std::uint32_t region = ++loop_count_;
  if (!is_same_region(region)) {
    static_cast<void>(applies(Optimisation::loop_pins));
    emit_transition(region);
  }
  enter_region(region);
  control.label.region = region;
  asm_.align(asmjit::AlignMode::kCode, 16);
  control.label.target = asm_.newLabel();
  asm_.bind(control.label.target);
  result_flags_ = {};
  emit_poll(in_exec(x64::r11));
  if (!can_enter_loops_) return;
  loops_.push_back({offset_, asm_.newLabel(), control.label.target, region});
  let_leave(polls_.back());
}

void Compiler::open_if(Control& control) {
  control.label.region = region_;
  const Condition condition = pop_condition();
  flush();
  for (std::size_t i = control.height; i < stack_.size(); ++i) force_home(i);
  control.label.otherwise = asm_.newLabel();
  jump_if(condition.negated(), control.label.otherwise);
}

void Compiler::open_else(Control& control, bool falls_in) {
  if (falls_in) {
    move_to_label(control);
    asm_.jmp(target_of(control));
  }
  asm_.bind(control.label.otherwise);
  result_flags_ = {};
  control.label.otherwise = {};
  reset_stack(control.height, control.params, false);
}

void Compiler::close(Control& control, bool falls_in) {
  result_flags_ = {};
  if (control.kind == ControlKind::function) {
    if (falls_in) emit_return(false);
    return;
  }
  if (control.kind >= ControlKind::try_table) close_try(control);
  if (control.kind == ControlKind::loop) {
    if (falls_in && !is_same_region(control.label.outer_region)) emit_transition(control.label.outer_region);
    enter_region(control.label.outer_region);
    if (!falls_in) reset_stack(control.height, control.results, false);
    return;
  }
  if (control.label.otherwise.isValid()) {
    // Without an `else`, the parameters are the results.
    const bool has_value = carries(control);
    if (falls_in) {
      move_to_label(control);
      if (has_value) asm_.jmp(target_of(control));
    }
    asm_.bind(control.label.otherwise);
    control.label.otherwise = {};
    reset_stack(control.height, control.params, false);
    if (has_value) carry(stack_.back());
    if (control.label.target.isValid()) asm_.bind(control.label.target);
    return reset_stack(control.height, control.results, has_value);
  }
  if (!control.label.target.isValid()) {
    if (!falls_in) reset_stack(control.height, control.results, false);
    return;
  }
  if (falls_in) move_to_label(control);
  asm_.bind(control.label.target);
  reset_stack(control.height, control.results, carries(control));
}

// --- branches

// Pops it; the flags say what it is.
Condition Compiler::pop_condition() {
  Value value = pop();
  Condition condition;
  if (value.where == Where::flags) {
    condition = flags_;
  } else {
    const asmjit::Operand operand = value.is_constant() ? asmjit::Operand(in_gpr(value).r32()) : gpr_or_memory(value);
    if (operand.isReg()) {
      test_register(operand.as<x64::Gp>(), value.type);
    } else {
      asm_.cmp(operand.as<x64::Mem>(), 0);
    }
    release(value);
  }
  flags_live_ = true;
  return condition;
}

void Compiler::jump_if(const Condition& condition, const asmjit::Label& target) {
  baseline::branch(asm_, condition, target);
  flags_live_ = false;
}

// The function's own label needs no locals.
void Compiler::jump_if(const Condition& condition, Control& target) {
  if (target.kind == ControlKind::function || is_same_region(target.label.region)) {
    return jump_if(condition, target_of(target));
  }
  const asmjit::Label over = asm_.newLabel();
  jump_if(condition.negated(), over);
  jump(target);
  asm_.bind(over);
}

void Compiler::jump(Control& target) {
  if (target.kind != ControlKind::function && !is_same_region(target.label.region)) {
    emit_transition(target.label.region);
  }
  asm_.jmp(target_of(target));
}

bool Compiler::is_placed(const Control& target) const {
  const std::size_t count = target.branch_types().size();
  return count == 0 ||
         (target.kind != ControlKind::function && stack_[stack_.size() - count].slot == label_slot(target));
}

void Compiler::carry(const Value& value) {
  const Bank bank = bank_of(value.type);
  if (is_in(value, bank, kRax)) return;
  // A copy, since making room may move the value itself.
  if (registers_.is_usable(bank, kRax) && !registers_.is_free(bank, kRax)) evict(bank, kRax);
  if (bank == Bank::general) {
    copy_to(x64::rax, value);
  } else {
    copy_to(x64::xmm0, value);
  }
}

void Compiler::force_home_uppermost(std::size_t count) {
  for (std::size_t i = stack_.size() - count; i < stack_.size(); ++i) force_home(i);
}

// Changes no more of the model than that values go home.
void Compiler::move_to_label(const Control& target) {
  const std::size_t count = target.branch_types().size();
  if (count == 0) return;
  if (target.kind == ControlKind::function) return emit_return(false);
  if (carries(target)) return carry(stack_.back());
  force_home_uppermost(count);
  if (!is_placed(target)) move_to_slots(label_slot(target), count);
}

// Copies the uppermost values, which are at home, to lower slots.
void Compiler::move_to_slots(std::uint32_t to, std::size_t count) {
  constexpr std::uint32_t kMostUnrolled = 8;
  const std::uint32_t from = stack_[stack_.size() - count].slot;
  const std::uint32_t words = next_slot_ - from;
  if (words > kMostUnrolled) {
    const auto bytes = static_cast<std::int32_t>(words * 8);
    const asmjit::Label again = asm_.newLabel();
    asm_.mov(x64::r11, -std::int64_t{bytes});
    asm_.bind(again);
    x64::Mem source = home(from);
    source.setIndex(x64::r11);
    source.addOffset(bytes);
    x64::Mem destination = home(to);
    destination.setIndex(x64::r11);
    destination.addOffset(bytes);
    asm_.movsd(MacroAssembler::kVectorScratch1, source);
    asm_.movsd(destination, MacroAssembler::kVectorScratch1);
    asm_.add(x64::r11, 8);
    asm_.jnz(again);
    return;
  }
  for (std::uint32_t i = 0; i < words; ++i) {
    asm_.mov(x64::r11, home(from + i));
    asm_.mov(home(to + i), x64::r11);
  }
}

void Compiler::branch(Control& target) {
  if (target.kind == ControlKind::function) return emit_return(true);
  move_to_label(target);
  jump(target);
}

void Compiler::branch_if(Control& target) { branch_when(pop_condition(), target); }

void Compiler::branch_when(const Condition& condition, Control& target) {
  const std::size_t count = target.branch_types().size();
  if (count == 0) return jump_if(condition, target);
  if (carries(target)) {
    carry(stack_.back());
    return jump_if(condition, target);
  }
  force_home_uppermost(count);
  if (target.kind != ControlKind::function) {
    if (is_placed(target)) return jump_if(condition, target);
  }
  const asmjit::Label over = asm_.newLabel();
  jump_if(condition.negated(), over);
  branch(target);
  asm_.bind(over);
}

// The index is brought into the table's bounds without a branch, so that none is guessed.
void Compiler::branch_table(std::span<Control* const> targets) {
  if (targets.size() <= 2 && applies(Optimisation::small_tables)) {
    if (targets.size() == 1) {
      drop();
    } else {
      branch_when(pop_condition(), *targets[1]);
    }
    return branch(*targets[0]);
  }
  Value index = pop();
  const std::size_t count = targets.back()->branch_types().size();
  static_cast<void>(in_own_gpr(index, count == 1 ? bit(kRax) : 0));
  Type carried = Type::i32;
  if (count == 1) {
    carried = stack_.back().type;
    if (bank_of(carried) == Bank::general) move_out_of(index, bit(kRax));
    carry(stack_.back());
  } else if (count > 1) {
    force_home_uppermost(count);
  }
  const x64::Gp own = Assembler::gpr(index.reg);
  const auto last = static_cast<std::uint32_t>(targets.size() - 1);
  JumpTable& table = tables_.emplace_back();
  table = {asm_.newLabel(), static_cast<std::uint32_t>(table_targets_.size()),
           static_cast<std::uint32_t>(targets.size())};
  asm_.mov(x64::r11d, last);
  asm_.cmp(own.r32(), x64::r11d);
  asm_.cmova(own.r32(), x64::r11d);
  asm_.lea(x64::r11, x64::ptr(table.label));
  asm_.movsxd(own, x64::dword_ptr(x64::r11, own, 2));
  asm_.add(own, x64::r11);
  asm_.jmp(own);
  release(index);

  ++table_count_;
  std::vector<Control*> stubs;
  for (Control* target : targets) {
    const bool is_near = target->kind == ControlKind::function || is_same_region(target->label.region);
    const bool is_direct = is_near && (count == 0 || carries(*target) || is_placed_for_table(*target));
    if (is_direct) {
      table_targets_.push_back(target_of(*target));
      continue;
    }
    if (target->label.table != table_count_) {
      target->label.table = table_count_;
      target->label.table_stub = asm_.newLabel();
      stubs.push_back(target);
    }
    table_targets_.push_back(target->label.table_stub);
  }
  for (Control* target : stubs) {
    asm_.bind(target->label.table_stub);
    if (target->kind == ControlKind::function) {
      emit_return(true);
      continue;
    }
    if (carries(*target)) {
      // The value is there.
    } else if (count == 1) {
      if (bank_of(carried) == Bank::general) {
        store(home(label_slot(*target)), carried, x64::rax);
      } else {
        store(home(label_slot(*target)), carried, x64::xmm0);
      }
    } else if (count > 1 && !is_placed(*target)) {
      move_to_slots(label_slot(*target), count);
    }
    jump(*target);
  }
}

bool Compiler::is_placed_for_table(const Control& target) const {
  return target.branch_types().size() > 1 && is_placed(target);
}

void Compiler::branch_on(wasm::Op op, const validate::Immediates& immediates, Control& target) {
  if (op == wasm::Op::br_on_null || op == wasm::Op::br_on_non_null) {
    Value reference = stack_.back();
    if (reference.is_constant() || reference.where == Where::home ||
        (reference.where == Where::local && !locals_[reference.local].is_pinned())) {
      // It is used on both ways.
      reference = pop();
      push_register(reference.type, in_gpr(reference));
    }
    Value top = stack_.back();
    const x64::Gp reg = in_gpr(top);
    asm_.test(reg, reg);
    flags_live_ = true;
    if (op == wasm::Op::br_on_non_null) {
      branch_when({.code = x64::CondCode::kNZ}, target);
      return release(pop());
    }
    // The label does not get the reference: it is not on the stack at the branch, and there again behind it.
    Value kept = pop();
    if (carries(target)) move_out_of(kept, bit(kRax));
    branch_when({.code = x64::CondCode::kZ}, target);
    static_cast<void>(in_gpr(kept));
    return push_tested(kept, true);
  }
  test_for_branch(immediates.type2, immediates.type);
  const Condition condition = pop_condition();
  branch_when(op == wasm::Op::br_on_cast ? condition : condition.negated(), target);
}

// --- return

void Compiler::emit_return(bool jumps) {
  const std::size_t count = type_.results.size();
  const std::size_t first = stack_.size() - count;
  const AreaRange area = area_range(PlaceAssigner::of_results(), type_.results);
  if (area.is_long()) {
    // Behind a condition they are at home already.
    force_home_uppermost(count);
    copy_area(area, stack_[first].slot, true, x64::rcx);
  }
  pass_values(PlaceAssigner::of_results(), type_.results, area);
  move_in_parallel(moves_);
  if (jumps) asm_.jmp(return_label_);
}

}  // namespace wasi::jit::baseline

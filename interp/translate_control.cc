// Translation of blocks, branches and calls.
#include <algorithm>

#include "interp/translator.h"

namespace wasi::interp {

using validate::ControlKind;

// What a conditional branch tests: a comparison that became part of it, or a value.
struct Translator::Condition {
  const Lowering* comparison = nullptr;
  Operand lhs;  // without a comparison: the value; a constant's bits
  Operand rhs;
};

namespace {

constexpr unsigned kFirstBranch = 4;        // behind the comparison's own forms: br_
constexpr unsigned kFirstSecondBranch = 8;  // br_back_ of integers, brn_ of floats
static_assert(form_of(Code::i32_eq_ss, kFirstBranch) == Code::br_i32_eq_ss);
static_assert(form_of(Code::i32_eq_ss, kFirstSecondBranch) == Code::br_back_i32_eq_ss);
static_assert(form_of(Code::f32_eq_ss, kFirstSecondBranch) == Code::brn_f32_eq_ss);

}  // namespace

// --- blocks

void Translator::open_loop(Control& control) {
  flush();
  forget_code();
  control.label.position = out_.size();
  loops_.add(out_.size(), offset_);
  if (loop_depth_++ == 0) outer_loop_ = out_.size();
}

void Translator::open_if(Control& control) {
  const Condition condition = take_condition();
  flush();
  emit_branch_if(condition, false, control.label.else_fixups, kUnbound);
}

void Translator::open_else(Control& control, bool falls_in) {
  if (falls_in) {
    flush();
    emit(Code::br);
    put_fixup(control.label.fixups);
  }
  bind(control.label.else_fixups);
  reset_stack(control.height, control.params);
}

void Translator::close(Control& control, bool falls_in) {
  if (control.kind == ControlKind::loop && control.label.position != kUnbound && --loop_depth_ == 0) {
    looped_bytes_ += out_.size() - outer_loop_;
  }
  if (control.kind == ControlKind::function) {
    if (falls_in) emit_return();
    if (control.label.catches != 0) {
      // Their values are results already.
      forget_code();
      bind_catches(control.label);
      emit(Code::return_none);
    }
    return;
  }
  if (control.kind >= ControlKind::try_table) close_try(control.kind);
  const bool is_target = (control.label.fixups | control.label.else_fixups | control.label.catches) != 0;
  if (falls_in) {
    if (!is_target) return;
    flush();
  }
  bind(control.label.else_fixups);
  bind(control.label.fixups);
  bind_catches(control.label);
  reset_stack(control.height, control.results);
}

// --- branches

// Pops it. A comparison just before is taken back: it becomes part of the branch.
Translator::Condition Translator::take_condition() {
  const Entry entry = pop();
  if (is_last_comparison(entry)) {
    const Instruction last = take_back_last();
    return {last.comparison, last.lhs, last.rhs};
  }
  return {nullptr, operand(entry, ValueClass::integer, false), {}};
}

void Translator::emit_branch_if(const Condition& condition, bool sense, std::uint32_t& fixups, std::uint32_t position) {
  const bool back = position != kUnbound;
  if (condition.comparison == nullptr) {
    if (condition.lhs.form == 'k') {
      if ((static_cast<std::uint32_t>(condition.lhs.bits) != 0) != sense) return;
      emit(back ? Code::br_back : Code::br);
      if (back) mark();
      return put_target(fixups, position);
    }
    const Code first = back ? Code::br_back_nez_s : Code::br_nez_s;
    emit(form_of(first, (sense ? 0 : 2) + (condition.lhs.form == 'a' ? 1 : 0)));
    if (back) mark();
    put_operand(condition.lhs, ValueClass::integer, false);
    return put_target(fixups, position);
  }
  const Lowering* comparison = condition.comparison;
  const bool is_integer = comparison->operand == ValueClass::integer;
  if (back && !is_integer) {
    // Floats have no branches back: they are rare, and would be many.
    std::uint32_t over = 0;
    emit_branch_if(condition, !sense, over, kUnbound);
    emit(Code::br_back);
    mark();
    put_target(fixups, position);
    return bind(over);
  }
  if (is_integer && !sense) comparison = &lowering_of(comparison->inverse);
  const bool second = is_integer ? back : !sense;
  const unsigned form = (condition.lhs.form == 'a' ? kFormAS : kFormSS) + (condition.rhs.form == 'k' ? 1 : 0);
  emit(form_of(comparison->first, (second ? kFirstSecondBranch : kFirstBranch) + form));
  if (back) mark();
  put_operand(condition.lhs, comparison->operand, comparison->is_wide);
  put_operand(condition.rhs, comparison->operand, comparison->is_wide);
  put_target(fixups, position);
}

// An unconditional branch whose values are where the label wants them.
void Translator::emit_branch(Control& target) {
  if (target.kind == ControlKind::function) {
    emit(Code::return_none);
    return;
  }
  const bool back = target.kind == ControlKind::loop;
  emit(back ? Code::br_back : Code::br);
  if (back) mark();
  put_target(target.label.fixups, target.label.position);
}

// The values of a branch lie in the label's slots already, once they are in their own.
bool Translator::is_placed(const Control& target) {
  const std::size_t count = target.branch_types().size();
  if (count == 0) return target.kind != ControlKind::function;
  if (target.kind == ControlKind::function) return false;
  return label_slot(target) == stack_[stack_.size() - count].slot;
}

// Copies the uppermost entries to the slots from `to` on, `least_range` or more that are in their slots in one
// instruction.
void Translator::move_entries(std::uint32_t to, std::size_t count, std::size_t least_range) {
  if (count == 0) return;
  const std::size_t first = stack_.size() - count;
  const std::uint32_t distance = stack_[first].slot - to;
  for (std::size_t i = first; i < stack_.size();) {
    std::size_t end = are_placed(i) ? stack_.size() : i;
    while (end < stack_.size() && stack_[end].kind == Entry::Kind::slot) ++end;
    const std::uint32_t slot = stack_[i].slot;
    if (end - i >= least_range) {
      copy_range(slot - distance, slot, (end < stack_.size() ? stack_[end].slot : next_slot()) - slot);
      i = end;
    } else {
      copy(slot - distance, stack_[i++]);
    }
  }
}

// Copies the values of a branch to the label's slots and leaves the model as it is, since the branch
// may be conditional. Slots of the stack move downward, so the order is right.
void Translator::move_results(const Control& target) {
  move_entries(target.kind == ControlKind::function ? 0 : label_slot(target), target.branch_types().size());
}

void Translator::branch(Control& target) {
  if (target.kind == ControlKind::function) return emit_return();
  move_results(target);
  emit_branch(target);
}

void Translator::branch_if(Control& target) { branch_when(take_condition(), true, target); }

void Translator::branch_when(const Condition& condition, bool sense, Control& target) {
  if (is_placed(target)) {
    flush_arguments(target.branch_types().size());
    return emit_branch_if(condition, sense, target.label.fixups, target.label.position);
  }
  // What follows is run only if the branch is taken, so the model must not change there.
  if (target.branch_types().size() > 1) flush_arguments(target.branch_types().size());
  std::uint32_t over = 0;
  emit_branch_if(condition, !sense, over, kUnbound);
  if (target.kind == ControlKind::function) {
    emit_return();
  } else {
    move_results(target);
    emit_branch(target);
  }
  bind(over);
}

// A reference is null when its 64 bits are 0. It is no constant here.
Translator::Condition Translator::null_test(const Entry& reference, bool is_null) {
  const Lowering& comparison = lowering_of(is_null ? wasm::Op::i64_eq : wasm::Op::i64_ne);
  Operand lhs = operand(reference, comparison);
  // The reference is used behind the test too.
  lhs.is_popped = false;
  return {&comparison, lhs, {'k', 0, 0}};
}

void Translator::branch_on(wasm::Op op, const validate::Immediates& immediates, Control& target) {
  settle_constant();
  if (op == wasm::Op::br_on_null) {
    const Entry reference = pop();
    branch_when(null_test(reference, true), true, target);
    push(reference.kind, reference.bits);
  } else if (op == wasm::Op::br_on_non_null) {
    branch_when(null_test(stack_.back(), false), true, target);
    pop();
  } else {
    const Entry reference = stack_.back();
    test_reference(reference, next_slot(), immediates.type2);
    branch_when(take_condition(), op == wasm::Op::br_on_cast, target);
  }
}

void Translator::branch_table(std::span<Control* const> targets) {
  const std::uint32_t index = in_slot(pop());
  flush_arguments(targets.back()->branch_types().size());
  emit(Code::br_table);
  put_slot(index);
  put_index(static_cast<std::uint32_t>(targets.size()));
  ++tables_;
  std::vector<Control*> stubs;
  for (Control* target : targets) {
    out_.reserve(sizeof(std::uint32_t));
    Label& label = target->label;
    if (target->kind != ControlKind::loop && is_placed(*target)) {
      put_fixup(label.fixups);
      continue;
    }
    if (label.table != tables_) {
      label.table = tables_;
      label.table_fixups = 0;
      stubs.push_back(target);
    }
    put_fixup(label.table_fixups);
  }
  for (Control* target : stubs) {
    bind(target->label.table_fixups);
    if (target->kind == ControlKind::function) {
      emit_return();
    } else {
      // A byte of the body each: small code, rather than fast.
      move_entries(label_slot(*target), target->branch_types().size(), 2);
      emit_branch(*target);
    }
  }
}

void Translator::emit_return() {
  const std::size_t count = type_->results.size();
  if (count == 1 && !stack_.back().is_vector) {
    const Entry& result = stack_.back();
    const Operand value = operand(result, ValueClass::integer, true);
    emit(value.form == 'k' ? Code::return_k : Code::return_s);
    if (value.form == 'k') {
      out_.put(static_cast<std::uint32_t>(value.bits));
    } else {
      put_slot(value.slot);
    }
    return;
  }
  // Results that are locals would be overwritten by others on the way to the first slots.
  if (count > 1) flush_arguments(count);
  move_entries(0, count);
  emit(Code::return_none);
}

void Translator::emit_unreachable() {
  emit(Code::unreachable);
  mark();
}

// --- calls

// Arguments become results; nothing else of State outlives a call.
void Translator::finish_call(const wasm::FuncType& type) {
  for (std::size_t i = 0; i < type.params.size(); ++i) pop();
  forget_code();
  push_slots(type.results);
}

void Translator::call_direct(bool is_tail, wasm::FuncIndex function) {
  const wasm::FuncType& type = module_->func_type(function);
  const bool is_import = module_->is_imported(function);
  const std::uint32_t index = is_import ? function.value : function.value - module_->imported_functions;
  const std::uint32_t slots = wasm::slot_count(type.params);
  const std::uint32_t first = next_slot() - slots;
  if (is_tail) {
    flush_arguments(type.params.size());
    emit(is_import ? Code::return_call_import : Code::return_call);
    mark();
    put_slot(first);
    put_slot(slots);
    put_index(index);
    return;
  }
  flush();
  emit(is_import ? Code::call_import : Code::call);
  mark();
  put_index(index);
  put_slot(first);
  finish_call(type);
}

void Translator::call_through_table(bool is_tail, wasm::TypeIndex type_index, wasm::TableIndex table) {
  const wasm::FuncType& type = module_->registry->at(module_->types[type_index.value]).func;
  const bool is_wide = module_->tables[table.value].type.address == wasm::AddressType::i64;
  const std::uint32_t index = in_slot(pop());
  const std::uint32_t slots = wasm::slot_count(type.params);
  const std::uint32_t first = next_slot() - slots;
  observe_call(index, is_wide ? Code::observe_indirect_wide : Code::observe_indirect, table);
  if (is_tail) {
    flush_arguments(type.params.size());
    emit(is_wide ? Code::return_call_indirect_wide : Code::return_call_indirect);
    mark();
    put_slot(index);
    put_slot(first);
    put_slot(slots);
    put_index(type_index.value);
    put_index(table.value);
    return;
  }
  flush();
  emit(is_wide ? Code::call_indirect_wide : Code::call_indirect);
  mark();
  put_slot(index);
  put_index(type_index.value);
  put_index(table.value);
  put_slot(first);
  finish_call(type);
}

void Translator::observe_call(std::uint32_t slot, Code code, std::optional<wasm::TableIndex> table) {
  runtime::CallSite* const site = call_sites_ != nullptr ? call_sites_->add(offset_) : nullptr;
  if (site == nullptr) return;
  emit(code);
  put_slot(slot);
  if (table) put_index(table->value);
  out_.put(reinterpret_cast<std::uint64_t>(site));
}

void Translator::call_reference(bool is_tail, wasm::TypeIndex type_index) {
  const wasm::FuncType& type = module_->registry->at(module_->types[type_index.value]).func;
  const std::uint32_t function = in_slot(pop());
  const std::uint32_t slots = wasm::slot_count(type.params);
  const std::uint32_t first = next_slot() - slots;
  observe_call(function, Code::observe_reference, std::nullopt);
  if (is_tail) {
    flush_arguments(type.params.size());
    emit(Code::return_call_ref);
    mark();
    put_slot(function);
    put_slot(first);
    put_slot(slots);
    return;
  }
  flush();
  emit(Code::call_ref);
  mark();
  put_slot(function);
  put_slot(slots);
  put_slot(first);
  finish_call(type);
}

}  // namespace wasi::interp

// Translation of exceptions: the catch table, throw, and the legacy instructions.
//
// A clause's values are put into its label's slots by the one who unwinds, so a clause needs no code: its
// target is the label. A rethrow needs the exception that its catch caught; that is kept in a slot behind the
// function's locals, one per depth of nested catches that are rethrown from. How many there are is known only at
// the end of the body, so a function with a rethrow is translated twice.
#include <algorithm>

#include "interp/translator.h"

namespace wasi::interp {

using validate::ControlKind;

const wasm::FuncType& Translator::tag_type(wasm::TagIndex tag) const {
  return module_->registry->at(module_->types[module_->tags[tag.value].value]).func;
}

// The code before is not changed any more: no call moves over a region's bounds.
void Translator::open_region(const Control& control) {
  flush();
  forget_code();
  const std::uint32_t outer = catches_.region();
  const std::uint32_t body = catches_.open(out_.size());
  tries_.push_back({.offset = control.offset, .body = body, .region = body, .outer = outer, .depth = catch_depth_});
}

// The body of the innermost try has ended.
void Translator::close_region() {
  forget_code();
  Try& innermost = tries_.back();
  innermost.region = innermost.outer;
  catches_.enter(out_.size(), innermost.outer);
}

// At the end of a block that is a try, in whichever arm.
void Translator::close_try(ControlKind kind) {
  if (kind == ControlKind::try_table || kind == ControlKind::try_) close_region();
  catch_depth_ = tries_.back().depth;
  tries_.pop_back();
}

// Adds a clause behind the others of the innermost try.
std::uint32_t Translator::add_clause(const CatchClause& clause) {
  Try& innermost = tries_.back();
  innermost.last_clause = catches_.add(innermost.body, innermost.last_clause, clause);
  return innermost.last_clause;
}

// Clauses that lead to the label lead here.
void Translator::bind_catches(Label& label) {
  for (std::uint32_t next = label.catches; next != 0;) {
    next = std::exchange(catches_.clause(next - 1).target, out_.size());
  }
  label.catches = 0;
}

void Translator::open_try_table(Control& control, std::span<const validate::CatchClause<Label>> clauses) {
  using Kind = validate::CatchClause<Label>::Kind;
  open_region(control);
  for (const auto& from : clauses) {
    const bool has_tag = from.kind == Kind::catch_ || from.kind == Kind::catch_ref;
    const bool has_exception = from.kind == Kind::catch_ref || from.kind == Kind::catch_all_ref;
    Control& target = *from.target;
    const std::uint32_t first = target.kind == ControlKind::function ? 0 : label_slot(target);
    const std::uint32_t values = has_tag ? wasm::slot_count(tag_type(from.tag).params) : 0;
    frame_slots_ = std::max(frame_slots_, first + values + (has_exception ? 1 : 0));
    CatchClause clause;
    if (has_tag) clause.tag = from.tag.value;
    clause.values_slot = static_cast<std::uint16_t>(first);
    if (has_exception) clause.exception_slot = static_cast<std::uint16_t>(first + values);
    const bool is_bound = target.kind == ControlKind::loop;
    clause.target = is_bound ? target.label.position : target.label.catches;
    const std::uint32_t index = add_clause(clause);
    // Until the label is bound, its clauses are linked through their targets.
    if (!is_bound) target.label.catches = index + 1;
  }
}

void Translator::emit_throw(wasm::TagIndex tag) {
  const std::vector<wasm::ValType>& types = tag_type(tag).params;
  flush_arguments(types.size());
  const std::uint32_t first = types.empty() ? 0 : stack_[stack_.size() - types.size()].slot;
  emit(Code::throw_);
  mark();
  put_index(tag.value);
  put_slot(first);
}

void Translator::emit_throw_ref() {
  const std::uint32_t slot = in_slot(pop());
  emit(Code::throw_ref);
  mark();
  put_slot(slot);
}

// --- the legacy instructions

void Translator::legacy(wasm::Op op, Control& control, std::uint32_t tag) {
  switch (op) {
    case wasm::Op::try_:
      return open_region(control);
    case wasm::Op::catch_:
      return open_catch(control, tag, tag_type(wasm::TagIndex(tag)).params);
    case wasm::Op::catch_all:
      return open_catch(control, CatchClause::kAnyTag, {});
    case wasm::Op::delegate:
      return delegate(control);
    default:
      return rethrow(control);
  }
}

void Translator::open_catch(Control& control, std::uint32_t tag, std::span<const wasm::ValType> values) {
  if (!control.unreachable) {
    flush();
    emit(Code::br);
    put_fixup(control.label.fixups);
  }
  if (control.kind == ControlKind::try_) {
    close_region();
    ++catch_depth_;
  }
  forget_code();
  CatchClause clause;
  clause.tag = tag;
  clause.target = out_.size();
  clause.values_slot = static_cast<std::uint16_t>(label_slot(control));
  add_clause(clause);
  reset_stack(control.height, values);
}

// What the innermost try throws is handled as if thrown in the label's block, where a try around that block,
// or the block itself, may catch it.
void Translator::delegate(const Control& label) {
  std::uint32_t region = 0;
  // The function's block begins where its first instruction does.
  if (label.kind != ControlKind::function) {
    // The innermost one around, of those outside of the try that ends here. Inner ones have larger offsets.
    const auto behind = std::ranges::upper_bound(tries_.begin(), tries_.end() - 1, label.offset, {}, &Try::offset);
    if (behind != tries_.begin()) region = (behind - 1)->region;
  }
  catches_.set_parent(tries_.back().body, region);
}

void Translator::rethrow(const Control& label) {
  const auto target = std::ranges::lower_bound(tries_, label.offset, {}, &Try::offset);
  rethrow_slots_ = std::max(rethrow_slots_, target->depth + 1);
  // In a translation without the slot, which is thrown away, this is some slot.
  const std::uint32_t slot = locals_ - reserved_ + target->depth;
  catches_.clause(target->last_clause).exception_slot = static_cast<std::uint16_t>(slot);
  emit(Code::throw_ref);
  mark();
  put_slot(slot);
}

}  // namespace wasi::interp

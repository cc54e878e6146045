// Exceptions: throws, and the code that finds out who catches.
//
// A call in a function with handlers is followed by a look at ExecState::thrown (runtime/native_unwind.h lands there).
// Then the handler of the *region*, the innermost try around the call, compares tags clause by clause, brings the
// values to the label's slots and goes there; or the region around it does; or the caller. All handlers stand behind
// the body; when one begins, values of the stack and locals in registers that calls clobber are at home.
//
// A rethrow needs the exception that its catch caught: it is kept behind the operands, in a slot per depth of nested
// legacy catches.
#include <algorithm>

#include "jit/baseline/compiler.h"
#include "runtime/exec_state.h"

namespace wasi::jit::baseline {

using runtime::ExecState;
using runtime::RuntimeCallId;
using validate::ControlKind;

namespace {

const wasm::FuncType& tag_type(const wasm::Module& module, std::uint32_t tag) {
  return module.registry->at(module.types[module.tags[tag].value]).func;
}

}  // namespace

std::uint32_t Compiler::current_region() const { return tries_.empty() ? 0 : tries_.back().region; }

asmjit::Label Compiler::handler_of(std::uint32_t region) {
  if (regions_.empty()) regions_.emplace_back();  // region 0: the caller
  if (!regions_[region].handler.isValid()) regions_[region].handler = asm_.newLabel();
  return regions_[region].handler;
}

void Compiler::open_region(Control& control) {
  control.label.region = region_;
  flush();
  if (regions_.empty()) regions_.emplace_back();
  const std::uint32_t outer = current_region();
  regions_.push_back({.parent = outer});
  const auto body = static_cast<std::uint32_t>(regions_.size() - 1);
  tries_.push_back({.offset = control.offset, .body = body, .region = body, .outer = outer, .depth = catch_depth_});
}

void Compiler::open_try_table(Control& control, std::span<const validate::CatchClause<Label>> clauses) {
  using Kind = validate::CatchClause<Label>::Kind;
  open_region(control);
  for (const auto& from : clauses) {
    Control& target = *from.target;
    Clause clause;
    if (from.kind == Kind::catch_ || from.kind == Kind::catch_ref) clause.tag = from.tag.value;
    clause.has_reference = from.kind == Kind::catch_ref || from.kind == Kind::catch_all_ref;
    clause.slot = label_slot(target);
    for (const wasm::ValType type : target.branch_types()) clause.values.push_back(type_of(type));
    clause.target = target_of(target);
    clause.returns = target.kind == ControlKind::function;
    clause.carries = carries(target);
    regions_.back().clauses.push_back(std::move(clause));
  }
}

// At the end of a block that is a try, in whichever arm.
void Compiler::close_try(Control& /*control*/) {
  catch_depth_ = tries_.back().depth;
  tries_.pop_back();
}

// Who catches is decided where the throw is, or by the caller.
void Compiler::throw_on() {
  if (!scan_.has_handlers) {
    call_runtime(RuntimeCallId::unwind);
    return;
  }
  asm_.jmp(handler_of(current_region()));
}

void Compiler::emit_throw(wasm::TagIndex tag) {
  service(RuntimeCallId::throw_, tag_type(module_, tag.value).params.size(), std::nullopt, tag.value);
  throw_on();
}

void Compiler::emit_throw_ref() {
  service(RuntimeCallId::throw_ref, 1, std::nullopt);
  throw_on();
}

void Compiler::test_thrown() {
  load_exec(x64::r11);
  asm_.cmp(x64::qword_ptr(x64::r11, offsetof(ExecState, thrown)), 0);
  asm_.jne(handler_of(current_region()));
}

// --- the legacy instructions

void Compiler::legacy(wasm::Op op, Control& control, std::uint32_t tag) {
  switch (op) {
    case wasm::Op::try_:
      return open_region(control);
    case wasm::Op::catch_:
      return open_catch(control, tag, tag_type(module_, tag).params);
    case wasm::Op::catch_all:
      return open_catch(control, std::nullopt, {});
    case wasm::Op::delegate:
      return delegate(control);
    default:
      return rethrow(control);
  }
}

void Compiler::open_catch(Control& control, std::optional<std::uint32_t> tag, std::span<const wasm::ValType> values) {
  if (!control.unreachable) {
    move_to_label(control);
    asm_.jmp(target_of(control));
  }
  Try& innermost = tries_.back();
  if (control.kind == ControlKind::try_) {
    innermost.region = innermost.outer;
    ++catch_depth_;
  }
  Clause clause;
  clause.tag = tag;
  clause.slot = label_slot(control);
  for (const wasm::ValType type : values) clause.values.push_back(type_of(type));
  clause.target = asm_.newLabel();
  asm_.bind(clause.target);
  // Behind the operands: the exception, for those that are rethrown.
  if (scan_.has_rethrow) clause.kept_slot = frame_slots_ + innermost.depth;
  reset_stack(control.height, values, false);
  regions_[innermost.body].clauses.push_back(std::move(clause));
}

// What the innermost try throws is handled as if thrown in the label's block, where a try around that block, or the
// block itself, may catch it.
void Compiler::delegate(const Control& label) {
  std::uint32_t region = 0;
  if (label.kind != ControlKind::function) {
    const auto behind = std::ranges::upper_bound(tries_.begin(), tries_.end() - 1, label.offset, {}, &Try::offset);
    if (behind != tries_.begin()) region = (behind - 1)->region;
  }
  regions_[tries_.back().body].parent = region;
}

void Compiler::rethrow(const Control& label) {
  const auto target = std::ranges::lower_bound(tries_, label.offset, {}, &Try::offset);
  push_home(Type::ref);
  asm_.mov(x64::r11, home(frame_slots_ + target->depth));
  asm_.mov(home(stack_.back().slot), x64::r11);
  service(RuntimeCallId::throw_ref, 1, std::nullopt);
  throw_on();
}

// --- handlers

// Regions within others come first, since they go on in those around.
void Compiler::emit_handlers() {
  for (std::size_t index = regions_.size(); index-- > 0;) {
    if (!regions_[index].handler.isValid()) continue;
    asm_.bind(regions_[index].handler);
    if (index == 0) {
      call_runtime(RuntimeCallId::unwind);
      break;
    }
    bool catches_all = false;
    for (const Clause& clause : regions_[index].clauses) {
      const asmjit::Label next = asm_.newLabel();
      if (clause.tag) {
        asm_.mov(x64::esi, *clause.tag);
        call_runtime(RuntimeCallId::thrown_has_tag);
        asm_.test(x64::al, x64::al);
        asm_.jz(next);
      }
      emit_landing(clause);
      asm_.bind(next);
      catches_all = !clause.tag;
      if (catches_all) break;
    }
    if (!catches_all) asm_.jmp(handler_of(regions_[index].parent));
  }
}

void Compiler::emit_landing(const Clause& clause) {
  asm_.lea(x64::rsi, home(clause.slot));
  asm_.mov(x64::edx, (clause.tag ? 1U : 0U) | (clause.has_reference ? 2U : 0U));
  if (clause.kept_slot) {
    asm_.lea(x64::rcx, home(*clause.kept_slot));
  } else {
    asm_.xor_(x64::ecx, x64::ecx);
  }
  call_runtime(RuntimeCallId::take_thrown);
  restore_pins();
  if (clause.returns) {
    reset_stack(0, {}, false);
    for (const Type type : clause.values) push_home(type);
    return emit_return(true);
  }
  if (clause.carries) {
    const Value value{.where = Where::home, .type = clause.values[0], .slot = clause.slot};
    if (bank_of(value.type) == Bank::general) {
      copy_to(x64::rax, value);
    } else {
      copy_to(x64::xmm0, value);
    }
  }
  asm_.jmp(clause.target);
}

}  // namespace wasi::jit::baseline

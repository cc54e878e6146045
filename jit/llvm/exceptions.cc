// Exceptions: throws, and the code that finds out who catches.
//
// A call in a function with handlers is followed by a look at ExecState::thrown (runtime/native_unwind.h lands there).
// Then the handler of the *region*, the innermost try around the call, compares tags clause by clause, brings the
// values to the label's homes and goes there; or the region around it does; or the caller. What a label finds on the
// stack below its values was there before its block began, so it dominates the handlers of all regions within.
//
// A rethrow needs the exception that its catch caught. That is kept in the frame, where the collector finds it.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#control-instructions, and for the legacy
// instructions https://webassembly.github.io/exception-handling/legacy/core/exec/instructions.html
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>

#include <algorithm>

#include "jit/llvm/lowering.h"
#include "runtime/exec_state.h"
#include "runtime/frame.h"

namespace wasi::jit::optimising {

using runtime::ExecState;
using runtime::RuntimeCallId;
using runtime::Slot;
using validate::ControlKind;

namespace {

const wasm::FuncType& tag_type(const wasm::Module& module, std::uint32_t tag) {
  return module.registry->at(module.types[module.tags[tag].value]).func;
}

}  // namespace

std::uint32_t Lowering::current_region() const { return tries_.empty() ? 0 : tries_.back().region; }

llvm::BasicBlock* Lowering::handler_of(std::uint32_t region) {
  if (regions_.empty()) regions_.emplace_back();  // region 0: the caller
  llvm::BasicBlock*& handler = regions_[region].handler;
  if (handler == nullptr) handler = new_block("handler");
  return handler;
}

void Lowering::open_region(Control& control) {
  open_block(control);
  if (regions_.empty()) regions_.emplace_back();
  const std::uint32_t outer = current_region();
  regions_.push_back({.parent = outer});
  const auto body = static_cast<std::uint32_t>(regions_.size() - 1);
  tries_.push_back({.offset = control.offset, .body = body, .region = body, .outer = outer});
}

void Lowering::open_try_table(Control& control, std::span<const validate::CatchClause<Label>> clauses) {
  using Kind = validate::CatchClause<Label>::Kind;
  open_region(control);
  for (const auto& from : clauses) {
    Control& target = *from.target;
    Clause clause;
    if (from.kind == Kind::catch_ || from.kind == Kind::catch_ref) clause.tag = from.tag.value;
    clause.has_reference = from.kind == Kind::catch_ref || from.kind == Kind::catch_all_ref;
    clause.slot = target.slot_height;
    for (const wasm::ValType type : target.branch_types()) clause.values.push_back(type_of(type));
    if (target.kind != ControlKind::function) clause.target = target_of(target);
    regions_.back().clauses.push_back(std::move(clause));
  }
}

// At the end of a block that is a try, in whichever arm.
void Lowering::close_try() { tries_.pop_back(); }

// Ends the block. Who catches is decided where the throw is, or by the caller: then this frame is left from here.
void Lowering::throw_on() {
  if (looks_for_thrown_ && current_region() != 0) {
    builder_.CreateBr(handler_of(current_region()));
  } else {
    leave_thrown();
  }
}

void Lowering::leave_thrown() {
  if (looks_for_thrown_) {
    // As a part of another function this one has no frame, and others may catch in that one.
    llvm::CallInst* const leaves =
        builder_.CreateCall(unit_.marker(Unit::Marker::leaves), {i32(unit_.number_of(into_))});
    leaves->addFnAttr(llvm::Attribute::NoMerge);
    llvm::BasicBlock* const leave = new_block("leave");
    llvm::BasicBlock* const go_on = new_block("");
    builder_.CreateCondBr(leaves, leave, go_on);
    enter(go_on);
    builder_.CreateRet(llvm::PoisonValue::get(into_.getReturnType()));
    enter(leave);
  }
  llvm::CallInst* const call = call_runtime(RuntimeCallId::unwind, nullptr, {});
  call->addFnAttr(llvm::Attribute::NoReturn);
  call->addFnAttr(llvm::Attribute::Cold);
  builder_.CreateUnreachable();
}

void Lowering::emit_throw(wasm::TagIndex tag) {
  service(RuntimeCallId::throw_, tag_type(module_, tag.value).params.size(), std::nullopt, tag.value);
  keep_references();  // handlers may need them
  throw_on();
}

void Lowering::emit_throw_ref() {
  service(RuntimeCallId::throw_ref, 1, std::nullopt);
  throw_on();
}

void Lowering::test_thrown() { test_thrown_in(current_region()); }

void Lowering::test_thrown_in(std::uint32_t region) {
  llvm::BasicBlock* const look = new_block("");
  llvm::BasicBlock* const returned = new_block("");
  builder_.CreateCondBr(builder_.CreateCall(unit_.marker(Unit::Marker::looks)), look, returned);
  enter(look);
  llvm::Value* const thrown = load(builder_.getPtrTy(), exec(), offsetof(ExecState, thrown), Region::state);
  builder_.CreateCondBr(builder_.CreateIsNotNull(thrown), handler_of(region), returned, unit_.seldom);
  enter(returned);
}

// --- the legacy instructions

void Lowering::legacy(wasm::Op op, Control& control, std::uint32_t tag_or_depth) {
  switch (op) {
    case wasm::Op::try_:
      return open_region(control);
    case wasm::Op::catch_:
      return open_catch(control, tag_or_depth, tag_type(module_, tag_or_depth).params);
    case wasm::Op::catch_all:
      return open_catch(control, std::nullopt, {});
    case wasm::Op::delegate:
      return delegate(control);
    default:
      return rethrow(control);
  }
}

void Lowering::open_catch(Control& control, std::optional<std::uint32_t> tag, std::span<const wasm::ValType> values) {
  if (!control.unreachable) branch(control);
  Try& innermost = tries_.back();
  if (control.kind == ControlKind::try_) innermost.region = innermost.outer;
  Clause clause;
  clause.tag = tag;
  clause.slot = control.slot_height;
  for (const wasm::ValType type : values) clause.values.push_back(type_of(type));
  clause.target = new_block("catch");
  enter(clause.target);
  reset_stack(control.height, values);
  innermost.kept = nullptr;  // that of the arm before, which has ended
  regions_[innermost.body].clauses.push_back(std::move(clause));
}

// What the innermost try throws is handled as if thrown in the label's block, where a try around that block, or the
// block itself, may catch it.
void Lowering::delegate(const Control& label) {
  std::uint32_t region = 0;
  if (label.kind != ControlKind::function) {
    const auto behind = std::ranges::upper_bound(tries_.begin(), tries_.end() - 1, label.offset, {}, &Try::offset);
    if (behind != tries_.begin()) region = (behind - 1)->region;
  }
  regions_[tries_.back().body].parent = region;
}

// Only now is it known that the arm's exception is wanted: its handler is not emitted before the end of the body.
void Lowering::rethrow(const Control& label) {
  const auto target = std::ranges::lower_bound(tries_, label.offset, {}, &Try::offset);
  if (target->kept == nullptr) {
    target->kept = new llvm::AllocaInst(type(Type::ref), 0, "kept", entry_->begin());
    regions_[target->body].clauses.back().kept = target->kept;
  }
  push(builder_.CreateLoad(type(Type::ref), target->kept), Type::ref);
  emit_throw_ref();
}

// --- handlers

// Regions within others come first, since they go on in those around.
void Lowering::emit_handlers() {
  for (std::size_t index = regions_.size(); index-- > 0;) {
    if (regions_[index].handler == nullptr) continue;
    enter(regions_[index].handler);
    if (index == 0) {
      leave_thrown();
      break;
    }
    bool catches_all = false;
    for (const Clause& clause : regions_[index].clauses) {
      catches_all = !clause.tag;
      if (catches_all) {
        land(clause);
        break;
      }
      llvm::Value* const has_tag =
          call_runtime(RuntimeCallId::thrown_has_tag, builder_.getInt8Ty(), {context_, i32(*clause.tag)});
      llvm::BasicBlock* const landing = new_block("landing");
      llvm::BasicBlock* const next = new_block("");
      builder_.CreateCondBr(builder_.CreateIsNotNull(has_tag), landing, next);
      enter(landing);
      land(clause);
      enter(next);
    }
    if (!catches_all) builder_.CreateBr(handler_of(regions_[index].parent));
  }
}

// The exception ends its way here.
void Lowering::land(const Clause& clause) {
  builder_.CreateCall(unit_.marker(Unit::Marker::handles));
  std::uint32_t slots = 0;
  for (const Type type : clause.values) slots += slots_of(type);
  llvm::Value* const place = scratch(std::max(slots, 1U));
  llvm::Value* const kept = clause.kept != nullptr ? static_cast<llvm::Value*>(clause.kept)
                                                   : llvm::ConstantPointerNull::get(builder_.getPtrTy());
  call_runtime(RuntimeCallId::take_thrown, nullptr,
               {context_, place, i32((clause.tag ? 1U : 0U) | (clause.has_reference ? 2U : 0U)), kept});
  std::uint32_t slot = 0;
  for (const Type of : clause.values) {
    store_home(clause.slot + slot, of,
               builder_.CreateAlignedLoad(type(of), at_offset(place, slot * sizeof(Slot)), llvm::Align(8)));
    slot += slots_of(of);
  }
  if (clause.target != nullptr) {
    builder_.CreateBr(clause.target);
    return;
  }
  reset_stack(0, type_.results);
  emit_return();
}

}  // namespace wasi::jit::optimising

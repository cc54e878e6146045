// Calls of functions, of the runtime, and what traps. The convention is jit/common/native_abi.h's.
#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "jit/llvm/lowering.h"
#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::optimising {

using runtime::ExecState;
using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::RuntimeCallId;
using runtime::Slot;
using runtime::TableView;
using runtime::VmContext;

// --- registers

// An i32 or f32 leaves the upper half undefined; a float goes as a vector.
llvm::Value* Lowering::to_register(llvm::Value* value, Type of) {
  llvm::Type* const vector = unit_.prototype()->getParamType(7);
  switch (of) {
    case Type::i32:
      return zero_extended(value);
    case Type::i64:
    case Type::ref:
      return value;
    case Type::f32: {
      llvm::Type* const lanes = llvm::FixedVectorType::get(builder_.getFloatTy(), 4);
      return builder_.CreateBitCast(
          builder_.CreateInsertElement(llvm::PoisonValue::get(lanes), value, std::uint64_t{0}), vector);
    }
    case Type::f64:
      return builder_.CreateInsertElement(llvm::PoisonValue::get(vector), value, std::uint64_t{0});
    case Type::v128:
      return builder_.CreateBitCast(value, vector);
  }
  return nullptr;
}

llvm::Value* Lowering::from_register(llvm::Value* value, Type of) {
  switch (of) {
    case Type::i32:
      return builder_.CreateTrunc(value, builder_.getInt32Ty());
    case Type::i64:
    case Type::ref:
      return value;
    case Type::f32: {
      llvm::Type* const lanes = llvm::FixedVectorType::get(builder_.getFloatTy(), 4);
      return builder_.CreateExtractElement(builder_.CreateBitCast(value, lanes), std::uint64_t{0});
    }
    case Type::f64:
      return builder_.CreateExtractElement(value, std::uint64_t{0});
    case Type::v128:
      return builder_.CreateBitCast(value, type(Type::v128));
  }
  return nullptr;
}

llvm::Value* Lowering::area() {
  return load(builder_.getPtrTy(), exec(), offsetof(ExecState, free_slot), Region::state);
}

// --- functions

void Lowering::call_direct(bool is_tail, wasm::FuncIndex function) {
  const wasm::FuncType& type = module_.func_type(function);
  if (module_.is_imported(function)) {
    llvm::Value* const imports =
        load(builder_.getPtrTy(), context_, offsetof(VmContext, imported_functions), Region::context, true);
    llvm::Value* const reference =
        load(builder_.getPtrTy(), imports, function.value * sizeof(FuncRef*), Region::context, true);
    llvm::Value* const instance =
        load(builder_.getPtrTy(), reference, offsetof(FuncRef, instance), Region::context, true);
    llvm::Value* const code = load(builder_.getPtrTy(), reference, offsetof(FuncRef, code), Region::context, true);
    return emit_call(is_tail, type, {nullptr, code, instance}, {});
  }
  // Whether its code is in this unit is seen in the end (late.h).
  emit_call(is_tail, type, own_function(function), {});
}

// The FuncRef of the element, whose type is checked. Another type than exactly this one is looked at by the runtime.
void Lowering::call_through_table(bool is_tail, wasm::TypeIndex type_index, wasm::TableIndex table) {
  const wasm::FuncType& type = module_.registry->at(module_.types[type_index.value]).func;
  const bool is_wide = module_.tables[table.value].type.address == wasm::AddressType::i64;
  llvm::Value* const popped = pop();
  llvm::Value* const index = is_wide ? popped : zero_extended(popped);
  llvm::Type* const ptr = builder_.getPtrTy();

  const TableParts parts = table_parts(table.value);
  llvm::BasicBlock* const inside = new_block("");
  llvm::BasicBlock* const there = new_block("");
  llvm::BasicBlock* const slowly = new_block("resolve");
  llvm::BasicBlock* const done = new_block("");
  builder_.CreateCondBr(builder_.CreateICmpUGE(index, parts.size), slowly, inside, unit_.seldom);
  enter(inside);
  llvm::LoadInst* const element = builder_.CreateLoad(ptr, builder_.CreateGEP(ptr, parts.elements, index));
  unit_.note(element, Region::table);
  const std::vector<LikelyArm> likely = call_likely(is_tail, type_index, element);
  builder_.CreateCondBr(builder_.CreateIsNull(element), slowly, there, unit_.seldom);
  enter(there);
  llvm::Value* const ids = load(ptr, context_, offsetof(VmContext, type_ids), Region::context, true);
  llvm::Value* const wanted =
      load(builder_.getInt32Ty(), ids, type_index.value * sizeof(std::uint32_t), Region::context, true);
  llvm::Value* const found = load(builder_.getInt32Ty(), element, offsetof(FuncRef, type), Region::code);
  builder_.CreateCondBr(builder_.CreateICmpNE(found, wanted), slowly, done, unit_.seldom);

  enter(slowly);
  llvm::Value* const resolved =
      call_runtime(RuntimeCallId::resolve_indirect, ptr, {context_, i32(table.value), i32(type_index.value), index});
  builder_.CreateBr(done);
  enter(done);
  llvm::PHINode* const reference = builder_.CreatePHI(ptr, 2);
  reference->addIncoming(element, there);
  reference->addIncoming(resolved, slowly);
  llvm::Value* const instance = load(ptr, reference, offsetof(FuncRef, instance), Region::code);
  llvm::Value* const code = load(ptr, reference, offsetof(FuncRef, code), Region::code);
  emit_call(is_tail, type, {nullptr, code, instance}, likely);
}

void Lowering::call_reference(bool is_tail, wasm::TypeIndex type_index) {
  const wasm::FuncType& type = module_.registry->at(module_.types[type_index.value]).func;
  llvm::Value* const popped = pop();
  llvm::Value* const reference = builder_.CreateIntToPtr(popped, builder_.getPtrTy());
  const std::vector<LikelyArm> likely = call_likely(is_tail, type_index, reference);
  trap_if(builder_.CreateICmpEQ(popped, i64(0)), TrapCode::null_function_reference);
  llvm::Value* const instance = load(builder_.getPtrTy(), reference, offsetof(FuncRef, instance), Region::code);
  llvm::Value* const code = load(builder_.getPtrTy(), reference, offsetof(FuncRef, code), Region::code);
  emit_call(is_tail, type, {nullptr, code, instance}, likely);
}

// Whoever has no entry yet gets one on the way.
llvm::Value* Lowering::entry_of(llvm::Value* callee) {
  llvm::Type* const ptr = builder_.getPtrTy();
  llvm::LoadInst* const entry =
      builder_.CreateAlignedLoad(ptr, at_offset(callee, offsetof(FunctionCode, native_entry)), llvm::Align(8));
  entry->setAtomic(llvm::AtomicOrdering::Unordered);
  unit_.note(entry, Region::code);
  llvm::BasicBlock* const from = builder_.GetInsertBlock();
  llvm::BasicBlock* const bind = new_block("bind");
  llvm::BasicBlock* const bound = new_block("");
  builder_.CreateCondBr(builder_.CreateIsNull(entry), bind, bound, unit_.seldom);
  enter(bind);
  llvm::Value* const binder = load(ptr, exec(), offsetof(ExecState, bind_native_entry), Region::state, true);
  builder_.CreateBr(bound);
  enter(bound);
  llvm::PHINode* const target = builder_.CreatePHI(ptr, 2);
  target->addIncoming(entry, from);
  target->addIncoming(binder, bind);
  return target;
}

std::vector<llvm::Value*> Lowering::arguments(const wasm::FuncType& type) {
  const std::size_t first = stack_.size() - type.params.size();
  std::vector<llvm::Value*> args;
  for (llvm::Type* const param : unit_.prototype()->params()) args.push_back(llvm::PoisonValue::get(param));
  llvm::Value* area_of_params = nullptr;
  PlaceAssigner places = PlaceAssigner::of_params();
  for (std::size_t i = 0; i < type.params.size(); ++i) {
    const Place place = places.next(type.params[i]);
    const Entry& entry = stack_[first + i];
    llvm::Value* value = value_of(entry);
    if (const auto* constant = llvm::dyn_cast<llvm::ConstantFP>(value)) {
      // The callee may become a part of this function.
      if (llvm::Value* const hidden = unit_.hidden(builder_, *constant)) value = hidden;
    }
    if (place.bank == Place::Bank::memory) {
      if (area_of_params == nullptr) area_of_params = area();
      store(value, area_of_params, place.slot * sizeof(Slot), Region::area);
      continue;
    }
    std::size_t at = 7U + place.number;
    if (place.bank == Place::Bank::general) {
      const auto* const reg = std::ranges::find(kIntegerArguments, static_cast<Gpr>(place.number));
      at = 2U + static_cast<std::size_t>(reg - std::begin(kIntegerArguments));
    }
    args[at] = to_register(value, entry.type);
  }
  return args;
}

llvm::Value* Lowering::set_callee(const Callee& callee, std::vector<llvm::Value*>& args) {
  args[1] = callee.instance;
  if (callee.own != nullptr) return callee.own;
  args[0] = callee.code;
  return entry_of(callee.code);
}

llvm::CallInst* Lowering::call_prototype(llvm::Value* target, std::span<llvm::Value* const> args) {
  llvm::CallInst* const made = builder_.CreateCall(unit_.prototype(), target, llvm::ArrayRef(args.data(), args.size()));
  made->setAttributes(unit_.call_attributes());
  return made;
}

void Lowering::emit_tail_call(const Callee& callee, std::vector<llvm::Value*> args) {
  llvm::Value* const target = set_callee(callee, args);
  if (callee.own == nullptr) {
    // Functions of the host, which have no context, look at who calls them.
    llvm::BasicBlock* const host = seldom_if(builder_.CreateIsNull(callee.instance), "host");
    llvm::BasicBlock* const guest = builder_.GetInsertBlock();
    enter(host);
    llvm::CallInst* const made = call_prototype(target, args);
    if (looks_for_thrown_) {
      // No handler of this function's is around a tail call.
      test_thrown_in(0);
    }
    builder_.CreateRet(made);
    enter(guest);
  }
  llvm::CallInst* const made = call_prototype(target, args);
  made->setTailCallKind(llvm::CallInst::TCK_MustTail);
  made->setDebugLoc(llvm::DILocation::get(unit_.context, static_cast<unsigned>(offset_), kTailCallColumn, scope_));
  builder_.CreateRet(made);
}

std::vector<llvm::Value*> Lowering::register_results(const wasm::FuncType& type, llvm::CallInst* call) {
  std::vector<llvm::Value*> results;
  PlaceAssigner places = PlaceAssigner::of_results();
  for (const wasm::ValType result : type.results) {
    const Place place = places.next(result);
    if (place.bank == Place::Bank::memory) continue;
    const unsigned at = place.bank == Place::Bank::vector                      ? 2U + place.number
                        : static_cast<Gpr>(place.number) == kIntegerResults[0] ? 0U
                                                                               : 1U;
    results.push_back(from_register(builder_.CreateExtractValue(call, at), type_of(result)));
  }
  return results;
}

// An instance's FuncRefs have one place each, so they are told apart by where they are. What is reached that way has
// the right type, and is this instance's.
std::vector<Lowering::LikelyArm> Lowering::call_likely(bool is_tail, wasm::TypeIndex type_index,
                                                       llvm::Value* reference) {
  std::vector<LikelyArm> arms;
  if (likely_ == nullptr) return arms;
  const std::span<const wasm::FuncIndex> callees = likely_->of(offset_, type_index);
  if (callees.empty() || !applies(UnitOptimisation::guarded_calls)) return arms;
  const wasm::FuncType& type = module_.registry->at(module_.types[type_index.value]).func;
  llvm::Value* const references =
      load(builder_.getPtrTy(), context_, offsetof(VmContext, func_refs), Region::context, true);
  const auto make_arm = [&](wasm::FuncIndex callee, llvm::BasicBlock* block) {
    enter(block);
    if (is_tail) return emit_tail_call(own_function(callee), arguments(type));
    std::vector<llvm::Value*> args = arguments(type);
    llvm::Value* const target = set_callee(own_function(callee), args);
    std::vector<llvm::Value*> results = register_results(type, call_prototype(target, args));
    arms.push_back({builder_.GetInsertBlock(), std::move(results)});
  };
  const auto place_of = [&](wasm::FuncIndex callee) {
    return at_offset(references, (callee.value - module_.imported_functions) * std::uint64_t{sizeof(FuncRef)});
  };
  if (callees.size() > kMostCompared) {
    // How many places from the first one on. What is no multiple of their size becomes a large number.
    static_assert(std::has_single_bit(sizeof(FuncRef)));
    const wasm::FuncIndex first = *std::ranges::min_element(callees, {}, &wasm::FuncIndex::value);
    llvm::Value* const distance = builder_.CreatePtrDiff(builder_.getInt8Ty(), reference, place_of(first));
    llvm::Value* const number = builder_.CreateIntrinsic(llvm::Intrinsic::fshr, {builder_.getInt64Ty()},
                                                         {distance, distance, i64(std::countr_zero(sizeof(FuncRef)))});
    llvm::BasicBlock* const other = new_block("");
    llvm::SwitchInst* const choice = builder_.CreateSwitch(number, other, static_cast<unsigned>(callees.size()));
    for (const wasm::FuncIndex callee : callees) {
      llvm::BasicBlock* const same = new_block("likely");
      choice->addCase(i64(callee.value - first.value), same);
      make_arm(callee, same);
    }
    enter(other);
    return arms;
  }
  for (const wasm::FuncIndex& callee : callees) {
    llvm::BasicBlock* const same = new_block("likely");
    llvm::BasicBlock* const other = new_block("");
    // Of several, one is as likely as the next, but that it is one of them.
    llvm::MDNode* const weights = &callee == &callees.back() ? unit_.likely : nullptr;
    builder_.CreateCondBr(builder_.CreateICmpEQ(reference, place_of(callee)), same, other, weights);
    make_arm(callee, same);
    enter(other);
  }
  return arms;
}

void Lowering::emit_call(bool is_tail, const wasm::FuncType& type, const Callee& callee,
                         std::span<const LikelyArm> likely) {
  std::vector<llvm::Value*> args = arguments(type);
  reset_stack(stack_.size() - type.params.size(), {});
  if (is_tail) return emit_tail_call(callee, std::move(args));

  llvm::Value* const target = set_callee(callee, args);
  std::vector<llvm::Value*> results = register_results(type, call_prototype(target, args));
  if (!likely.empty()) {
    llvm::BasicBlock* const end = builder_.GetInsertBlock();
    llvm::BasicBlock* const join = new_block("");
    builder_.CreateBr(join);
    for (const LikelyArm& arm : likely) {
      builder_.SetInsertPoint(arm.end);
      builder_.CreateBr(join);
    }
    enter(join);
    for (std::size_t i = 0; i < results.size(); ++i) {
      llvm::PHINode* const phi = builder_.CreatePHI(results[i]->getType(), static_cast<unsigned>(likely.size()) + 1);
      phi->addIncoming(results[i], end);
      for (const LikelyArm& arm : likely) phi->addIncoming(arm.results[i], arm.end);
      results[i] = phi;
    }
  }
  keep_references();
  if (looks_for_thrown_) test_thrown();
  llvm::Value* area_of_results = nullptr;
  PlaceAssigner places = PlaceAssigner::of_results();
  auto in_register = results.begin();
  for (const wasm::ValType result : type.results) {
    const Place place = places.next(result);
    const Type of = type_of(result);
    if (place.bank != Place::Bank::memory) {
      push(*in_register++, of);
      continue;
    }
    if (area_of_results == nullptr) area_of_results = area();
    push(load(this->type(of), area_of_results, place.slot * sizeof(Slot), Region::area), of);
  }
}

// --- the runtime

// Where the frame stands is said before: whoever walks the stack begins there.
llvm::CallInst* Lowering::call_runtime(RuntimeCallId id, llvm::Type* result, std::initializer_list<llvm::Value*> args) {
  llvm::Value* const state = exec();
  llvm::Value* const name = llvm::MetadataAsValue::get(
      unit_.context, llvm::MDNode::get(unit_.context, llvm::MDString::get(unit_.context, "rsp")));
  llvm::Value* const stack_pointer =
      builder_.CreateIntrinsic(llvm::Intrinsic::read_volatile_register, {builder_.getInt64Ty()}, {name});
  store(stack_pointer, state, offsetof(ExecState, native_sp), Region::state);
  llvm::Value* const calls = load(builder_.getPtrTy(), state, offsetof(ExecState, calls), Region::context, true);
  llvm::Value* const function =
      load(builder_.getPtrTy(), calls, static_cast<std::uint64_t>(id) * sizeof(void*), Region::context, true);
  std::vector<llvm::Type*> types;
  for (llvm::Value* const arg : args) types.push_back(arg->getType());
  llvm::CallInst* const call = builder_.CreateCall(
      llvm::FunctionType::get(result != nullptr ? result : builder_.getVoidTy(), types, false), function, args);
  call->addFnAttr(llvm::Attribute::NoUnwind);
  call->addFnAttr(llvm::Attribute::NoMerge);
  return call;
}

llvm::Value* Lowering::scratch(std::uint32_t slots) {
  if (scratch_ == nullptr) {
    scratch_slots_ = std::max(survey_.operation_slots, slots);
    scratch_ = new llvm::AllocaInst(llvm::ArrayType::get(builder_.getInt64Ty(), scratch_slots_), 0, nullptr,
                                    llvm::Align(16), "scratch", entry_->begin());
  }
  WASI_CHECK(slots <= scratch_slots_);
  return scratch_;
}

void Lowering::service(RuntimeCallId id, std::size_t operands, std::span<const wasm::ValType> results, std::uint64_t a,
                       std::uint64_t b) {
  const std::size_t first = stack_.size() - operands;
  std::uint32_t slots = 0;
  for (std::size_t i = first; i < stack_.size(); ++i) slots += slots_of(stack_[i].type);
  std::uint32_t result_slots = 0;
  for (const wasm::ValType result : results) result_slots += result.slots();
  llvm::Value* const place = scratch(std::max({slots, result_slots, 1U}));
  std::uint32_t slot = 0;
  for (std::size_t i = first; i < stack_.size(); ++i) {
    const Entry entry = stack_[i];
    builder_.CreateAlignedStore(value_of(entry), at_offset(place, slot * sizeof(Slot)), llvm::Align(8));
    slot += slots_of(entry.type);
  }
  reset_stack(first, {});
  call_runtime(id, nullptr, {context_, place, i64(a), i64(b)});
  slot = 0;
  for (const wasm::ValType result : results) {
    const Type of = type_of(result);
    push(builder_.CreateAlignedLoad(type(of), at_offset(place, slot * sizeof(Slot)), llvm::Align(8)), of);
    slot += slots_of(of);
  }
}

void Lowering::service(RuntimeCallId id, std::size_t operands, std::optional<wasm::ValType> result, std::uint64_t a,
                       std::uint64_t b) {
  service(id, operands, result ? std::span<const wasm::ValType>(&*result, 1) : std::span<const wasm::ValType>(), a, b);
}

// --- traps

llvm::BasicBlock* Lowering::seldom_if(llvm::Value* condition, const char* name) {
  llvm::BasicBlock* const seldom = new_block(name);
  llvm::BasicBlock* const on = new_block("");
  builder_.CreateCondBr(condition, seldom, on, unit_.seldom);
  enter(on);
  return seldom;
}

void Lowering::trap(TrapCode code) {
  llvm::CallInst* const call =
      call_runtime(RuntimeCallId::trap, nullptr, {context_, i32(static_cast<std::uint32_t>(code))});
  call->addFnAttr(llvm::Attribute::NoReturn);
  call->addFnAttr(llvm::Attribute::Cold);
  builder_.CreateUnreachable();
}

void Lowering::trap_if(llvm::Value* condition, TrapCode code) {
  llvm::BasicBlock* const trapping = seldom_if(condition, "trap");
  llvm::BasicBlock* const on = builder_.GetInsertBlock();
  enter(trapping);
  trap(code);
  enter(on);
}

}  // namespace wasi::jit::optimising

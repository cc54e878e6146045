// The function as a whole, the operand stack, locals and globals.
#include "jit/llvm/lowering.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>

#include <algorithm>

#include "base/check.h"
#include "jit/common/stopped.h"
#include "runtime/exec_state.h"
#include "runtime/frame.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::optimising {

using runtime::ExecState;
using runtime::RuntimeCallId;
using runtime::Slot;
using runtime::VmContext;
using validate::Immediates;
using wasm::Op;

Lowering::Lowering(Unit& unit, wasm::FuncIndex function, llvm::Function& into, const Survey& survey,
                   LikelyCallees* likely, const OptimisingOptions& options, bool looks_for_thrown,
                   std::optional<std::uint64_t> loop, runtime::Preparation& preparation)
    : unit_(unit),
      module_(unit.wasm),
      function_(function),
      type_(unit.wasm.func_type(function)),
      into_(into),
      survey_(survey),
      likely_(likely),
      options_(options),
      looks_for_thrown_(looks_for_thrown),
      loop_(loop),
      preparation_(preparation),
      builder_(unit.context) {
  scope_ = unit.create_scope(into, function.value, module_.body(function).offset);
}

void Lowering::poll_with(std::uint64_t walk_bytes) {
  stop_unless(preparation_.poll());
  // An instruction of LLVM's takes some hundred bytes until it is code.
  constexpr std::uint64_t kBytesPerInstruction = 300;
  const std::uint64_t held = walk_bytes + into_.getInstructionCount() * kBytesPerInstruction;
  if (held <= taken_) return;
  stop_unless(preparation_.take(held - taken_));
  taken_ = held;
}

void Lowering::set_offset(std::uint64_t offset) {
  offset_ = offset;
  builder_.SetCurrentDebugLocation(llvm::DILocation::get(unit_.context, static_cast<unsigned>(offset), 0, scope_));
}

llvm::BasicBlock* Lowering::new_block(const char* name) {
  return llvm::BasicBlock::Create(unit_.context, name, &into_);
}

// --- the function

void Lowering::begin_function(std::span<const wasm::ValType> locals) {
  entry_ = new_block("entry");
  llvm::BasicBlock* const body = new_block("body");
  enter(entry_);
  context_ = into_.getArg(1);
  entry_end_ = builder_.CreateBr(body);
  builder_.SetInsertPoint(entry_end_);

  std::uint32_t slot = 0;
  for (const wasm::ValType local : locals) {
    const Type local_type = type_of(local);
    local_types_.push_back(local_type);
    locals_.push_back(builder_.CreateAlloca(type(local_type)));
    local_val_types_.push_back(local);
    slot += slots_of(local_type);
  }
  local_slots_ = slot;
  if (loop_) {
    // From the slots of the frame that is left; operands follow where the loop's head is reached.
    llvm::Value* const slots = builder_.CreateIntToPtr(into_.getArg(2), builder_.getPtrTy());
    slot = 0;
    for (std::size_t i = 0; i < locals_.size(); ++i) {
      builder_.CreateStore(load(type(local_types_[i]), slots, slot * sizeof(Slot), Region::area), locals_[i]);
      slot += slots_of(local_types_[i]);
    }
    declare_locals();
    enter(body);
    return;
  }
  PlaceAssigner places = PlaceAssigner::of_params();
  for (std::size_t i = 0; i < type_.params.size(); ++i) {
    const Place place = places.next(type_.params[i]);
    llvm::Value* value = nullptr;
    switch (place.bank) {
      case Place::Bank::general: {
        const auto at = std::ranges::find(kIntegerArguments, static_cast<Gpr>(place.number));
        value =
            from_register(into_.getArg(2 + static_cast<unsigned>(at - std::begin(kIntegerArguments))), local_types_[i]);
        break;
      }
      case Place::Bank::vector:
        value = from_register(into_.getArg(7 + place.number), local_types_[i]);
        break;
      case Place::Bank::memory:
        value = load(type(local_types_[i]), area(), place.slot * sizeof(Slot), Region::area);
        break;
    }
    builder_.CreateStore(value, locals_[i]);
  }
  for (std::size_t i = type_.params.size(); i < locals_.size(); ++i) {
    llvm::Constant* const zero = llvm::Constant::getNullValue(type(local_types_[i]));
    llvm::Value* value = zero;
    if (is_float(local_types_[i])) value = unit_.hidden(builder_, *llvm::cast<llvm::ConstantFP>(zero));
    builder_.CreateStore(value, locals_[i]);
  }
  declare_locals();
  enter(body);
}

void Lowering::declare_locals() {
  for (std::size_t i = 0; i < locals_.size(); ++i) {
    unit_.declare_local(*locals_[i], static_cast<std::uint32_t>(i), *scope_, *entry_);
  }
}

bool Lowering::finish() {
  if (looks_for_thrown_) emit_handlers();
  if (!loop_) return true;
  if (loop_head_ == nullptr) return false;
  // The frame that is left goes on in the loop alone.
  llvm::cast<llvm::BranchInst>(entry_end_)->setSuccessor(0, loop_head_);
  return true;
}

void Lowering::emit_charge(std::uint32_t cost) {
  llvm::Value* const fuel = load(builder_.getInt64Ty(), exec(), offsetof(ExecState, fuel), Region::state);
  llvm::Value* const left = builder_.CreateSub(fuel, i64(cost));
  store(left, exec(), offsetof(ExecState, fuel), Region::state);
  trap_if(builder_.CreateICmpSLT(left, i64(0)), TrapCode::out_of_fuel);
}

// --- the operand stack

llvm::AllocaInst* Lowering::home(std::uint32_t slot, Type of) {
  llvm::AllocaInst*& home = homes_[std::uint64_t{slot} * kTypeCount + static_cast<std::uint64_t>(of)];
  if (home == nullptr) home = new llvm::AllocaInst(type(of), 0, "", entry_end_->getIterator());
  return home;
}

// A constant that LLVM would take operations away for is hidden before others cannot see that it is one.
void Lowering::store_home(std::uint32_t slot, Type of, llvm::Value* value) {
  if (const auto* constant = llvm::dyn_cast<llvm::ConstantFP>(value)) {
    if (llvm::Value* const hidden = unit_.hidden(builder_, *constant)) value = hidden;
  }
  builder_.CreateStore(value, home(slot, of));
}

void Lowering::push(llvm::Value* value, Type of) {
  stack_.push_back({value, of, next_slot_});
  next_slot_ += slots_of(of);
}
void Lowering::push_home(Type of) { push(nullptr, of); }

llvm::Value* Lowering::value_of(const Entry& entry) {
  if (entry.value != nullptr) return entry.value;
  return builder_.CreateLoad(type(entry.type), home(entry.slot, entry.type));
}

llvm::Value* Lowering::pop() {
  const Entry entry = stack_.back();
  stack_.pop_back();
  next_slot_ = entry.slot;
  return value_of(entry);
}

void Lowering::reset_stack(std::size_t height, std::span<const wasm::ValType> values) {
  while (stack_.size() > height) {
    next_slot_ = stack_.back().slot;
    stack_.pop_back();
  }
  for (const wasm::ValType value : values) push_home(type_of(value));
}

void Lowering::flush() {
  for (Entry& entry : stack_) {
    if (entry.value == nullptr || llvm::isa<llvm::ConstantInt>(entry.value)) continue;
    store_home(entry.slot, entry.type, entry.value);
    entry.value = nullptr;
  }
}

// A load that nobody wants can trap all the same.
void Lowering::drop() {
  const Entry entry = stack_.back();
  stack_.pop_back();
  next_slot_ = entry.slot;
}

void Lowering::select() {
  llvm::Value* const condition = pop_condition();
  const Type of = top_type();
  llvm::Value* const if_false = pop();
  llvm::Value* const if_true = pop();
  llvm::Value* const selected = builder_.CreateSelect(condition, if_true, if_false);
  // LLVM makes a branch of what the next turn of a loop waits for, as if it could be foretold. The compiler that wrote
  // select in place of a branch has thought about that already.
  if (auto* const instruction = llvm::dyn_cast<llvm::SelectInst>(selected);
      instruction != nullptr && applies(UnitOptimisation::branchless_selects)) {
    instruction->setMetadata(llvm::LLVMContext::MD_unpredictable, llvm::MDNode::get(unit_.context, {}));
  }
  push(selected, of);
}

// --- globals

void Lowering::get_global(std::uint32_t index) {
  const Type of = type_of(module_.globals[index].type.type);
  llvm::Value* const cells = load(builder_.getPtrTy(), context_, offsetof(VmContext, globals), Region::context, true);
  llvm::Value* const cell = load(builder_.getPtrTy(), cells, index * sizeof(Slot*), Region::context, true);
  push(load(type(of), cell, 0, Region::global, !module_.globals[index].type.is_mutable), of);
}

void Lowering::set_global(std::uint32_t index) {
  llvm::Value* const value = pop();
  llvm::Value* const cells = load(builder_.getPtrTy(), context_, offsetof(VmContext, globals), Region::context, true);
  llvm::Value* const cell = load(builder_.getPtrTy(), cells, index * sizeof(Slot*), Region::context, true);
  store(value, cell, 0, Region::global);
}

// --- instructions

void Lowering::lower(Op op, const Immediates& immediates) {
  const auto is_among = [op](Op first, Op last) { return op >= first && op <= last; };
  if (is_among(Op::i32_eqz, Op::i64_extend32_s)) return lower_number(op);
  if (is_among(Op::i32_load, Op::i64_store32)) return lower_access(op, immediates.memarg);
  const wasm::OpInfo& row = wasm::info(op);
  if (row.prefix == wasm::kPrefixSimd) return lower_vector(op, immediates);
  if (row.prefix == wasm::kPrefixThreads) return lower_atomic(op, immediates);
  switch (op) {
    case Op::nop:
      return;
    case Op::drop:
      return drop();
    case Op::i32_const:
      return push(i32(static_cast<std::uint32_t>(immediates.bits)), Type::i32);
    case Op::i64_const:
      return push(i64(immediates.bits), Type::i64);
    case Op::f32_const:
      return push(llvm::ConstantFP::get(unit_.context, llvm::APFloat(llvm::APFloat::IEEEsingle(),
                                                                     llvm::APInt(32, immediates.bits & UINT32_MAX))),
                  Type::f32);
    case Op::f64_const:
      return push(llvm::ConstantFP::get(unit_.context,
                                        llvm::APFloat(llvm::APFloat::IEEEdouble(), llvm::APInt(64, immediates.bits))),
                  Type::f64);
    case Op::select:
    case Op::select_t:
      return select();
    case Op::local_get:
      return push(builder_.CreateLoad(type(local_types_[immediates.index]), locals_[immediates.index]),
                  local_types_[immediates.index]);
    case Op::local_set:
    case Op::local_tee: {
      llvm::Value* value = pop();
      if (op == Op::local_tee) push(value, local_types_[immediates.index]);
      if (const auto* constant = llvm::dyn_cast<llvm::ConstantFP>(value)) {
        if (llvm::Value* const hidden = unit_.hidden(builder_, *constant)) value = hidden;
      }
      builder_.CreateStore(value, locals_[immediates.index]);
      return;
    }
    case Op::global_get:
      return get_global(immediates.index);
    case Op::global_set:
      return set_global(immediates.index);
    case Op::memory_size:
      return memory_size(immediates.index);
    case Op::memory_grow:
    case Op::memory_fill:
    case Op::memory_copy:
    case Op::memory_init:
    case Op::data_drop:
      return lower_bulk(op, immediates);
    case Op::ref_null:
    case Op::ref_is_null:
    case Op::ref_as_non_null:
    case Op::ref_eq:
    case Op::ref_func:
    case Op::ref_test:
    case Op::ref_test_null:
    case Op::ref_cast:
    case Op::ref_cast_null:
    case Op::any_convert_extern:
    case Op::extern_convert_any:
    case Op::table_get:
    case Op::table_set:
    case Op::table_size:
    case Op::table_grow:
    case Op::table_fill:
    case Op::table_copy:
    case Op::table_init:
    case Op::elem_drop:
      return lower_reference(op, immediates);
    default:
      if (row.prefix == wasm::kPrefixGc) return lower_aggregate(op, immediates);
      return lower_number(op);
  }
}

}  // namespace wasi::jit::optimising

// What is loaded and stored: the runtime's structures, and linear memories.
//
// A memory of 32-bit addresses with guard pages needs no check: whatever the address is, it lies in the reservation,
// and a fault is a trap. Its base never changes, so it is loaded once. Elsewhere the end of the access is compared with
// the memory's size. Source: https://webassembly.github.io/spec/core/exec/instructions.html#memory-instructions
#include "jit/llvm/lowering.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::optimising {

using runtime::MemoryView;
using runtime::VmContext;
using wasm::Op;

llvm::Value* Lowering::at_offset(llvm::Value* base, std::uint64_t bytes) {
  return bytes == 0 ? base : builder_.CreatePtrAdd(base, i64(bytes));
}

llvm::Value* Lowering::load(llvm::Type* of, llvm::Value* base, std::uint64_t offset, Region region, bool invariant) {
  llvm::LoadInst* const load =
      builder_.CreateAlignedLoad(of, at_offset(base, offset), llvm::Align(of->isVectorTy() ? 8 : 1));
  unit_.note(load, region, invariant);
  return load;
}

llvm::StoreInst* Lowering::store(llvm::Value* value, llvm::Value* base, std::uint64_t offset, Region region) {
  // In order with the accesses to memory, which may trap, where the guest or its host can see it afterwards.
  const bool is_ordered = options_.strict && region != Region::area;
  llvm::StoreInst* const store = builder_.CreateAlignedStore(
      value, at_offset(base, offset), llvm::Align(value->getType()->isVectorTy() ? 8 : 1), is_ordered);
  unit_.note(store, region);
  return store;
}

llvm::Value* Lowering::exec() {
  return load(builder_.getPtrTy(), context_, offsetof(VmContext, exec), Region::context, true);
}

llvm::Value* Lowering::memory_view(std::uint32_t memory) {
  if (memory == 0) return load(builder_.getPtrTy(), context_, offsetof(VmContext, memory0), Region::context, true);
  llvm::Value* const views = load(builder_.getPtrTy(), context_, offsetof(VmContext, memories), Region::context, true);
  return load(builder_.getPtrTy(), views, memory * sizeof(MemoryView*), Region::context, true);
}

bool Lowering::is_guarded(wasm::MemoryIndex memory) const {
  const wasm::MemoryType& type = module_.memories[memory.value];
  return options_.checks == runtime::BoundsChecks::guard_pages && memory.value == 0 &&
         type.address == wasm::AddressType::i32 && type.page_log2 == wasm::kPageLog2 &&
         !unit_.is_off(UnitOptimisation::unchecked_accesses);
}

// Once, where the function begins: no access waits for it.
llvm::Value* Lowering::guarded_base() {
  if (unit_.is_off(UnitOptimisation::memory_base)) {
    return load(builder_.getPtrTy(), memory_view(0), offsetof(MemoryView, base), Region::view);
  }
  if (base_ == nullptr) {
    applies(UnitOptimisation::memory_base);
    const Builder::InsertPointGuard guard(builder_);
    builder_.SetInsertPoint(entry_end_);
    base_ = load(builder_.getPtrTy(), memory_view(0), offsetof(MemoryView, base), Region::view, true);
  }
  return base_;
}

llvm::Value* Lowering::address(const validate::MemArg& memarg, std::uint32_t size) {
  const bool is_wide = module_.memories[memarg.memory.value].address == wasm::AddressType::i64;
  llvm::Value* const popped = pop();
  llvm::Value* const index = is_wide ? popped : zero_extended(popped);
  if (is_guarded(memarg.memory)) {
    applies(UnitOptimisation::unchecked_accesses);
    return at_offset(builder_.CreatePtrAdd(guarded_base(), index), memarg.offset);
  }
  std::uint64_t reach = 0;
  if (__builtin_add_overflow(memarg.offset, size, &reach)) {
    trap_if(builder_.getTrue(), TrapCode::memory_out_of_bounds);
    reach = size;
  }
  llvm::Value* end = nullptr;
  if (is_wide) {
    llvm::Value* const sum = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::uadd_with_overflow, index, i64(reach));
    end = builder_.CreateExtractValue(sum, 0);
    trap_if(builder_.CreateExtractValue(sum, 1), TrapCode::memory_out_of_bounds);
  } else {
    end = builder_.CreateAdd(index, i64(reach), "", true);
  }
  llvm::Value* const view = memory_view(memarg.memory.value);
  llvm::Value* const bytes = load(builder_.getInt64Ty(), view, offsetof(MemoryView, byte_size), Region::view);
  trap_if(builder_.CreateICmpUGT(end, bytes), TrapCode::memory_out_of_bounds);
  llvm::Value* const base = load(builder_.getPtrTy(), view, offsetof(MemoryView, base), Region::view);
  return builder_.CreatePtrAdd(base, builder_.CreateSub(end, i64(size)));
}

llvm::LoadInst* Lowering::memory_load(llvm::Type* of, llvm::Value* address) {
  llvm::LoadInst* const load = builder_.CreateAlignedLoad(of, address, llvm::Align(1), options_.strict);
  unit_.note(load, Region::memory);
  return load;
}

void Lowering::memory_store(llvm::Value* value, llvm::Value* address) {
  unit_.note(builder_.CreateAlignedStore(value, address, llvm::Align(1), options_.strict), Region::memory);
}

void Lowering::lower_access(Op op, const validate::MemArg& memarg) {
  const std::uint32_t size = wasm::info(op).access;
  if (wasm::info(op).signature.ends_with(':')) {
    const Type of = top_type();
    llvm::Value* value = pop();
    if (!is_float(of)) value = builder_.CreateTrunc(value, builder_.getIntNTy(size * 8));
    return memory_store(value, address(memarg, size));
  }
  llvm::Value* const from = address(memarg, size);
  switch (op) {
    case Op::f32_load:
      return push(memory_load(builder_.getFloatTy(), from), Type::f32);
    case Op::f64_load:
      return push(memory_load(builder_.getDoubleTy(), from), Type::f64);
    default:
      break;
  }
  const wasm::OpInfo& row = wasm::info(op);
  const Type of = row.text.starts_with("i32") ? Type::i32 : Type::i64;
  llvm::Value* const value = memory_load(builder_.getIntNTy(size * 8), from);
  push(row.text.ends_with("_s") ? builder_.CreateSExt(value, type(of)) : builder_.CreateZExt(value, type(of)), of);
}

void Lowering::memory_size(std::uint32_t memory) {
  llvm::Value* pages = load(builder_.getInt64Ty(), memory_view(memory), offsetof(MemoryView, byte_size), Region::view);
  pages = builder_.CreateLShr(pages, module_.memories[memory].page_log2);
  if (module_.memories[memory].address == wasm::AddressType::i64) return push(pages, Type::i64);
  push(builder_.CreateTrunc(pages, builder_.getInt32Ty()), Type::i32);
}

}  // namespace wasi::jit::optimising

// Atomic accesses, all of them sequentially consistent.
//
// An address that is not a multiple of the access's size is looked at before the access, but one that is out of bounds
// as well traps for that: the runtime decides. Memories begin at a page. What is read from less than a register is
// extended with zeros; of an expected value, only the bits that are compared count.
// Source: https://webassembly.github.io/threads/core/exec/instructions.html
#include <llvm/IR/Constants.h>

#include "base/check.h"
#include "jit/llvm/lowering.h"
#include "runtime/services.h"

namespace wasi::jit::optimising {

using llvm::AtomicOrdering;
using llvm::AtomicRMWInst;
using llvm::Value;
using runtime::RuntimeCallId;
using wasm::Op;

namespace {

constexpr AtomicOrdering kOrdering = AtomicOrdering::SequentiallyConsistent;

bool says(Op op, std::string_view part) { return wasm::info(op).text.find(part) != std::string_view::npos; }

AtomicRMWInst::BinOp update_of(Op op) {
  if (says(op, ".add")) return AtomicRMWInst::Add;
  if (says(op, ".sub")) return AtomicRMWInst::Sub;
  if (says(op, ".and")) return AtomicRMWInst::And;
  if (says(op, ".or")) return AtomicRMWInst::Or;
  if (says(op, ".xor")) return AtomicRMWInst::Xor;
  WASI_CHECK(says(op, ".xchg"));
  return AtomicRMWInst::Xchg;
}

}  // namespace

void Lowering::lower_atomic(Op op, const validate::Immediates& immediates) {
  if (op == Op::atomic_fence) {
    builder_.CreateFence(kOrdering);
    return;
  }
  const validate::MemArg& memarg = immediates.memarg;
  if (says(op, ".wait") || says(op, ".notify")) {
    const std::size_t operands = says(op, ".wait") ? 3 : 2;
    return service(*runtime::services::service_of(op), operands, wasm::kI32, memarg.offset, memarg.memory.value);
  }

  const std::uint32_t bytes = wasm::info(op).access;
  const llvm::Align alignment(bytes);
  const auto pop_narrow = [&] { return builder_.CreateTrunc(pop(), builder_.getIntNTy(bytes * 8)); };
  const auto push_wide = [&](Value* value) {
    const Type result = wasm::info(op).signature.back() == 'l' ? Type::i64 : Type::i32;
    push(builder_.CreateZExt(value, type(result)), result);
  };
  if (says(op, ".load")) {
    Value* const from = aligned_address(memarg, bytes);
    llvm::LoadInst* const load = builder_.CreateAlignedLoad(builder_.getIntNTy(bytes * 8), from, alignment);
    load->setAtomic(kOrdering);
    load->setVolatile(true);
    unit_.note(load, Region::memory);
    push_wide(load);
  } else if (says(op, ".store")) {
    Value* const value = pop_narrow();
    llvm::StoreInst* const store = builder_.CreateAlignedStore(value, aligned_address(memarg, bytes), alignment);
    store->setAtomic(kOrdering);
    store->setVolatile(true);
    unit_.note(store, Region::memory);
  } else if (says(op, ".cmpxchg")) {
    Value* const replacement = pop_narrow();
    Value* const expected = pop_narrow();
    llvm::AtomicCmpXchgInst* const exchange = builder_.CreateAtomicCmpXchg(
        aligned_address(memarg, bytes), expected, replacement, alignment, kOrdering, kOrdering);
    exchange->setVolatile(true);
    unit_.note(exchange, Region::memory);
    push_wide(builder_.CreateExtractValue(exchange, 0));
  } else {
    Value* const value = pop_narrow();
    AtomicRMWInst* const update =
        builder_.CreateAtomicRMW(update_of(op), aligned_address(memarg, bytes), value, alignment, kOrdering);
    // What changes nothing can trap all the same.
    update->setVolatile(true);
    unit_.note(update, Region::memory);
    push_wide(update);
  }
}

// As address(); looks at the lowest bits of the sum first.
Value* Lowering::aligned_address(const validate::MemArg& memarg, std::uint32_t size) {
  if (size == 1) return address(memarg, size);
  const Type index_type = top_type();
  Value* const popped = pop();
  Value* const index = index_type == Type::i32 ? zero_extended(popped) : popped;
  Value* const low = builder_.CreateAnd(builder_.CreateAdd(index, i64(memarg.offset)), i64(size - 1));
  Value* const is_unaligned = builder_.CreateIsNotNull(low);
  const auto* known = llvm::dyn_cast<llvm::ConstantInt>(is_unaligned);
  if (known == nullptr || known->isOne()) {
    llvm::BasicBlock* const aside = seldom_if(is_unaligned, "unaligned");
    llvm::BasicBlock* const next = builder_.GetInsertBlock();
    enter(aside);
    call_runtime(RuntimeCallId::address_in_memory, builder_.getPtrTy(),
                 {context_, index, i64(memarg.offset), i64(size), i32(memarg.memory.value)});
    trap(TrapCode::unaligned_atomic);
    enter(next);
  }
  push(popped, index_type);
  return address(memarg, size);
}

}  // namespace wasi::jit::optimising

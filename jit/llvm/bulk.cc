// Memories as a whole: growing, and ranges of bytes.
//
// A range of few bytes, as many as a constant says, is accessed here. What a part of it may be out of bounds for is
// checked before, for guard pages do not say so in time: LLVM brings the accesses into an order of its own, and a range
// is written as a whole or not at all. A copy reads everything before it writes anything, so that the ranges may
// overlap. Of other ranges the bounds are checked here, and the C library does the rest.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#memory-instructions
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>

#include <vector>

#include "base/check.h"
#include "jit/common/inline_limits.h"
#include "jit/llvm/lowering.h"
#include "runtime/vmcontext.h"

namespace wasi::jit::optimising {

using runtime::MemoryView;
using runtime::RuntimeCallId;
using wasm::Op;

void Lowering::lower_bulk(Op op, const validate::Immediates& immediates) {
  const std::uint32_t index = immediates.index;
  switch (op) {
    case Op::memory_grow:
      return service(RuntimeCallId::memory_grow, 1, wasm::value_type(module_.memories[index].address), index);
    case Op::memory_fill:
      if (fill_few(index) || fill_many(index)) return;
      return service(RuntimeCallId::memory_fill, 3, std::nullopt, index);
    case Op::memory_copy:
      if (copy_few(index, immediates.index2) || copy_many(index, immediates.index2)) return;
      return service(RuntimeCallId::memory_copy, 3, std::nullopt, index, immediates.index2);
    case Op::memory_init:
      return service(RuntimeCallId::memory_init, 3, std::nullopt, index, immediates.index2);
    case Op::data_drop:
      return service(RuntimeCallId::data_drop, 0, std::nullopt, index);
    default:
      WASI_CHECK(false);
  }
}

// The uppermost value says how many bytes; they are not many, and not none.
std::optional<std::uint32_t> Lowering::few_bytes() const {
  const auto* const count = llvm::dyn_cast_or_null<llvm::ConstantInt>(stack_.back().value);
  if (count == nullptr) return std::nullopt;
  const std::uint64_t bytes = count->getZExtValue();
  if (bytes == 0 || bytes > kMostInlineBytes) return std::nullopt;
  return static_cast<std::uint32_t>(bytes);
}

// Pops the begin of a range; it is inside.
llvm::Value* Lowering::checked_range(std::uint32_t memory, std::uint32_t bytes) {
  const wasm::MemoryIndex index(memory);
  // Elsewhere accesses are checked in any case.
  if (!is_guarded(index)) return address({.memory = index}, bytes);
  llvm::Value* const begin = zero_extended(pop());
  llvm::Value* const end = builder_.CreateAdd(begin, i64(bytes), "", true, true);
  llvm::Value* const size =
      load(builder_.getInt64Ty(), memory_view(memory), offsetof(MemoryView, byte_size), Region::view);
  trap_if(builder_.CreateICmpUGT(end, size), TrapCode::memory_out_of_bounds);
  return builder_.CreatePtrAdd(guarded_base(), begin);
}

bool Lowering::copy_few(std::uint32_t to, std::uint32_t from) {
  const std::optional<std::uint32_t> bytes = few_bytes();
  if (!bytes || !applies(UnitOptimisation::constant_sizes)) return false;
  drop();
  llvm::Value* const source = checked_range(from, *bytes);
  llvm::Value* const destination = checked_range(to, *bytes);
  const std::vector<Piece> pieces = pieces_of(*bytes);
  std::vector<llvm::Value*> values;
  for (const Piece& piece : pieces) {
    values.push_back(memory_load(piece_type(piece.bytes), at_offset(source, piece.offset)));
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) memory_store(values[i], at_offset(destination, pieces[i].offset));
  return true;
}

bool Lowering::fill_few(std::uint32_t memory) {
  const std::optional<std::uint32_t> bytes = few_bytes();
  if (!bytes || !applies(UnitOptimisation::constant_sizes)) return false;
  drop();
  llvm::Value* const byte = builder_.CreateTrunc(pop(), builder_.getInt8Ty());
  llvm::Value* const destination = checked_range(memory, *bytes);
  for (const Piece& piece : pieces_of(*bytes)) {
    llvm::Value* value = byte;
    if (piece.bytes > 1) {
      value = builder_.CreateBitCast(builder_.CreateVectorSplat(piece.bytes, byte), piece_type(piece.bytes));
    }
    memory_store(value, at_offset(destination, piece.offset));
  }
  return true;
}

// All of i64. Traps where not all of the range is inside.
llvm::Value* Lowering::checked_range(std::uint32_t memory, llvm::Value* begin, llvm::Value* bytes) {
  llvm::Value* end = nullptr;
  if (module_.memories[memory].address == wasm::AddressType::i64) {
    llvm::Value* const sum = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::uadd_with_overflow, begin, bytes);
    end = builder_.CreateExtractValue(sum, 0);
    trap_if(builder_.CreateExtractValue(sum, 1), TrapCode::memory_out_of_bounds);
  } else {
    end = builder_.CreateAdd(begin, bytes, "", true, true);
  }
  llvm::Value* const view = memory_view(memory);
  llvm::Value* const size = load(builder_.getInt64Ty(), view, offsetof(MemoryView, byte_size), Region::view);
  trap_if(builder_.CreateICmpUGT(end, size), TrapCode::memory_out_of_bounds);
  llvm::Value* const base = is_guarded(wasm::MemoryIndex(memory))
                                ? guarded_base()
                                : load(builder_.getPtrTy(), view, offsetof(MemoryView, base), Region::view);
  return builder_.CreatePtrAdd(base, begin);
}

bool Lowering::copy_many(std::uint32_t to, std::uint32_t from) {
  if (!applies(UnitOptimisation::checked_ranges)) return false;
  llvm::Value* const bytes = pop_extended();
  llvm::Value* const from_begin = pop_extended();
  llvm::Value* const to_begin = pop_extended();
  llvm::Value* const source = checked_range(from, from_begin, bytes);
  llvm::Value* const destination = checked_range(to, to_begin, bytes);
  call_runtime(RuntimeCallId::move_bytes, nullptr, {destination, source, bytes});
  return true;
}

bool Lowering::fill_many(std::uint32_t memory) {
  if (!applies(UnitOptimisation::checked_ranges)) return false;
  llvm::Value* const bytes = pop_extended();
  llvm::Value* const byte = pop();
  llvm::Value* const destination = checked_range(memory, pop_extended(), bytes);
  call_runtime(RuntimeCallId::fill_bytes, nullptr, {destination, byte, bytes});
  return true;
}

// Of an i32 or an i64, as an i64.
llvm::Value* Lowering::pop_extended() {
  const bool is_wide = top_type() == Type::i64;
  llvm::Value* const value = pop();
  return is_wide ? value : zero_extended(value);
}

llvm::Type* Lowering::piece_type(std::uint32_t bytes) {
  return bytes == 16 ? type(Type::v128) : builder_.getIntNTy(bytes * 8);
}

}  // namespace wasi::jit::optimising

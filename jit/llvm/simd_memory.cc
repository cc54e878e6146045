// Vectors and memory.
//
// Nothing is loaded but the bytes that the instruction names, however wide the operation that takes them is.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#vector-instructions
#include <llvm/IR/Constants.h>

#include "base/check.h"
#include "jit/llvm/lowering.h"
#include "jit/llvm/simd.h"

namespace wasi::jit::optimising {

using llvm::Value;
using simd::Shape;
using validate::Immediates;
using validate::MemArg;
using wasm::ImmediateKind;
using wasm::Op;

// Lanes are as wide as the access, but for those that are extended.
void Lowering::vector_access(Op op, const Immediates& immediates) {
  const wasm::OpInfo& row = wasm::info(op);
  const Shape shape{row.access * 8U};
  const bool is_load = row.signature.back() == 'v';
  if (row.immediate == ImmediateKind::memarg) {
    if (is_load) return push_vector(vector_load(op, immediates.memarg));
    Value* const vector = pop();
    return memory_store(vector, address(immediates.memarg, row.access));
  }
  Value* const vector = pop_vector(shape);
  Value* const at = address(immediates.memarg, row.access);
  if (!is_load) return memory_store(builder_.CreateExtractElement(vector, immediates.lane), at);
  Value* const lane = memory_load(simd::lane_type(builder_, shape), at);
  push_vector(builder_.CreateInsertElement(vector, lane, immediates.lane));
}

Value* Lowering::vector_load(Op op, const MemArg& memarg) {
  const std::uint32_t bytes = wasm::info(op).access;
  Value* const at = address(memarg, bytes);
  const auto narrow = [&](unsigned bits) {
    return memory_load(llvm::FixedVectorType::get(builder_.getIntNTy(bits), bytes * 8 / bits), at);
  };
  const Shape shape{bytes * 8};
  switch (op) {
    case Op::v128_load:
      return memory_load(type(Type::v128), at);
    case Op::v128_load8x8_s:
      return builder_.CreateSExt(narrow(8), simd::vector_type(builder_, simd::kI16x8));
    case Op::v128_load8x8_u:
      return builder_.CreateZExt(narrow(8), simd::vector_type(builder_, simd::kI16x8));
    case Op::v128_load16x4_s:
      return builder_.CreateSExt(narrow(16), simd::vector_type(builder_, simd::kI32x4));
    case Op::v128_load16x4_u:
      return builder_.CreateZExt(narrow(16), simd::vector_type(builder_, simd::kI32x4));
    case Op::v128_load32x2_s:
      return builder_.CreateSExt(narrow(32), simd::vector_type(builder_, simd::kI64x2));
    case Op::v128_load32x2_u:
      return builder_.CreateZExt(narrow(32), simd::vector_type(builder_, simd::kI64x2));
    case Op::v128_load8_splat:
    case Op::v128_load16_splat:
    case Op::v128_load32_splat:
    case Op::v128_load64_splat:
      return builder_.CreateVectorSplat(shape.lanes(), memory_load(simd::lane_type(builder_, shape), at));
    case Op::v128_load32_zero:
    case Op::v128_load64_zero:
      return builder_.CreateInsertElement(llvm::Constant::getNullValue(simd::vector_type(builder_, shape)),
                                          memory_load(simd::lane_type(builder_, shape), at), std::uint64_t{0});
    default:
      WASI_CHECK(false);
  }
}

}  // namespace wasi::jit::optimising

// Vectors of integers, and of bits.
// Source: https://webassembly.github.io/spec/core/exec/numerics.html
#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsX86.h>

#include <numeric>
#include <optional>

#include "jit/llvm/simd.h"

namespace wasi::jit::optimising::simd {

using llvm::CmpInst;
using llvm::Value;
using wasm::Op;
namespace Intrinsic = llvm::Intrinsic;

namespace {

std::optional<CmpInst::Predicate> predicate_of(Op op) {
  switch (op) {
    case Op::i8x16_eq:
    case Op::i16x8_eq:
    case Op::i32x4_eq:
    case Op::i64x2_eq:
      return CmpInst::ICMP_EQ;
    case Op::i8x16_ne:
    case Op::i16x8_ne:
    case Op::i32x4_ne:
    case Op::i64x2_ne:
      return CmpInst::ICMP_NE;
    case Op::i8x16_lt_s:
    case Op::i16x8_lt_s:
    case Op::i32x4_lt_s:
    case Op::i64x2_lt_s:
      return CmpInst::ICMP_SLT;
    case Op::i8x16_lt_u:
    case Op::i16x8_lt_u:
    case Op::i32x4_lt_u:
      return CmpInst::ICMP_ULT;
    case Op::i8x16_gt_s:
    case Op::i16x8_gt_s:
    case Op::i32x4_gt_s:
    case Op::i64x2_gt_s:
      return CmpInst::ICMP_SGT;
    case Op::i8x16_gt_u:
    case Op::i16x8_gt_u:
    case Op::i32x4_gt_u:
      return CmpInst::ICMP_UGT;
    case Op::i8x16_le_s:
    case Op::i16x8_le_s:
    case Op::i32x4_le_s:
    case Op::i64x2_le_s:
      return CmpInst::ICMP_SLE;
    case Op::i8x16_le_u:
    case Op::i16x8_le_u:
    case Op::i32x4_le_u:
      return CmpInst::ICMP_ULE;
    case Op::i8x16_ge_s:
    case Op::i16x8_ge_s:
    case Op::i32x4_ge_s:
    case Op::i64x2_ge_s:
      return CmpInst::ICMP_SGE;
    case Op::i8x16_ge_u:
    case Op::i16x8_ge_u:
    case Op::i32x4_ge_u:
      return CmpInst::ICMP_UGE;
    default:
      return std::nullopt;
  }
}

// What LLVM has under a name of its own, lane by lane.
Intrinsic::ID intrinsic_of(Op op) {
  switch (op) {
    case Op::i8x16_add_sat_s:
    case Op::i16x8_add_sat_s:
      return Intrinsic::sadd_sat;
    case Op::i8x16_add_sat_u:
    case Op::i16x8_add_sat_u:
      return Intrinsic::uadd_sat;
    case Op::i8x16_sub_sat_s:
    case Op::i16x8_sub_sat_s:
      return Intrinsic::ssub_sat;
    case Op::i8x16_sub_sat_u:
    case Op::i16x8_sub_sat_u:
      return Intrinsic::usub_sat;
    case Op::i8x16_min_s:
    case Op::i16x8_min_s:
    case Op::i32x4_min_s:
      return Intrinsic::smin;
    case Op::i8x16_min_u:
    case Op::i16x8_min_u:
    case Op::i32x4_min_u:
      return Intrinsic::umin;
    case Op::i8x16_max_s:
    case Op::i16x8_max_s:
    case Op::i32x4_max_s:
      return Intrinsic::smax;
    case Op::i8x16_max_u:
    case Op::i16x8_max_u:
    case Op::i32x4_max_u:
      return Intrinsic::umax;
    default:
      return Intrinsic::not_intrinsic;
  }
}

// LLVM makes one instruction of "clamped, then cut off" only where nothing has come between the two.
Intrinsic::ID narrowing_of(Op op) {
  switch (op) {
    case Op::i8x16_narrow_i16x8_s:
      return Intrinsic::x86_sse2_packsswb_128;
    case Op::i8x16_narrow_i16x8_u:
      return Intrinsic::x86_sse2_packuswb_128;
    case Op::i16x8_narrow_i32x4_s:
      return Intrinsic::x86_sse2_packssdw_128;
    case Op::i16x8_narrow_i32x4_u:
      return Intrinsic::x86_sse41_packusdw;
    default:
      return Intrinsic::not_intrinsic;
  }
}

// Lanes of twice the width, of the lower or the upper half.
Value* extended(Builder& builder, Value* vector, Shape from, bool is_high, bool is_signed) {
  const unsigned lanes = from.lanes() / 2;
  llvm::SmallVector<int, 8> half(lanes);
  std::iota(half.begin(), half.end(), is_high ? static_cast<int>(lanes) : 0);
  Value* const narrow = builder.CreateShuffleVector(as(builder, vector, from), half);
  llvm::Type* const wide = vector_type(builder, {from.bits * 2});
  return is_signed ? builder.CreateSExt(narrow, wide) : builder.CreateZExt(narrow, wide);
}

bool is_of_high(Op op) { return wasm::info(op).text.find("_high_") != std::string_view::npos; }

Value* extend(Builder& builder, Op op, Value* a) {
  return extended(builder, a, operand_shape_of(op), is_of_high(op), is_signed(op));
}

Value* extend_and_multiply(Builder& builder, Op op, Value* a, Value* b) {
  const Shape from = operand_shape_of(op);
  return builder.CreateMul(extended(builder, a, from, is_of_high(op), is_signed(op)),
                           extended(builder, b, from, is_of_high(op), is_signed(op)));
}

// Of lanes of twice the width, the lower and the upper halves as numbers.
Value* even(Builder& builder, Value* wide, bool is_signed) {
  const unsigned half = wide->getType()->getScalarSizeInBits() / 2;
  if (!is_signed) return builder.CreateAnd(wide, llvm::ConstantInt::get(wide->getType(), (1ULL << half) - 1));
  return builder.CreateAShr(builder.CreateShl(wide, half), half);
}
Value* odd(Builder& builder, Value* wide, bool is_signed) {
  const unsigned half = wide->getType()->getScalarSizeInBits() / 2;
  return is_signed ? builder.CreateAShr(wide, half) : builder.CreateLShr(wide, half);
}

// Of two unsigned and signed bytes each, the saturated sum of their products.
Value* multiply_bytes(Builder& builder, Value* is_unsigned, Value* is_signed) {
  return call(builder, Intrinsic::x86_ssse3_pmadd_ub_sw_128,
              {as(builder, is_unsigned, kI8x16), as(builder, is_signed, kI8x16)});
}
// Of two signed words each, the sum of their products.
Value* multiply_words(Builder& builder, Value* a, Value* b) {
  return call(builder, Intrinsic::x86_sse2_pmadd_wd, {as(builder, a, kI16x8), as(builder, b, kI16x8)});
}

Value* add_pairwise(Builder& builder, Op op, Value* a) {
  switch (op) {
    case Op::i16x8_extadd_pairwise_i8x16_s:
      return multiply_bytes(builder, splat(builder, kI8x16, 1), a);
    case Op::i16x8_extadd_pairwise_i8x16_u:
      return multiply_bytes(builder, a, splat(builder, kI8x16, 1));
    case Op::i32x4_extadd_pairwise_i16x8_s:
      return multiply_words(builder, a, splat(builder, kI16x8, 1));
    default: {
      Value* const wide = as(builder, a, kI32x4);
      return builder.CreateAdd(even(builder, wide, false), odd(builder, wide, false));
    }
  }
}

// The sum wraps.
Value* dot_of_bytes(Builder& builder, Value* a, Value* b) {
  a = as(builder, a, kI16x8);
  b = as(builder, b, kI16x8);
  return builder.CreateAdd(builder.CreateMul(even(builder, a, true), even(builder, b, true)),
                           builder.CreateMul(odd(builder, a, true), odd(builder, b, true)));
}

// The instruction rounds, but does not saturate the one product that does not fit, of the smallest number with itself.
Value* multiply_q15(Builder& builder, Value* a, Value* b) {
  Value* const product =
      call(builder, Intrinsic::x86_ssse3_pmul_hr_sw_128, {as(builder, a, kI16x8), as(builder, b, kI16x8)});
  Value* const smallest = splat(builder, kI16x8, 0x8000);
  return builder.CreateXor(product, as_mask(builder, builder.CreateICmpEQ(product, smallest)));
}

// The average, rounded up.
Value* average(Builder& builder, Value* a, Value* b) {
  llvm::Type* const type = a->getType();
  llvm::Type* const wide = type->getExtendedType();
  Value* const sum = builder.CreateAdd(builder.CreateZExt(a, wide), builder.CreateZExt(b, wide));
  Value* const rounded = builder.CreateAdd(sum, llvm::ConstantInt::get(wide, 1));
  return builder.CreateTrunc(builder.CreateLShr(rounded, 1), type);
}

// pshufb reads four bits of an index, and gives 0 where the highest one is set.
Value* swizzle(Builder& builder, Value* a, Value* indices) {
  Value* const limited =
      builder.CreateBinaryIntrinsic(Intrinsic::uadd_sat, as(builder, indices, kI8x16), splat(builder, kI8x16, 0x70));
  return call(builder, Intrinsic::x86_ssse3_pshuf_b_128, {as(builder, a, kI8x16), limited});
}

Value* select_bits(Builder& builder, Value* a, Value* b, Value* mask) {
  return builder.CreateOr(builder.CreateAnd(a, mask), builder.CreateAnd(b, builder.CreateNot(mask)));
}

}  // namespace

Value* integer_operation(Builder& builder, Op op, Value* a, Value* b, Value* c) {
  // Those that see no lanes, or others than the result's.
  switch (op) {
    case Op::v128_not:
      return builder.CreateNot(a);
    case Op::v128_and:
      return builder.CreateAnd(a, b);
    case Op::v128_andnot:
      return builder.CreateAnd(a, builder.CreateNot(b));
    case Op::v128_or:
      return builder.CreateOr(a, b);
    case Op::v128_xor:
      return builder.CreateXor(a, b);
    case Op::v128_bitselect:
    case Op::i8x16_relaxed_laneselect:
    case Op::i16x8_relaxed_laneselect:
    case Op::i32x4_relaxed_laneselect:
    case Op::i64x2_relaxed_laneselect:
      return select_bits(builder, a, b, c);
    case Op::i8x16_swizzle:
    case Op::i8x16_relaxed_swizzle:
      return swizzle(builder, a, b);
    case Op::i16x8_extend_low_i8x16_s:
    case Op::i16x8_extend_high_i8x16_s:
    case Op::i16x8_extend_low_i8x16_u:
    case Op::i16x8_extend_high_i8x16_u:
    case Op::i32x4_extend_low_i16x8_s:
    case Op::i32x4_extend_high_i16x8_s:
    case Op::i32x4_extend_low_i16x8_u:
    case Op::i32x4_extend_high_i16x8_u:
    case Op::i64x2_extend_low_i32x4_s:
    case Op::i64x2_extend_high_i32x4_s:
    case Op::i64x2_extend_low_i32x4_u:
    case Op::i64x2_extend_high_i32x4_u:
      return extend(builder, op, a);
    case Op::i16x8_extmul_low_i8x16_s:
    case Op::i16x8_extmul_high_i8x16_s:
    case Op::i16x8_extmul_low_i8x16_u:
    case Op::i16x8_extmul_high_i8x16_u:
    case Op::i32x4_extmul_low_i16x8_s:
    case Op::i32x4_extmul_high_i16x8_s:
    case Op::i32x4_extmul_low_i16x8_u:
    case Op::i32x4_extmul_high_i16x8_u:
    case Op::i64x2_extmul_low_i32x4_s:
    case Op::i64x2_extmul_high_i32x4_s:
    case Op::i64x2_extmul_low_i32x4_u:
    case Op::i64x2_extmul_high_i32x4_u:
      return extend_and_multiply(builder, op, a, b);
    case Op::i16x8_extadd_pairwise_i8x16_s:
    case Op::i16x8_extadd_pairwise_i8x16_u:
    case Op::i32x4_extadd_pairwise_i16x8_s:
    case Op::i32x4_extadd_pairwise_i16x8_u:
      return add_pairwise(builder, op, a);
    case Op::i32x4_dot_i16x8_s:
      return multiply_words(builder, a, b);
    case Op::i16x8_relaxed_dot_i8x16_i7x16_s:
      return dot_of_bytes(builder, a, b);
    case Op::i32x4_relaxed_dot_i8x16_i7x16_add_s:
      return builder.CreateAdd(multiply_words(builder, dot_of_bytes(builder, a, b), splat(builder, kI16x8, 1)),
                               as(builder, c, kI32x4));
    case Op::i16x8_q15mulr_sat_s:
    case Op::i16x8_relaxed_q15mulr_s:
      return multiply_q15(builder, a, b);
    default:
      break;
  }
  if (const Intrinsic::ID narrowing = narrowing_of(op); narrowing != Intrinsic::not_intrinsic) {
    const Shape from = operand_shape_of(op);
    return call(builder, narrowing, {as(builder, a, from), as(builder, b, from)});
  }

  const Shape shape = shape_of(op);
  if (shape.is_float) return nullptr;
  a = as(builder, a, shape);
  if (b != nullptr) b = as(builder, b, shape);
  if (const auto predicate = predicate_of(op)) return as_mask(builder, builder.CreateICmp(*predicate, a, b));
  if (const Intrinsic::ID intrinsic = intrinsic_of(op); intrinsic != Intrinsic::not_intrinsic) {
    return builder.CreateBinaryIntrinsic(intrinsic, a, b);
  }
  switch (op) {
    case Op::i8x16_add:
    case Op::i16x8_add:
    case Op::i32x4_add:
    case Op::i64x2_add:
      return builder.CreateAdd(a, b);
    case Op::i8x16_sub:
    case Op::i16x8_sub:
    case Op::i32x4_sub:
    case Op::i64x2_sub:
      return builder.CreateSub(a, b);
    case Op::i16x8_mul:
    case Op::i32x4_mul:
    case Op::i64x2_mul:
      return builder.CreateMul(a, b);
    case Op::i8x16_avgr_u:
    case Op::i16x8_avgr_u:
      return average(builder, a, b);
    case Op::i8x16_neg:
    case Op::i16x8_neg:
    case Op::i32x4_neg:
    case Op::i64x2_neg:
      return builder.CreateNeg(a);
    case Op::i8x16_abs:
    case Op::i16x8_abs:
    case Op::i32x4_abs:
    case Op::i64x2_abs:
      // The smallest number stays what it is.
      return builder.CreateBinaryIntrinsic(Intrinsic::abs, a, builder.getFalse());
    case Op::i8x16_popcnt:
      return builder.CreateUnaryIntrinsic(Intrinsic::ctpop, a);
    default:
      return nullptr;
  }
}

}  // namespace wasi::jit::optimising::simd

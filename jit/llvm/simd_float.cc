// Vectors of floats, and the conversions between them and integers. On NaNs: floats.h.
// Source: https://webassembly.github.io/spec/core/exec/numerics.html
#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsX86.h>

#include <optional>

#include "base/check.h"
#include "jit/llvm/floats.h"
#include "jit/llvm/simd.h"

namespace wasi::jit::optimising::simd {

using llvm::CmpInst;
using llvm::Instruction;
using llvm::Value;
using wasm::Op;
namespace Intrinsic = llvm::Intrinsic;

namespace {

// Of the comparisons with a NaN only `ne` holds.
std::optional<CmpInst::Predicate> predicate_of(Op op) {
  switch (op) {
    case Op::f32x4_eq:
    case Op::f64x2_eq:
      return CmpInst::FCMP_OEQ;
    case Op::f32x4_ne:
    case Op::f64x2_ne:
      return CmpInst::FCMP_UNE;
    case Op::f32x4_lt:
    case Op::f64x2_lt:
      return CmpInst::FCMP_OLT;
    case Op::f32x4_gt:
    case Op::f64x2_gt:
      return CmpInst::FCMP_OGT;
    case Op::f32x4_le:
    case Op::f64x2_le:
      return CmpInst::FCMP_OLE;
    case Op::f32x4_ge:
    case Op::f64x2_ge:
      return CmpInst::FCMP_OGE;
    default:
      return std::nullopt;
  }
}

// A constant of which LLVM would take the operation away is shown to it behind a fence.
Value* arithmetic(Builder& builder, Instruction::BinaryOps operation, Value* a, Value* b) {
  const auto visible = [&](Value* operand, Value* other, bool is_second) -> Value* {
    if (!loses_quieting(operation, operand, other, is_second)) return operand;
    return builder.CreateIntrinsic(Intrinsic::arithmetic_fence, {operand->getType()}, {operand});
  };
  Value* const lhs = visible(a, b, false);
  Value* const rhs = visible(b, a, true);
  return builder.CreateBinOp(operation, lhs, rhs);
}

Value* constant(Builder& builder, Shape shape, double lane) {
  return llvm::ConstantFP::get(vector_type(builder, shape), lane);
}

// The smaller (greater) one, the second where neither is and where one is a NaN: minps (maxps).
Value* smaller(Builder& builder, Value* a, Value* b) { return builder.CreateSelect(builder.CreateFCmpOLT(a, b), a, b); }
Value* greater(Builder& builder, Value* a, Value* b) { return builder.CreateSelect(builder.CreateFCmpOGT(a, b), a, b); }

// Truncations that saturate. LLVM takes vectors apart for its own. x86's instruction gives 0x80000000 for whatever does
// not fit an i32.
Value* truncate_f32(Builder& builder, Value* a) { return call(builder, Intrinsic::x86_sse2_cvttps2dq, {a}); }

Value* truncate_f32_signed(Builder& builder, Value* a) {
  Value* const is_number = as_mask(builder, builder.CreateFCmpORD(a, a));
  Value* const number = as(builder, builder.CreateAnd(as(builder, a, kI32x4), is_number), kF32x4);
  Value* const is_large = as_mask(builder, builder.CreateFCmpOGE(a, constant(builder, kF32x4, 0x1p31)));
  return builder.CreateXor(truncate_f32(builder, number), is_large);
}

Value* truncate_f32_unsigned(Builder& builder, Value* a) {
  Value* const positive = greater(builder, a, constant(builder, kF32x4, 0));
  // What is above 2^31, at most 2^31 - 1 of it, goes on top of the 2^31 that the instruction gives for the whole.
  Value* const end = constant(builder, kF32x4, 0x1p31);
  Value* const excess = builder.CreateFSub(positive, end);
  Value* const is_large = as_mask(builder, builder.CreateFCmpOGE(excess, end));
  Value* const integer = builder.CreateXor(truncate_f32(builder, excess), is_large);
  Value* const zero = splat(builder, kI32x4, 0);
  return builder.CreateAdd(truncate_f32(builder, positive),
                           builder.CreateBinaryIntrinsic(Intrinsic::smax, integer, zero));
}

Value* truncate_f64_signed(Builder& builder, Value* a) {
  // The largest i32 as the upper bound, 0 for NaNs. Below the smallest one the instruction gives that.
  Value* const is_number = as_mask(builder, builder.CreateFCmpORD(a, a));
  Value* const largest = as(builder, constant(builder, kF64x2, 0x1p31 - 1), kI64x2);
  Value* const bound = as(builder, builder.CreateAnd(is_number, largest), kF64x2);
  return call(builder, Intrinsic::x86_sse2_cvttpd2dq, {smaller(builder, a, bound)});
}

Value* truncate_f64_unsigned(Builder& builder, Value* a) {
  Value* const positive = greater(builder, a, constant(builder, kF64x2, 0));
  Value* const fitting = smaller(builder, positive, constant(builder, kF64x2, 0x1p32 - 1));
  // From 2^52 on the lower bits of a float are those of the integer.
  Value* const whole = builder.CreateUnaryIntrinsic(Intrinsic::trunc, fitting);
  Value* const bits = builder.CreateFAdd(whole, constant(builder, kF64x2, 0x1p52));
  return builder.CreateShuffleVector(as(builder, bits, kI32x4), splat(builder, kI32x4, 0), {0, 2, 4, 4});
}

// Lanes 0 and 1.
Value* lower_half(Builder& builder, Value* a, Shape shape) {
  return builder.CreateShuffleVector(as(builder, a, shape), {0, 1});
}

Value* demote_zero(Builder& builder, Value* a) {
  Value* const demoted = float_demote(builder, as(builder, a, kF64x2));
  return builder.CreateShuffleVector(demoted, llvm::Constant::getNullValue(demoted->getType()), {0, 1, 2, 3});
}

}  // namespace

Value* float_operation(Builder& builder, Op op, Value* a, Value* b, Value* c) {
  switch (op) {
    case Op::i32x4_trunc_sat_f32x4_s:
    case Op::i32x4_relaxed_trunc_f32x4_s:
      return truncate_f32_signed(builder, as(builder, a, kF32x4));
    case Op::i32x4_trunc_sat_f32x4_u:
    case Op::i32x4_relaxed_trunc_f32x4_u:
      return truncate_f32_unsigned(builder, as(builder, a, kF32x4));
    case Op::i32x4_trunc_sat_f64x2_s_zero:
    case Op::i32x4_relaxed_trunc_f64x2_s_zero:
      return truncate_f64_signed(builder, as(builder, a, kF64x2));
    case Op::i32x4_trunc_sat_f64x2_u_zero:
    case Op::i32x4_relaxed_trunc_f64x2_u_zero:
      return truncate_f64_unsigned(builder, as(builder, a, kF64x2));
    case Op::f32x4_convert_i32x4_s:
      return builder.CreateSIToFP(as(builder, a, kI32x4), vector_type(builder, kF32x4));
    case Op::f32x4_convert_i32x4_u:
      return builder.CreateUIToFP(as(builder, a, kI32x4), vector_type(builder, kF32x4));
    case Op::f64x2_convert_low_i32x4_s:
      return builder.CreateSIToFP(lower_half(builder, a, kI32x4), vector_type(builder, kF64x2));
    case Op::f64x2_convert_low_i32x4_u:
      return builder.CreateUIToFP(lower_half(builder, a, kI32x4), vector_type(builder, kF64x2));
    case Op::f64x2_promote_low_f32x4:
      return builder.CreateFPExt(lower_half(builder, a, kF32x4), vector_type(builder, kF64x2));
    case Op::f32x4_demote_f64x2_zero:
      return demote_zero(builder, a);
    default:
      break;
  }

  const Shape shape = shape_of(op);
  WASI_CHECK(shape.is_float);
  a = as(builder, a, shape);
  if (b != nullptr) b = as(builder, b, shape);
  if (c != nullptr) c = as(builder, c, shape);
  if (const auto predicate = predicate_of(op)) return as_mask(builder, builder.CreateFCmp(*predicate, a, b));
  switch (op) {
    case Op::f32x4_abs:
    case Op::f64x2_abs:
      return builder.CreateUnaryIntrinsic(Intrinsic::fabs, a);
    case Op::f32x4_neg:
    case Op::f64x2_neg:
      return builder.CreateFNeg(a);
    case Op::f32x4_sqrt:
    case Op::f64x2_sqrt:
      return builder.CreateUnaryIntrinsic(Intrinsic::sqrt, a);
    case Op::f32x4_ceil:
    case Op::f64x2_ceil:
      return builder.CreateUnaryIntrinsic(Intrinsic::ceil, a);
    case Op::f32x4_floor:
    case Op::f64x2_floor:
      return builder.CreateUnaryIntrinsic(Intrinsic::floor, a);
    case Op::f32x4_trunc:
    case Op::f64x2_trunc:
      return builder.CreateUnaryIntrinsic(Intrinsic::trunc, a);
    case Op::f32x4_nearest:
    case Op::f64x2_nearest:
      return builder.CreateUnaryIntrinsic(Intrinsic::roundeven, a);
    case Op::f32x4_add:
    case Op::f64x2_add:
      return arithmetic(builder, Instruction::FAdd, a, b);
    case Op::f32x4_sub:
    case Op::f64x2_sub:
      return arithmetic(builder, Instruction::FSub, a, b);
    case Op::f32x4_mul:
    case Op::f64x2_mul:
      return arithmetic(builder, Instruction::FMul, a, b);
    case Op::f32x4_div:
    case Op::f64x2_div:
      return arithmetic(builder, Instruction::FDiv, a, b);
    case Op::f32x4_min:
    case Op::f64x2_min:
    case Op::f32x4_relaxed_min:
    case Op::f64x2_relaxed_min:
      return float_min(builder, a, b);
    case Op::f32x4_max:
    case Op::f64x2_max:
    case Op::f32x4_relaxed_max:
    case Op::f64x2_relaxed_max:
      return float_max(builder, a, b);
    case Op::f32x4_pmin:
    case Op::f64x2_pmin:
      return smaller(builder, b, a);
    case Op::f32x4_pmax:
    case Op::f64x2_pmax:
      return greater(builder, b, a);
    // Rounded twice, as on a machine without a fused instruction.
    case Op::f32x4_relaxed_madd:
    case Op::f64x2_relaxed_madd:
      return arithmetic(builder, Instruction::FAdd, arithmetic(builder, Instruction::FMul, a, b), c);
    case Op::f32x4_relaxed_nmadd:
    case Op::f64x2_relaxed_nmadd:
      return arithmetic(builder, Instruction::FSub, c, arithmetic(builder, Instruction::FMul, a, b));
    default:
      WASI_CHECK(false);
  }
}

}  // namespace wasi::jit::optimising::simd

// Numeric instructions: integers, floats and the conversions between them.
//
// What is undefined in LLVM and is not in Wasm: shift counts beyond the width, the smallest number divided by -1,
// conversions of what does not fit. The traps are those of lib/runtime/numeric.h, in its order. On NaNs: floats.h.
// Source: https://webassembly.github.io/spec/core/exec/numerics.html
#include <llvm/ADT/APFloat.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>

#include "base/check.h"
#include "jit/llvm/floats.h"
#include "jit/llvm/lowering.h"

namespace wasi::jit::optimising {

using llvm::CmpInst;
using llvm::Instruction;
using llvm::Value;
using wasm::Op;
namespace Intrinsic = llvm::Intrinsic;

namespace {

std::optional<CmpInst::Predicate> predicate_of(Op op) {
  switch (op) {
    case Op::i32_eq:
    case Op::i64_eq:
      return CmpInst::ICMP_EQ;
    case Op::i32_ne:
    case Op::i64_ne:
      return CmpInst::ICMP_NE;
    case Op::i32_lt_s:
    case Op::i64_lt_s:
      return CmpInst::ICMP_SLT;
    case Op::i32_lt_u:
    case Op::i64_lt_u:
      return CmpInst::ICMP_ULT;
    case Op::i32_gt_s:
    case Op::i64_gt_s:
      return CmpInst::ICMP_SGT;
    case Op::i32_gt_u:
    case Op::i64_gt_u:
      return CmpInst::ICMP_UGT;
    case Op::i32_le_s:
    case Op::i64_le_s:
      return CmpInst::ICMP_SLE;
    case Op::i32_le_u:
    case Op::i64_le_u:
      return CmpInst::ICMP_ULE;
    case Op::i32_ge_s:
    case Op::i64_ge_s:
      return CmpInst::ICMP_SGE;
    case Op::i32_ge_u:
    case Op::i64_ge_u:
      return CmpInst::ICMP_UGE;
    // Of the comparisons with a NaN only `ne` holds.
    case Op::f32_eq:
    case Op::f64_eq:
      return CmpInst::FCMP_OEQ;
    case Op::f32_ne:
    case Op::f64_ne:
      return CmpInst::FCMP_UNE;
    case Op::f32_lt:
    case Op::f64_lt:
      return CmpInst::FCMP_OLT;
    case Op::f32_gt:
    case Op::f64_gt:
      return CmpInst::FCMP_OGT;
    case Op::f32_le:
    case Op::f64_le:
      return CmpInst::FCMP_OLE;
    case Op::f32_ge:
    case Op::f64_ge:
      return CmpInst::FCMP_OGE;
    default:
      return std::nullopt;
  }
}

// `a` is taken modulo 2^bits, as a signed number.
Value* extend_low(Builder& builder, Value* a, unsigned bits) {
  return builder.CreateSExt(builder.CreateTrunc(a, builder.getIntNTy(bits)), a->getType());
}

// Where it is a constant that excludes a trap, there is no test.
bool is_other_than(const Value* value, std::int64_t number) {
  const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value);
  return constant != nullptr && constant->getSExtValue() != number;
}

Value* shift_count(Builder& builder, Value* count) {
  llvm::Type* const type = count->getType();
  return builder.CreateAnd(count, llvm::ConstantInt::get(type, type->getIntegerBitWidth() - 1));
}

Value* power_of_two(llvm::Type* type, int exponent) {
  const llvm::APFloat one(type->getFltSemantics(), 1);
  return llvm::ConstantFP::get(type, llvm::scalbn(one, exponent, llvm::APFloat::rmNearestTiesToEven));
}

}  // namespace

void Lowering::lower_number(Op op) {
  const std::string_view signature = wasm::info(op).signature;
  if (signature == "llll:ll") return wide_sum(op);
  if (signature == "ll:ll") return wide_product(op);
  const Type result = type_of_letter(signature.back());
  if (signature.find(':') == 2) {
    Value* const b = pop();
    Value* const a = pop();
    if (const auto predicate = predicate_of(op)) return push(as_i32(builder_.CreateCmp(*predicate, a, b)), result);
    return push(is_float(result) ? float_binary(op, a, b) : integer_binary(op, a, b), result);
  }
  Value* const a = pop();
  push(number_unary(op, a), result);
}

Value* Lowering::integer_binary(Op op, Value* a, Value* b) {
  switch (op) {
    case Op::i32_add:
    case Op::i64_add:
      return builder_.CreateAdd(a, b);
    case Op::i32_sub:
    case Op::i64_sub:
      return builder_.CreateSub(a, b);
    case Op::i32_mul:
    case Op::i64_mul:
      return builder_.CreateMul(a, b);
    case Op::i32_div_s:
    case Op::i32_div_u:
    case Op::i32_rem_s:
    case Op::i32_rem_u:
    case Op::i64_div_s:
    case Op::i64_div_u:
    case Op::i64_rem_s:
    case Op::i64_rem_u:
      return integer_divide(op, a, b);
    case Op::i32_and:
    case Op::i64_and:
      return builder_.CreateAnd(a, b);
    case Op::i32_or:
    case Op::i64_or:
      return builder_.CreateOr(a, b);
    case Op::i32_xor:
    case Op::i64_xor:
      return builder_.CreateXor(a, b);
    case Op::i32_shl:
    case Op::i64_shl:
      return builder_.CreateShl(a, shift_count(builder_, b));
    case Op::i32_shr_s:
    case Op::i64_shr_s:
      return builder_.CreateAShr(a, shift_count(builder_, b));
    case Op::i32_shr_u:
    case Op::i64_shr_u:
      return builder_.CreateLShr(a, shift_count(builder_, b));
    // These take the count modulo the width.
    case Op::i32_rotl:
    case Op::i64_rotl:
      return builder_.CreateIntrinsic(a->getType(), Intrinsic::fshl, {a, a, b});
    case Op::i32_rotr:
    case Op::i64_rotr:
      return builder_.CreateIntrinsic(a->getType(), Intrinsic::fshr, {a, a, b});
    default:
      WASI_CHECK(false);
  }
}

Value* Lowering::integer_divide(Op op, Value* a, Value* b) {
  llvm::Type* const type = a->getType();
  Value* const minus_one = llvm::ConstantInt::getAllOnesValue(type);
  if (!is_other_than(b, 0)) {
    trap_if(builder_.CreateICmpEQ(b, llvm::ConstantInt::get(type, 0)), TrapCode::integer_divide_by_zero);
  }
  switch (op) {
    case Op::i32_div_s:
    case Op::i64_div_s: {
      if (!is_other_than(b, -1)) {
        Value* const smallest = builder_.getInt(llvm::APInt::getSignedMinValue(type->getIntegerBitWidth()));
        trap_if(builder_.CreateAnd(builder_.CreateICmpEQ(a, smallest), builder_.CreateICmpEQ(b, minus_one)),
                TrapCode::integer_overflow);
      }
      return builder_.CreateSDiv(a, b);
    }
    case Op::i32_div_u:
    case Op::i64_div_u:
      return builder_.CreateUDiv(a, b);
    case Op::i32_rem_s:
    case Op::i64_rem_s: {
      // By -1 and by 1 the remainder is 0, and the division by 1 cannot overflow.
      Value* const divisor =
          builder_.CreateSelect(builder_.CreateICmpEQ(b, minus_one), llvm::ConstantInt::get(type, 1), b);
      return builder_.CreateSRem(a, divisor);
    }
    default:
      return builder_.CreateURem(a, b);
  }
}

Value* Lowering::float_arithmetic(Instruction::BinaryOps operation, Value* a, Value* b) {
  const auto visible = [&](Value* operand, Value* other, bool is_second) {
    const auto* constant = llvm::dyn_cast<llvm::ConstantFP>(operand);
    if (constant == nullptr || !loses_quieting(operation, operand, other, is_second)) return operand;
    return unit_.hidden(builder_, *constant);
  };
  Value* const lhs = visible(a, b, false);
  Value* const rhs = visible(b, a, true);
  return builder_.CreateBinOp(operation, lhs, rhs);
}

Value* Lowering::float_binary(Op op, Value* a, Value* b) {
  switch (op) {
    case Op::f32_add:
    case Op::f64_add:
      return float_arithmetic(Instruction::FAdd, a, b);
    case Op::f32_sub:
    case Op::f64_sub:
      return float_arithmetic(Instruction::FSub, a, b);
    case Op::f32_mul:
    case Op::f64_mul:
      return float_arithmetic(Instruction::FMul, a, b);
    case Op::f32_div:
    case Op::f64_div:
      return float_arithmetic(Instruction::FDiv, a, b);
    case Op::f32_min:
    case Op::f64_min:
      return float_min(builder_, a, b);
    case Op::f32_max:
    case Op::f64_max:
      return float_max(builder_, a, b);
    case Op::f32_copysign:
    case Op::f64_copysign:
      return builder_.CreateCopySign(a, b);
    default:
      WASI_CHECK(false);
  }
}

Value* Lowering::number_unary(Op op, Value* a) {
  llvm::Type* const type = a->getType();
  llvm::Type* const result = this->type(type_of_letter(wasm::info(op).signature.back()));
  switch (op) {
    case Op::i32_eqz:
    case Op::i64_eqz:
      return as_i32(builder_.CreateICmpEQ(a, llvm::ConstantInt::get(type, 0)));
    case Op::i32_clz:
    case Op::i64_clz:
      return builder_.CreateBinaryIntrinsic(Intrinsic::ctlz, a, builder_.getFalse());
    case Op::i32_ctz:
    case Op::i64_ctz:
      return builder_.CreateBinaryIntrinsic(Intrinsic::cttz, a, builder_.getFalse());
    case Op::i32_popcnt:
    case Op::i64_popcnt:
      return builder_.CreateUnaryIntrinsic(Intrinsic::ctpop, a);
    case Op::i32_extend8_s:
    case Op::i64_extend8_s:
      return extend_low(builder_, a, 8);
    case Op::i32_extend16_s:
    case Op::i64_extend16_s:
      return extend_low(builder_, a, 16);
    case Op::i64_extend32_s:
      return extend_low(builder_, a, 32);
    case Op::i32_wrap_i64:
      return builder_.CreateTrunc(a, result);
    case Op::i64_extend_i32_s:
      return builder_.CreateSExt(a, result);
    case Op::i64_extend_i32_u:
      return builder_.CreateZExt(a, result);

    // These three move bits.
    case Op::f32_abs:
    case Op::f64_abs:
      return builder_.CreateUnaryIntrinsic(Intrinsic::fabs, a);
    case Op::f32_neg:
    case Op::f64_neg:
      return builder_.CreateFNeg(a);
    case Op::i32_reinterpret_f32:
    case Op::i64_reinterpret_f64:
    case Op::f32_reinterpret_i32:
    case Op::f64_reinterpret_i64:
      return builder_.CreateBitCast(a, result);

    case Op::f32_ceil:
    case Op::f64_ceil:
      return builder_.CreateUnaryIntrinsic(Intrinsic::ceil, a);
    case Op::f32_floor:
    case Op::f64_floor:
      return builder_.CreateUnaryIntrinsic(Intrinsic::floor, a);
    case Op::f32_trunc:
    case Op::f64_trunc:
      return builder_.CreateUnaryIntrinsic(Intrinsic::trunc, a);
    case Op::f32_nearest:
    case Op::f64_nearest:
      return builder_.CreateUnaryIntrinsic(Intrinsic::roundeven, a);
    case Op::f32_sqrt:
    case Op::f64_sqrt:
      return builder_.CreateUnaryIntrinsic(Intrinsic::sqrt, a);
    case Op::f32_demote_f64:
      return float_demote(builder_, a);
    case Op::f64_promote_f32:
      return builder_.CreateFPExt(a, result);

    case Op::f32_convert_i32_s:
    case Op::f32_convert_i64_s:
    case Op::f64_convert_i32_s:
    case Op::f64_convert_i64_s:
      return builder_.CreateSIToFP(a, result);
    case Op::f32_convert_i32_u:
    case Op::f32_convert_i64_u:
    case Op::f64_convert_i32_u:
    case Op::f64_convert_i64_u:
      return builder_.CreateUIToFP(a, result);
    case Op::i32_trunc_sat_f32_s:
    case Op::i32_trunc_sat_f64_s:
    case Op::i64_trunc_sat_f32_s:
    case Op::i64_trunc_sat_f64_s:
      return builder_.CreateIntrinsic(Intrinsic::fptosi_sat, {result, type}, {a});
    case Op::i32_trunc_sat_f32_u:
    case Op::i32_trunc_sat_f64_u:
    case Op::i64_trunc_sat_f32_u:
    case Op::i64_trunc_sat_f64_u:
      return builder_.CreateIntrinsic(Intrinsic::fptoui_sat, {result, type}, {a});
    case Op::i32_trunc_f32_s:
    case Op::i32_trunc_f64_s:
    case Op::i64_trunc_f32_s:
    case Op::i64_trunc_f64_s:
      return truncate(a, result, true);
    case Op::i32_trunc_f32_u:
    case Op::i32_trunc_f64_u:
    case Op::i64_trunc_f32_u:
    case Op::i64_trunc_f64_u:
      return truncate(a, result, false);
    default:
      WASI_CHECK(false);
  }
}

// The first test is the one that compilers put before the instruction where they may not let it trap; there it
// vanishes. What it lets through fits; what it does not is looked at more closely, aside.
Value* Lowering::truncate(Value* a, llvm::Type* to, bool is_signed) {
  llvm::Type* const from = a->getType();
  const auto bits = static_cast<int>(to->getIntegerBitWidth());
  Value* const end = power_of_two(from, is_signed ? bits - 1 : bits);
  Value* fits = nullptr;
  if (is_signed) {
    fits = builder_.CreateFCmpOLT(builder_.CreateUnaryIntrinsic(Intrinsic::fabs, a), end);
  } else {
    fits =
        builder_.CreateAnd(builder_.CreateFCmpOGE(a, llvm::ConstantFP::get(from, 0)), builder_.CreateFCmpOLT(a, end));
  }
  llvm::BasicBlock* const aside = seldom_if(builder_.CreateNot(fits), "no_fit");
  llvm::BasicBlock* const next = builder_.GetInsertBlock();

  enter(aside);
  trap_if(builder_.CreateFCmpUNO(a, a), TrapCode::invalid_conversion_to_integer);
  // The first number below those that fit, where there is one; else the smallest one that does.
  Value* begin = nullptr;
  bool is_begin_in = false;
  if (!is_signed) {
    begin = llvm::ConstantFP::get(from, -1);
  } else if (from->isDoubleTy() && bits == 32) {
    begin = llvm::ConstantFP::get(from, -0x1p31 - 1);
  } else {
    begin = llvm::ConstantFP::get(from, is_signed && bits == 32 ? -0x1p31 : -0x1p63);
    is_begin_in = true;
  }
  Value* const is_below = is_begin_in ? builder_.CreateFCmpOLT(a, begin) : builder_.CreateFCmpOLE(a, begin);
  trap_if(builder_.CreateOr(is_below, builder_.CreateFCmpOGE(a, end)), TrapCode::integer_overflow);
  builder_.CreateBr(next);

  enter(next);
  return is_signed ? builder_.CreateFPToSI(a, to) : builder_.CreateFPToUI(a, to);
}

void Lowering::wide_sum(Op op) {
  llvm::Type* const wide = builder_.getInt128Ty();
  const auto pop_wide = [&] {
    Value* const high = pop();
    Value* const low = pop();
    return builder_.CreateOr(builder_.CreateShl(builder_.CreateZExt(high, wide), 64), builder_.CreateZExt(low, wide));
  };
  Value* const b = pop_wide();
  Value* const a = pop_wide();
  push_wide(op == Op::i64_add128 ? builder_.CreateAdd(a, b) : builder_.CreateSub(a, b));
}

void Lowering::wide_product(Op op) {
  llvm::Type* const wide = builder_.getInt128Ty();
  const bool is_signed = op == Op::i64_mul_wide_s;
  Value* const b = pop();
  Value* const a = pop();
  const auto extended = [&](Value* value) {
    return is_signed ? builder_.CreateSExt(value, wide) : builder_.CreateZExt(value, wide);
  };
  push_wide(builder_.CreateMul(extended(a), extended(b)));
}

void Lowering::push_wide(Value* value) {
  push(builder_.CreateTrunc(value, builder_.getInt64Ty()), Type::i64);
  push(builder_.CreateTrunc(builder_.CreateLShr(value, 64), builder_.getInt64Ty()), Type::i64);
}

}  // namespace wasi::jit::optimising

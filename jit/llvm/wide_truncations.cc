// Saturating truncations of vectors to i32: what wide_truncations.h says.
//
// A truncation of what does not fit is poison, so the operand is brought into range first, and the lanes that were not
// in it are put right behind. The sequences are for any number of lanes; LLVM divides them among its registers.
// Source: https://webassembly.github.io/spec/core/exec/numerics.html#op-trunc-sat-s
#include "jit/llvm/wide_truncations.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>

#include <vector>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

using llvm::Value;

namespace {

// The smaller (greater) one; the second, where one is a NaN: x86's minps and maxps.
Value* smaller(Builder& builder, Value* a, Value* b) { return builder.CreateSelect(builder.CreateFCmpOLT(a, b), a, b); }
Value* greater(Builder& builder, Value* a, Value* b) { return builder.CreateSelect(builder.CreateFCmpOGT(a, b), a, b); }

Value* constant(Value* like, double lane) { return llvm::ConstantFP::get(like->getType(), lane); }

Value* number_or_zero(Builder& builder, Value* a) {
  return builder.CreateSelect(builder.CreateFCmpORD(a, a), a, constant(a, 0));
}

// From f32 the largest i32 cannot be reached: beyond it stands the smallest one, all bits of which are turned.
Value* from_f32_signed(Builder& builder, Value* a, llvm::Type* to) {
  Value* const smallest = constant(a, -0x1p31);
  Value* const number = greater(builder, number_or_zero(builder, a), smallest);
  Value* const is_large = builder.CreateFCmpOGE(number, constant(a, 0x1p31));
  Value* const integer = builder.CreateFPToSI(builder.CreateSelect(is_large, smallest, number), to);
  return builder.CreateXor(integer, builder.CreateSExt(is_large, to));
}

// What is above 2^31 is converted without it.
Value* from_f32_unsigned(Builder& builder, Value* a, llvm::Type* to) {
  Value* const half = constant(a, 0x1p31);
  Value* const positive = greater(builder, a, constant(a, 0));
  Value* const is_large = builder.CreateFCmpOGE(positive, half);
  Value* const is_too_large = builder.CreateFCmpOGE(positive, constant(a, 0x1p32));
  Value* const low = builder.CreateSelect(is_large, builder.CreateFSub(positive, half), positive);
  Value* const fitting = smaller(builder, low, constant(a, 0x1.fffffep30));
  Value* const integer = builder.CreateFPToSI(fitting, to);
  Value* const top =
      builder.CreateSelect(is_large, llvm::ConstantInt::get(to, 0x8000'0000), llvm::Constant::getNullValue(to));
  return builder.CreateOr(builder.CreateOr(integer, top), builder.CreateSExt(is_too_large, to));
}

Value* from_f64_signed(Builder& builder, Value* a, llvm::Type* to) {
  Value* const number = greater(builder, number_or_zero(builder, a), constant(a, -0x1p31));
  return builder.CreateFPToSI(smaller(builder, number, constant(a, 0x1p31 - 1)), to);
}

// From 2^52 on the lower bits of a float are those of the integer.
Value* from_f64_unsigned(Builder& builder, Value* a, llvm::Type* to) {
  Value* const fitting = smaller(builder, greater(builder, a, constant(a, 0)), constant(a, 0x1p32 - 1));
  Value* const whole = builder.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, fitting);
  Value* const sum = builder.CreateFAdd(whole, constant(a, 0x1p52));
  return builder.CreateTrunc(builder.CreateBitCast(sum, to->getWithNewType(builder.getInt64Ty())), to);
}

bool is_wide_truncation(const llvm::Instruction& instruction) {
  const auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
  if (call == nullptr) return false;
  const llvm::Intrinsic::ID id = call->getIntrinsicID();
  if (id != llvm::Intrinsic::fptosi_sat && id != llvm::Intrinsic::fptoui_sat) return false;
  llvm::Type* const from = call->getArgOperand(0)->getType()->getScalarType();
  return call->getType()->isVectorTy() && call->getType()->getScalarType()->isIntegerTy(32) &&
         (from->isFloatTy() || from->isDoubleTy());
}

}  // namespace

bool expand_wide_truncations(Unit& unit, llvm::Function& function) {
  std::vector<llvm::IntrinsicInst*> found;
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    if (is_wide_truncation(instruction) && unit.applies(UnitOptimisation::wide_truncations))
      found.push_back(llvm::cast<llvm::IntrinsicInst>(&instruction));
  }
  for (llvm::IntrinsicInst* const call : found) {
    Builder builder(call);
    Value* const a = call->getArgOperand(0);
    llvm::Type* const to = call->getType();
    const bool is_signed = call->getIntrinsicID() == llvm::Intrinsic::fptosi_sat;
    Value* result = nullptr;
    if (a->getType()->getScalarType()->isFloatTy()) {
      result = is_signed ? from_f32_signed(builder, a, to) : from_f32_unsigned(builder, a, to);
    } else {
      result = is_signed ? from_f64_signed(builder, a, to) : from_f64_unsigned(builder, a, to);
    }
    call->replaceAllUsesWith(result);
    call->eraseFromParent();
  }
  return !found.empty();
}

}  // namespace wasi::jit::optimising

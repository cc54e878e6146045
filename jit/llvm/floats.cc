// Float arithmetic in IR: what floats.h says.
#include "jit/llvm/floats.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

namespace wasi::jit::optimising {

using llvm::Instruction;
using llvm::Value;

namespace {

// An operation that returns no signalling NaN, whatever it was given.
bool is_quiet(const Value* value) {
  if (const auto* constant = llvm::dyn_cast<llvm::ConstantFP>(value)) return !constant->getValue().isSignaling();
  if (const auto* intrinsic = llvm::dyn_cast<llvm::IntrinsicInst>(value)) {
    switch (intrinsic->getIntrinsicID()) {
      case llvm::Intrinsic::sqrt:
      case llvm::Intrinsic::ceil:
      case llvm::Intrinsic::floor:
      case llvm::Intrinsic::trunc:
      case llvm::Intrinsic::roundeven:
        return true;
      default:
        return false;
    }
  }
  const auto* instruction = llvm::dyn_cast<Instruction>(value);
  if (instruction == nullptr) return false;
  switch (instruction->getOpcode()) {
    case Instruction::FAdd:
    case Instruction::FSub:
    case Instruction::FMul:
    case Instruction::FDiv:
    case Instruction::FPExt:
    case Instruction::FPTrunc:
    case Instruction::SIToFP:
    case Instruction::UIToFP:
      return true;
    default:
      return false;
  }
}

// Whether it is a constant of which `holds` says so of a lane: LLVM may take a vector apart.
template <class Holds>
bool any_lane(const Value* value, Holds holds) {
  const auto* constant = llvm::dyn_cast<llvm::Constant>(value);
  if (constant == nullptr) return false;
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(value->getType());
  if (vector == nullptr) {
    const auto* number = llvm::dyn_cast<llvm::ConstantFP>(constant);
    return number == nullptr || holds(*number);
  }
  for (unsigned i = 0; i < vector->getNumElements(); ++i) {
    const auto* lane = llvm::dyn_cast_or_null<llvm::ConstantFP>(constant->getAggregateElement(i));
    if (lane == nullptr || holds(*lane)) return true;
  }
  return false;
}

// One of two operands, bit by bit: x86's minss and maxss. Where neither is smaller (greater) it is the second one.
Value* smaller(Builder& builder, Value* a, Value* b, bool is_max) {
  Value* const is_first = is_max ? builder.CreateFCmpOGT(a, b) : builder.CreateFCmpOLT(a, b);
  return builder.CreateSelect(is_first, a, b);
}

// The same bits as integers.
Value* bits_of(Builder& builder, Value* value) {
  llvm::Type* const type = value->getType();
  llvm::Type* const lane = builder.getIntNTy(type->getScalarSizeInBits());
  return builder.CreateBitCast(value, type->getWithNewType(lane));
}

// A number that is in every lane; null: there is none.
const llvm::ConstantFP* number_in(Value* value) {
  const auto* constant = llvm::dyn_cast<llvm::Constant>(value);
  if (constant != nullptr && value->getType()->isVectorTy()) constant = constant->getSplatValue();
  const auto* number = llvm::dyn_cast_or_null<llvm::ConstantFP>(constant);
  return number != nullptr && !number->isNaN() ? number : nullptr;
}

// With `lane` in all lanes of `constant`.
Value* with_constant(Builder& builder, Value* a, Value* constant, const llvm::ConstantFP& lane, bool is_max) {
  // The second operand is taken where two zeros meet: it is the right one of them. A NaN is taken, or exchanged below.
  const bool takes_constant = lane.isZero() && lane.isNegative() != is_max;
  Value* const number = takes_constant ? smaller(builder, a, constant, is_max) : smaller(builder, constant, a, is_max);
  if (!takes_constant && is_quiet(a)) return number;
  return builder.CreateSelect(builder.CreateFCmpUNO(a, a), builder.CreateFAdd(a, a), number);
}

Value* min_or_max(Builder& builder, Value* a, Value* b, bool is_max) {
  if (const auto* lane = number_in(b)) return with_constant(builder, a, b, *lane, is_max);
  if (const auto* lane = number_in(a)) return with_constant(builder, b, a, *lane, is_max);
  // Both of two zeros' signs are seen, whichever comes first; an addition makes a NaN quiet.
  Value* const one = bits_of(builder, smaller(builder, a, b, is_max));
  Value* const other = bits_of(builder, smaller(builder, b, a, is_max));
  Value* const bits = is_max ? builder.CreateAnd(one, other) : builder.CreateOr(one, other);
  Value* const number = builder.CreateBitCast(bits, a->getType());
  return builder.CreateSelect(builder.CreateFCmpUNO(a, b), builder.CreateFAdd(a, b), number);
}

}  // namespace

Value* float_min(Builder& builder, Value* a, Value* b) { return min_or_max(builder, a, b, false); }
Value* float_max(Builder& builder, Value* a, Value* b) { return min_or_max(builder, a, b, true); }

Value* float_demote(Builder& builder, Value* a) {
  llvm::Type* const to = a->getType()->getWithNewType(builder.getFloatTy());
  // LLVM takes away a conversion there and back. It looks through selections, phis and signs; so nothing is shown to
  // it but arithmetic, which it keeps, and what comes from memory: a fence would forbid wider operations.
  const auto* load = llvm::dyn_cast<llvm::LoadInst>(a);
  const bool is_loaded = load != nullptr && !llvm::isa<llvm::AllocaInst>(load->getPointerOperand());
  const bool is_computed = is_quiet(a) && !llvm::isa<llvm::FPExtInst>(a);
  if (!is_loaded && !is_computed) {
    a = builder.CreateIntrinsic(llvm::Intrinsic::arithmetic_fence, {a->getType()}, {a});
  }
  return builder.CreateFPTrunc(a, to);
}

bool loses_quieting(Instruction::BinaryOps operation, const Value* operand, const Value* other, bool is_second) {
  const auto is_identity = [&](const llvm::ConstantFP& lane) {
    switch (operation) {
      case Instruction::FAdd:
        return lane.isZero();
      case Instruction::FSub:
        // `-0.0 - x` is LLVM's other name for a negation.
        return lane.isZero() && (is_second || lane.isNegative());
      case Instruction::FMul:
        return lane.isExactlyValue(1.0) || lane.isExactlyValue(-1.0);
      default:
        return is_second && (lane.isExactlyValue(1.0) || lane.isExactlyValue(-1.0));
    }
  };
  return any_lane(operand, is_identity) &&
         (!llvm::isa<llvm::Constant>(other) ||
          any_lane(other, [](const llvm::ConstantFP& lane) { return lane.getValue().isSignaling(); }));
}

}  // namespace wasi::jit::optimising

#include "jit/llvm/narrow_operations.h"

#include <llvm/ADT/MapVector.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/PatternMatch.h>
#include <llvm/Transforms/Utils/Local.h>

#include <vector>

namespace wasi::jit::optimising {

namespace {

using llvm::BinaryOperator;
using llvm::Instruction;
using llvm::Value;

// Whether the lower half of its result depends on the lower halves of its operands alone.
bool is_of_lower_halves(const BinaryOperator& operation) {
  switch (operation.getOpcode()) {
    case Instruction::Add:
    case Instruction::Sub:
    case Instruction::Mul:
    case Instruction::And:
    case Instruction::Or:
    case Instruction::Xor:
      return operation.getType()->isIntegerTy(64);
    default:
      return false;
  }
}

bool is_mask(const Instruction& instruction) {
  using namespace llvm::PatternMatch;
  return instruction.getType()->isIntegerTy(64) && match(&instruction, m_And(m_Value(), m_SpecificInt(UINT32_MAX)));
}

// What takes the lower half of an i64, or less, and nothing else.
bool takes_lower_half(const Instruction& instruction) {
  return is_mask(instruction) || (llvm::isa<llvm::TruncInst>(instruction) && instruction.getType()->isIntegerTy() &&
                                  instruction.getType()->getIntegerBitWidth() <= 32);
}

class Narrowing {
 public:
  Narrowing(Unit& unit, llvm::Function& function) : unit_(unit) {
    for (Instruction& instruction : llvm::instructions(function)) {
      auto* const operation = llvm::dyn_cast<BinaryOperator>(&instruction);
      if (operation != nullptr && is_of_lower_halves(*operation) && !is_mask(*operation)) narrow_[operation] = nullptr;
      if (takes_lower_half(instruction)) ends_.push_back(&instruction);
    }
  }

  void run() {
    leave_wanted();
    std::vector<llvm::WeakTrackingVH> dead;
    for (Instruction* const end : ends_) {
      auto* const operation = llvm::dyn_cast<BinaryOperator>(end->getOperand(0));
      if (operation == nullptr || !narrow_.contains(operation)) continue;
      Value* const half = narrowed(*operation);
      Builder builder(end);
      end->replaceAllUsesWith(builder.CreateZExtOrTrunc(half, end->getType()));
      dead.emplace_back(end);
    }
    for (llvm::WeakTrackingVH& end : dead) {
      if (end != nullptr) llvm::RecursivelyDeleteTriviallyDeadInstructions(end);
    }
  }

 private:
  // Those whose upper half somebody wants stay, and so do those that these are made of.
  void leave_wanted() {
    std::vector<BinaryOperator*> left;
    const auto look_at = [&](BinaryOperator* operation) {
      const bool is_wanted = llvm::any_of(operation->users(), [&](llvm::User* user) {
        auto* const other = llvm::dyn_cast<BinaryOperator>(user);
        return !takes_lower_half(*llvm::cast<Instruction>(user)) && (other == nullptr || !narrow_.contains(other));
      });
      if (is_wanted) left.push_back(operation);
    };
    for (const auto& [operation, half] : narrow_) look_at(operation);
    while (!left.empty()) {
      BinaryOperator* const operation = left.back();
      left.pop_back();
      if (!narrow_.erase(operation)) continue;
      for (Value* const operand : operation->operands()) {
        auto* const other = llvm::dyn_cast<BinaryOperator>(operand);
        if (other != nullptr && narrow_.contains(other)) left.push_back(other);
      }
    }
  }

  // What it is made of comes first; chains may be long.
  Value* narrowed(BinaryOperator& wanted) {
    std::vector<BinaryOperator*> stack = {&wanted};
    while (!stack.empty()) {
      BinaryOperator* const operation = stack.back();
      if (narrow_.lookup(operation) != nullptr) {
        stack.pop_back();
        continue;
      }
      const std::size_t waiting = stack.size();
      for (Value* const operand : operation->operands()) {
        auto* const other = llvm::dyn_cast<BinaryOperator>(operand);
        if (other != nullptr && narrow_.contains(other) && narrow_.lookup(other) == nullptr) stack.push_back(other);
      }
      if (stack.size() != waiting) continue;
      stack.pop_back();
      Builder builder(operation);
      Value* const a = lower_half(builder, *operation->getOperand(0));
      Value* const b = lower_half(builder, *operation->getOperand(1));
      narrow_[operation] = builder.CreateBinOp(operation->getOpcode(), a, b);
      unit_.count(UnitOptimisation::narrow_operations);
    }
    return narrow_.lookup(&wanted);
  }

  Value* lower_half(Builder& builder, Value& value) const {
    llvm::Type* const i32 = builder.getInt32Ty();
    if (auto* const operation = llvm::dyn_cast<BinaryOperator>(&value)) {
      if (Value* const half = narrow_.lookup(operation)) return half;
    }
    if (const auto* const cast = llvm::dyn_cast<llvm::CastInst>(&value);
        cast != nullptr && llvm::isa<llvm::ZExtInst, llvm::SExtInst>(cast) && cast->getSrcTy() == i32) {
      return cast->getOperand(0);
    }
    return builder.CreateTrunc(&value, i32);
  }

  Unit& unit_;
  llvm::MapVector<BinaryOperator*, Value*> narrow_;  // what can be, and what it became
  std::vector<Instruction*> ends_;
};

}  // namespace

void narrow_operations(Unit& unit, llvm::Function& function) {
  if (unit.is_off(UnitOptimisation::narrow_operations) || unit.is_for_debugger()) return;
  Narrowing(unit, function).run();
}

}  // namespace wasi::jit::optimising

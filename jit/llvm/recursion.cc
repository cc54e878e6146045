#include "jit/llvm/recursion.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <cstddef>
#include <vector>

namespace wasi::jit::optimising {

namespace {

// Of a body, for whose calls the calling matters, and of the function with all that came into it. What is only there to
// move values is not counted.
constexpr std::size_t kMostOfBody = 50;
constexpr std::size_t kMostInstructions = 250;
constexpr unsigned kMostLevels = 4;

using Calls = std::vector<llvm::CallInst*>;

// The function's calls of itself that may be replaced. Others are none of this file's: tail calls, and those that
// LLVM was told to leave alone.
Calls own_calls(llvm::Function& function) {
  Calls calls;
  for (llvm::Instruction& instruction : llvm::instructions(function)) {
    auto* const call = llvm::dyn_cast<llvm::CallInst>(&instruction);
    if (call != nullptr && call->getCalledFunction() == &function && !call->isMustTailCall() && !call->isNoInline() &&
        call->getDebugLoc()) {
      calls.push_back(call);
    }
  }
  return calls;
}

bool is_counted(const llvm::Instruction& instruction) {
  return !llvm::isa<llvm::PHINode, llvm::CastInst, llvm::ExtractValueInst, llvm::InsertValueInst, llvm::ReturnInst,
                    llvm::DbgInfoIntrinsic>(instruction) &&
         !(llvm::isa<llvm::BranchInst>(instruction) && llvm::cast<llvm::BranchInst>(instruction).isUnconditional());
}

std::size_t size_of(const llvm::Function& function) {
  return static_cast<std::size_t>(llvm::count_if(llvm::instructions(function), is_counted));
}

bool calls_function(const llvm::Function& function, const llvm::Function& callee) {
  return llvm::any_of(callee.users(), [&](const llvm::User* user) {
    const auto* const call = llvm::dyn_cast<llvm::CallInst>(user);
    return call != nullptr && call->getFunction() == &function;
  });
}

// Bodies that catch exceptions know which body of a function they are (Unit::Marker), and variables in frames would be
// there once for each level.
bool can_be_copied(Unit& unit, llvm::Function& function) {
  if (calls_function(function, *unit.marker(Unit::Marker::handles))) return false;
  for (const llvm::Instruction& instruction : llvm::instructions(function)) {
    if (llvm::isa<llvm::AllocaInst>(instruction)) return false;
    const auto* const call = llvm::dyn_cast<llvm::CallInst>(&instruction);
    if (call != nullptr && call->isMustTailCall()) return false;
  }
  return true;
}

// How many levels fit: each call of a level brings as many of the next as the function has.
unsigned levels_of(std::size_t size, std::size_t calls) {
  if (size > kMostOfBody) return 0;
  unsigned levels = 0;
  std::size_t bodies = 1;
  std::size_t of_level = 1;
  while (levels < kMostLevels) {
    of_level *= calls;
    bodies += of_level;
    if (bodies * size > kMostInstructions) break;
    ++levels;
  }
  return levels;
}

// True where something was.
bool inline_into_itself(Unit& unit, llvm::Function& function) {
  Calls calls = own_calls(function);
  if (calls.empty() || !can_be_copied(unit, function)) return false;
  const unsigned levels = levels_of(size_of(function), calls.size());
  if (levels == 0 || unit.is_off(UnitOptimisation::inlined_recursion)) return false;
  // Its own calls are of the function still.
  llvm::ValueToValueMapTy copies;
  llvm::Function* const body = llvm::CloneFunction(&function, copies);
  for (unsigned level = 0; level < levels; ++level) {
    for (llvm::CallInst* const call : calls) {
      call->setCalledFunction(body);
      llvm::InlineFunctionInfo info;
      constexpr bool kMergeAttributes = false;
      constexpr bool kInsertLifetime = false;
      const bool is_done = llvm::InlineFunction(*call, info, kMergeAttributes, nullptr, kInsertLifetime).isSuccess();
      if (is_done) {
        unit.count(UnitOptimisation::inlined_recursion);
      } else {
        call->setCalledFunction(&function);
        call->setIsNoInline();
      }
    }
    calls = own_calls(function);
  }
  body->eraseFromParent();
  return true;
}

}  // namespace

void inline_recursion(Unit& unit, llvm::FunctionPassManager& again, llvm::FunctionAnalysisManager& analyses) {
  std::vector<llvm::Function*> functions;
  for (llvm::Function& function : *unit.module) {
    if (!function.isDeclaration() && !unit.is_copy(function)) functions.push_back(&function);
  }
  for (llvm::Function* const function : functions) {
    if (!inline_into_itself(unit, *function)) continue;
    analyses.clear(*function, function->getName());
    again.run(*function, analyses);
  }
}

}  // namespace wasi::jit::optimising

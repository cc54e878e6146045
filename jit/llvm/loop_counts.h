// Loops that count in steps of 2, 4, 8 until they meet a number: compilers unroll loops so before we see them.
//
// Such a loop ends when the distance is a multiple of the step, which nobody knows, and else never does. So LLVM does
// not know how often it turns, and vectorises nothing. Here the loop becomes two: which one runs depends on the
// distance, and in the one for multiples a counter of its own says how often it turns. The other stays as it was, and
// hardly ever runs.
#pragma once

#include <llvm/IR/PassManager.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

class CountLoops : public llvm::PassInfoMixin<CountLoops> {
 public:
  explicit CountLoops(Unit& unit) : unit_(&unit) {}
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);

 private:
  Unit* unit_;
};

}  // namespace wasi::jit::optimising

// Accesses to guarded memory whose addresses differ by a constant: one address for all, and the constant in each
// access.
//
// An address of 32 bits wraps around at 4 GiB, so LLVM knows nothing of `x + 4` when it knows `x`: it makes an
// instruction for each of them, does not see that they are neighbours, which vectors are made of, or apart from each
// other. Compilers to Wasm write most such constants into the access, where they do not wrap, but not where they do not
// know that either: counters of loops that begin below zero, for example.
//
// What was accessed lies in the memory, and no guarded memory reaches kNeverInMemory bytes below 4 GiB. So what is
// added to an address that was accessed does not wrap as long as it is less than that. An access that this moves, to
// behind 4 GiB where it would have wrapped around, is one that goes with another that traps: both trap, or neither
// does.
#pragma once

#include <llvm/IR/PassManager.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Volatile accesses, which have an order, stay as they are: with OptimisingOptions::strict that is all.
class ShareAddresses : public llvm::PassInfoMixin<ShareAddresses> {
 public:
  explicit ShareAddresses(Unit& unit) : unit_(&unit) {}
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);

 private:
  Unit* unit_;
};

}  // namespace wasi::jit::optimising

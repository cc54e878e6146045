// Small functions that call themselves: their own body stands in the place of such calls, some levels deep, so that
// one call does what several did. LLVM's inliner takes no function into itself.
//
//     f(x) { ... f(x - 1) ... }   becomes   f(x) { ... { ... f(x - 2) ... } ... }
#pragma once

#include <llvm/IR/PassManager.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Behind inlining, so that what is copied is simple. `again` are the passes that simplify a function behind that.
void inline_recursion(Unit& unit, llvm::FunctionPassManager& again, llvm::FunctionAnalysisManager& analyses);

}  // namespace wasi::jit::optimising

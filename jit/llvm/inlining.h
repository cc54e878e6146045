// Bodies of callees in the place of calls, within a unit. Which ones is LLVM's to say, by what its inliner thinks of
// the cost; what must hold is:
//
//  - The program's calls are told apart all the same: locations say which call each instruction came by (emit.h).
//  - Tail calls take no stack. A function that ends in one becomes a part of another only by a tail call.
//  - An exception that the body does not catch goes to whoever catches around the call, in the same frame; and
//    functions that catch nothing look at nothing. Unit::Marker is what has to wait for that.
//  - Nothing else is concluded from bodies: a call that does nothing may trap, or find the stack at its end.
#pragma once

#include <llvm/IR/PassManager.h>

#include <functional>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Brings all functions into their callers, callees first, and simplifies them by the passes that `simplify` makes.
// Copies of functions whose code is elsewhere have no body afterwards, and the markers are gone.
void inline_calls(Unit& unit, const std::function<llvm::FunctionPassManager()>& simplify,
                  llvm::ModuleAnalysisManager& analyses);

}  // namespace wasi::jit::optimising

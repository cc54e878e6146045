// What is put into a function when the optimiser is done with it: before, polls would keep loops
// from being vectorised.
//
//  - The frame's VmContext, at a place that whoever walks the stack knows.
//  - One comparison with ExecState::stack_limit, at the entry of each function that calls anything and at the head of
//    each loop that may turn often: for the end of the stack, and for whoever wants the guest to stop.
#pragma once

#include <llvm/IR/Function.h>
#include <llvm/IR/PassManager.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Of the alloca that holds the VmContext.
inline constexpr const char* kContextName = "wasi.context";

// How many polls there are now.
std::uint32_t finish_function(Unit& unit, llvm::Function& function, llvm::FunctionAnalysisManager& analyses);

// For a function that was finished and turned out to have a large frame (jit/common/native_abi.h): whoever calls it
// gets to one of its name that looks first whether there is room for `frame_bytes`, and goes on in it. Its own name
// ends in kBodySuffix then.
void check_frame_first(Unit& unit, llvm::Function& function, std::uint32_t frame_bytes);
inline constexpr const char* kBodySuffix = "_body";

}  // namespace wasi::jit::optimising

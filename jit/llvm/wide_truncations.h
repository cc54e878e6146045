// Saturating truncations of vectors to i32, behind LLVM's vectorisers.
//
// They make llvm.fptosi.sat of vectors out of a loop's i32.trunc_sat_f32_s, and the code generator for x86 takes those
// apart again, lane by lane. Here they become operations that it has instructions for.
#pragma once

#include <llvm/IR/Function.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Exchanges those of the function. Whether there were any.
bool expand_wide_truncations(Unit& unit, llvm::Function& function);

}  // namespace wasi::jit::optimising

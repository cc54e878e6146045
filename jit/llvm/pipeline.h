// Which passes of LLVM's make the code faster, in which order.
#pragma once

#include <llvm/Target/TargetMachine.h>

#include "jit/common/optimising_compiler.h"
#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Optimises the unit's functions, and finishes them (late.h).
void optimise(Unit& unit, llvm::TargetMachine& target, const OptimisingOptions& options);

}  // namespace wasi::jit::optimising

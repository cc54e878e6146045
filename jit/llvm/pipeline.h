// Which passes of LLVM's make the code faster, in which order.
#pragma once

#include <llvm/Target/TargetMachine.h>

#include <functional>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Optimises the unit's functions, and finishes them (late.h). Asks between passes whether it `goes_on`: if not, the
// rest is left out, and the functions are of no use.
void optimise(Unit& unit, llvm::TargetMachine& target, const std::function<bool()>& goes_on);

}  // namespace wasi::jit::optimising

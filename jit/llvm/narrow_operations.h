// Numbers of 32 bits that LLVM computed in 64, since they came in a register of 64 bits and go into one, as arguments
// do, with a mask behind them: an instruction of 32 bits clears the upper half by itself, and its constants are short.
//
//     and (add x, 4294967295), 4294967295   becomes   zext (add (trunc x), -1)
#pragma once

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Behind all passes that would turn it around.
void narrow_operations(Unit& unit, llvm::Function& function);

}  // namespace wasi::jit::optimising

// Loops whose body does the same several times over, for one element after the other: compilers unroll loops so before
// we see them, and LLVM finds no vectors in what is left. Rolled up again they become vectors.
//
//     a[i] = b[i] + 1; a[i + 1] = b[i + 1] + 1; i += 2     becomes     a[i] = b[i] + 1; i += 1     twice as often
//
// Everything happens in the same order as before. Of a trap, the offset is that of the first of the alike instructions.
#pragma once

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolution.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Of an innermost loop of one block of which is known, before it begins, how often it turns. Only loops that can become
// vectors then are rolled up. Whether it was.
bool reroll(Unit& unit, llvm::Loop& loop, llvm::ScalarEvolution& evolution);

}  // namespace wasi::jit::optimising

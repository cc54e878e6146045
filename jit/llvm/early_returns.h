// Recursive functions that often return at once: at their own recursive calls, the way from the entry to that return
// stands in front of the call, so that the end of a recursion costs no call, no frame and no saved registers.
//
//     call f(x)   becomes   if (x < 2) result = x; else result = call f(x)
//
// Of a tree of calls at least half are such ends. What is looked at twice then is without effects: loads that may trap
// among it, which trap as if inlined.
#pragma once

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// In all functions that have a body, behind inlining. What stands at calls of a function is its entry before this.
void return_early(Unit& unit);

}  // namespace wasi::jit::optimising

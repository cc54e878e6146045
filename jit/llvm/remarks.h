// How often LLVM's own passes did what they are there for.
#pragma once

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// From now on, what passes say of the unit's functions is counted in it. Their decisions are the same, but they take a
// little longer.
void count_remarks(Unit& unit);

}  // namespace wasi::jit::optimising

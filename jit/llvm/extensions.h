// Addresses of 32 bits, as they come to the code generator: each is extended to 64 bits where it is made, which costs
// nothing, since instructions of 32 bits clear the upper half of their register. The code generator sees one block at a
// time, and in another block, or where a loop's turns meet, it knows of no upper half that it is clear: there each
// address would take an instruction more.
//
//     loop: p = phi i32 ...          becomes      loop: q = phi i64 ...
//           load (base + zext p)                        load (base + q)
//           n = add i32 p, 4                            n = add i32 (trunc q), 4
//                                                       zext n, the next q
//
// LLVM's own passes would make masks of that, so it comes behind all of them.
#pragma once

#include <llvm/Pass.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// For the code generator's passes, which own it; directly before instructions are chosen.
llvm::FunctionPass* create_early_extensions(Unit& unit);

}  // namespace wasi::jit::optimising

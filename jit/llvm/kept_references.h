// Which references the collector has to find behind a call: those that are needed there.
//
// Lowering::keep_references() names all that a function has, dead locals among them, since which ones are still needed
// is not known before a function is in SSA form. Each that is named too many costs a register or a place in the frame.
#pragma once

#include <llvm/IR/Function.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Names at each such place the references that live on, or from which something that lives on was computed, and takes
// away the places where nothing may have collected: behind a call that became a part of this function and makes no call
// itself. In SSA form; worth it before the optimiser, which then has less to carry along, and behind it.
void settle_kept_references(llvm::Function& function);

// In the place of the names: each of these references stands in the frame from the moment that there is one, where the
// collector looks. A register that calls preserve would not do, since the callee may be C++, whose frames nobody reads.
// The last thing that is done with a function.
void store_kept_references(Unit& unit, llvm::Function& function);

}  // namespace wasi::jit::optimising

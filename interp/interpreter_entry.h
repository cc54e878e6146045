// How native code enters interpreted functions.
#pragma once

#include "runtime/code_entry.h"

namespace wasi::interp {

// The SlotEntry of every function that this tier has translated. Its address in a function's record is how
// handlers recognise callees that they can run themselves.
void interpreter_entry(runtime::VmContext* instance, runtime::Slot* slots, runtime::FunctionCode* self);

}  // namespace wasi::interp

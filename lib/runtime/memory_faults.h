// Faults in guard pages, turned into traps.
#pragma once

#include <wasi/error.h>

namespace wasi::runtime {

// Installs the process's handler when the first guarded memory is made. A fault is taken only when the
// current thread runs guest code, the pc lies in code of a tier that the running store uses, and the
// address in a reservation of that store. All others go to the handler that was there before.
Result<void> install_memory_fault_handler();

}  // namespace wasi::runtime

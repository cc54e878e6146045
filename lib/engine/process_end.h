// What a process that is about to end does for its modules. Not of the public API.
#pragma once

#include <wasi/module.h>

namespace wasi::detail {

// Keeps in the cache what the module has compiled, as its end would. The module and its engine stay for good then: what
// they have goes with the process at once, instead of piece by piece before. Nobody runs the module any more. The
// process has to end by _exit(), since threads of the engine's may still run. Not from two threads at once.
void leave_to_process_end(const Module& module);

}  // namespace wasi::detail

// fork(2) as a process with a loop and handlers of signals needs it.
#pragma once

#include <sys/types.h>
#include <wasi/error.h>

namespace wasirun::shim {

// 0 in the child, in which every signal has its default action and none is blocked. No handler of the parent's ever
// runs there.
wasi::Result<pid_t> fork_child();

}  // namespace wasirun::shim

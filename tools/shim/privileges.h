// What a container's process gives up before it runs: limits, groups, the user, every capability.
#pragma once

#include <wasi/error.h>

#include "tools/shim/bundle.h"

namespace wasirun::shim {

// For the calling process, which must have one thread: the kernel keeps capabilities by thread. `threads`: its
// directory /proc/self/task. Neither guests nor a pod's pause process need any capability, whatever the configuration
// allows.
wasi::Result<void> drop_privileges(const ProcessConfig& process, int threads);

}  // namespace wasirun::shim

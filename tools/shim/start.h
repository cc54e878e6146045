// The actions that containerd runs a shim for: `start` leaves a shim running in the background and tells its address;
// `delete` cleans up after a container whose shim may be gone.
#pragma once

#include <wasi/error.h>

#include <string>

#include "tools/shim/arguments.h"

namespace wasirun::shim {

// Both run in the container's bundle. What containerd is to read from the standard output.
wasi::Result<std::string> start(const Arguments& arguments);
wasi::Result<std::string> remove(const Arguments& arguments);

}  // namespace wasirun::shim

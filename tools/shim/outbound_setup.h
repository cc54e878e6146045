// What requests that guests send need of the host, got before the container is entered: a library that looked for its
// files inside of it would read what its image says, and load what it names.
#pragma once

#include <wasi/error.h>

#include "tools/shim/bundle.h"

namespace wasirun::shim {

// libcurl made ready, names of hosts looked up in /etc/hosts and by DNS alone, whatever the image has in
// /etc/nsswitch.conf, and certificates: those of the image, where it has any, else those of the host.
wasi::Result<void> prepare_requests(const Bundle& bundle);

}  // namespace wasirun::shim

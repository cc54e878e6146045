// The shim itself: a loop on one thread that answers containerd until nothing is left to look after.
#pragma once

#include <string>

#include "os/unique_fd.h"
#include "tools/shim/options.h"

namespace wasirun::shim {

struct DaemonConfig {
  wasi::os::UniqueFd listener;
  std::string socket_path;
  std::string containerd_address;  // of its gRPC socket
  std::string containerd_namespace;
  std::string event_address;  // of containerd's ttrpc socket
  std::string log_fifo;
  Options options;  // of containers about which containerd says nothing else
};

// Ends the process when it was told to shut down, or nobody has wanted anything for a while; the socket is gone then.
[[noreturn]] void run_daemon(DaemonConfig config);

}  // namespace wasirun::shim

// The socket at which containerd reaches a shim.
#pragma once

#include <wasi/error.h>

#include <string>
#include <string_view>

#include "os/unique_fd.h"

namespace wasirun::shim {

// Below /run/containerd/s, by the names of what it is for: those of one group, a pod, share a shim. So short that a
// socket's address can hold it.
std::string shim_socket_path(std::string_view containerd_address, std::string_view containerd_namespace,
                             std::string_view group);

// Listens there. Without a descriptor: another shim does. A socket that nobody listens at any more is replaced.
wasi::Result<wasi::os::UniqueFd> listen_at(const std::string& path);

// Whether somebody listens there.
bool is_alive(const std::string& path);

}  // namespace wasirun::shim

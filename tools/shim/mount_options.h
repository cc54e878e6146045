// Options of mounts, as OCI and /etc/fstab write them, in the terms of mount(2).
#pragma once

#include <string>
#include <vector>

namespace wasirun::shim {

struct MountOptions {
  unsigned long flags = 0;        // MS_...
  unsigned long propagation = 0;  // MS_PRIVATE, ...; 0: as it is
  std::string data;               // what the file system itself understands
};

MountOptions parse_mount_options(const std::vector<std::string>& options);

}  // namespace wasirun::shim

// A container's root: mounting what containerd's snapshots say, paths that are resolved inside of it, and the mounts of
// the container's own.
//
// Symbolic links of an image lead nowhere but into the image: every path is resolved by the kernel with the container's
// directory as its root (openat2), and mounted over by descriptor.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <string>
#include <vector>

#include "os/unique_fd.h"
#include "tools/shim/bundle.h"

namespace wasirun::shim {

// A file system on `target`, as containerd passes them to Create.
struct SnapshotMount {
  std::string type;
  std::string source;
  std::vector<std::string> options;
};
wasi::Result<void> mount_snapshot(const std::vector<SnapshotMount>& mounts, const std::string& target);
// Undoes mount_snapshot, however much of it was done.
void unmount_snapshot(const std::string& target);

// Opens `path` with `root` as the root directory; `flags` as of open(2).
wasi::Result<wasi::os::UniqueFd> open_in_root(const std::string& root, const std::string& path, int flags);

// A file of the container as it will be seen once its mounts are there: looked for in bind mounts first.
wasi::Result<wasi::os::UniqueFd> open_in_container(const Bundle& bundle, const std::string& path, int flags);

// Which of a container's mounts are made: those of files and directories, and of memory; or just the former. Guests
// see no devices and no processes, so nothing has to be there for them.
enum class MountKinds : std::uint8_t { files_and_memory, files };

// The calling process gets a mount namespace of its own with the container's root and mounts, and nothing else of the
// host's, in two steps, since what lies between may still need the host's files.
wasi::Result<void> mount_container(const Bundle& bundle, MountKinds kinds);
wasi::Result<void> enter_container(const Bundle& bundle);

}  // namespace wasirun::shim

// The process of a container: forked from the shim, which has one thread, made ready inside of the container's control
// group and namespaces, then waiting for Start.
#pragma once

#include <sys/types.h>
#include <wasi/error.h>

#include <string>

#include "os/unique_fd.h"
#include "tools/shim/bundle.h"
#include "tools/shim/cgroup.h"
#include "tools/shim/image_module.h"
#include "tools/shim/stdio_files.h"
#include "tools/shim/workload.h"

namespace wasirun::shim {

struct ContainerProcess {
  pid_t pid = 0;
  // What became of making ready: kReady, or what went wrong, as text; then its end.
  wasi::os::UniqueFd status;
  // A byte that is written here starts it; its end without one ends it.
  wasi::os::UniqueFd start;
};
inline constexpr char kReady = '\0';

// Modules and sandboxes only. `image`: where the module is looked for that the container's root does not have.
// `cache_directory`: of compiled code; empty: none.
wasi::Result<ContainerProcess> fork_container(const Bundle& bundle, const Workload& workload, const Cgroup& cgroup,
                                              const StdioFiles& stdio, const ImageSource& image,
                                              const std::string& cache_directory);

}  // namespace wasirun::shim

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
  // A byte that is written here starts it; its end without one ends it. Where its group is systemd's to make, one
  // before that lets it go on when systemd was asked.
  wasi::os::UniqueFd start;
};
inline constexpr char kReady = '\0';

// What the process is made from; all of it lives until then.
struct ProcessPlan {
  const Bundle& bundle;
  const Workload& workload;  // a module, or a sandbox
  const Cgroup& cgroup;      // exists, with its limits, unless systemd is to make it
  std::string
      systemd_group;  // empty: it is not. Else its path: the process waits until it is there, and sets the limits
  const ImageSource& image;  // where the module is looked for that the container's root does not have
  const CodeOptions& code;
};

wasi::Result<ContainerProcess> fork_container(const ProcessPlan& plan, const StdioFiles& stdio);

}  // namespace wasirun::shim

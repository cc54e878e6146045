// Where a container's control group is, as OCI's linux.cgroupsPath says it.
#pragma once

#include <wasi/error.h>

#include <optional>
#include <string>
#include <string_view>

namespace wasirun::shim {

// The path below the hierarchies' roots: "/kubepods/besteffort/podUID/ID" as it stands, or systemd's form
// "SLICE:PREFIX:NAME" with the slices that SLICE lies in:
// "/kubepods.slice/kubepods-pod1.slice/cri-containerd-ID.scope". An empty one is "/wasirun/ID". Errors: one that leads
// elsewhere.
wasi::Result<std::string> cgroup_path(std::string_view cgroups_path, std::string_view id);

// The unit that a path of systemd's form names; empty for other paths, and those that are wrong.
struct SystemdUnit {
  std::string name;
  std::string slice;
};
std::optional<SystemdUnit> systemd_unit(std::string_view cgroups_path);

}  // namespace wasirun::shim

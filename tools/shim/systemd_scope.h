// A container's group as a scope of systemd's, which owns all groups of its host: one that it does not know of loses
// its limits when systemd next writes what it thinks is right, at a reload or when a unit beside it comes or goes.
//
// systemd is asked by busctl(1), its own client of D-Bus, which is there where it is: a program for a call or two of a
// container's life, instead of a library in every shim.
// Source: https://systemd.io/CONTROL_GROUP_INTERFACE/
#pragma once

#include <sys/types.h>
#include <wasi/error.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/shim/bundle.h"
#include "tools/shim/cgroup_limits.h"

namespace wasirun::shim {

struct SystemdScope {
  std::string name;   // "cri-containerd-ID.scope"
  std::string slice;  // "kubepods-besteffort.slice"
};

// The scope that a cgroupsPath SLICE:PREFIX:NAME means, where it is one and systemd is to be asked for it: it runs on
// this host, or the administrator says so (`is_wanted`). Empty: the path's directories are to be made.
std::optional<SystemdScope> systemd_scope(std::string_view cgroups_path, std::optional<bool> is_wanted);

// The command line that makes the scope with a process in it, which gets there a little later: see wait_for_group().
std::vector<std::string> start_scope_command(const SystemdScope& scope, pid_t pid, const Resources& resources,
                                             CgroupVersion version);
// The one that changes what its processes may use; empty where nothing is to be changed that systemd has a name for.
std::vector<std::string> update_scope_command(const SystemdScope& scope, const Resources& resources,
                                              CgroupVersion version);

// Until the calling process is in the group `path` (cgroup_path()). `io` error when it is not within `patience`.
wasi::Result<void> wait_for_group(const std::string& path, std::chrono::seconds patience = std::chrono::seconds(10));

}  // namespace wasirun::shim

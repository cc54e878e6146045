// The figures of a control group, read from its files, in the messages that containerd asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "rpc.pb.h"
#include "tools/shim/cgroup_limits.h"

namespace wasirun::shim {

// The text of a controller's file; empty where there is none.
using CgroupFileReader = std::function<std::string(const std::string& controller, const std::string& file)>;

// io.containerd.cgroups.v1.Metrics or io.containerd.cgroups.v2.Metrics.
rpc::Any cgroup_metrics(CgroupVersion version, const CgroupFileReader& read);

// The number in the line "NAME NUMBER"; 0 where there is none.
std::uint64_t figure_of(std::string_view text, std::string_view name);

}  // namespace wasirun::shim

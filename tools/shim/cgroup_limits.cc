#include "tools/shim/cgroup_limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace wasirun::shim {

namespace {

std::string text_or_max(std::int64_t value) { return value < 0 ? "max" : fmt::format("{}", value); }

std::vector<CgroupWrite> writes_v1(const Resources& resources) {
  std::vector<CgroupWrite> writes;
  const auto add = [&](const char* controller, const char* file, auto value, bool is_optional = false) {
    writes.push_back({controller, file, fmt::format("{}", value), is_optional});
  };
  // 0 means in OCI's configurations that nothing was chosen.
  const auto is_set = [](const auto& value) { return value && *value != 0; };
  if (is_set(resources.memory_limit)) add("memory", "memory.limit_in_bytes", *resources.memory_limit);
  if (is_set(resources.memory_swap)) add("memory", "memory.memsw.limit_in_bytes", *resources.memory_swap, true);
  if (is_set(resources.memory_reservation)) {
    add("memory", "memory.soft_limit_in_bytes", *resources.memory_reservation, true);
  }
  if (is_set(resources.cpu_shares)) add("cpu", "cpu.shares", *resources.cpu_shares);
  if (is_set(resources.cpu_period)) add("cpu", "cpu.cfs_period_us", *resources.cpu_period);
  if (is_set(resources.cpu_quota)) add("cpu", "cpu.cfs_quota_us", *resources.cpu_quota);
  if (!resources.cpus.empty()) add("cpuset", "cpuset.cpus", resources.cpus);
  if (!resources.memory_nodes.empty()) add("cpuset", "cpuset.mems", resources.memory_nodes);
  if (is_set(resources.pids_limit)) add("pids", "pids.max", text_or_max(*resources.pids_limit));
  return writes;
}

std::vector<CgroupWrite> writes_v2(const Resources& resources) {
  std::vector<CgroupWrite> writes;
  const auto add = [&](const char* controller, const char* file, std::string value, bool is_optional = false) {
    writes.push_back({controller, file, std::move(value), is_optional});
  };
  const auto is_set = [](const auto& value) { return value && *value != 0; };
  if (is_set(resources.memory_limit)) add("memory", "memory.max", text_or_max(*resources.memory_limit));
  if (is_set(resources.memory_swap)) {
    // There the swap alone is counted.
    const std::int64_t memory = std::max<std::int64_t>(resources.memory_limit.value_or(0), 0);
    const std::int64_t swap = *resources.memory_swap;
    add("memory", "memory.swap.max", swap < 0 ? "max" : text_or_max(std::max<std::int64_t>(swap - memory, 0)), true);
  }
  if (is_set(resources.memory_reservation)) {
    add("memory", "memory.low", text_or_max(*resources.memory_reservation), true);
  }
  if (is_set(resources.cpu_shares)) add("cpu", "cpu.weight", fmt::format("{}", cpu_weight(*resources.cpu_shares)));
  if (is_set(resources.cpu_quota) || is_set(resources.cpu_period)) {
    constexpr std::uint64_t kDefaultPeriod = 100'000;
    const std::uint64_t period = is_set(resources.cpu_period) ? *resources.cpu_period : kDefaultPeriod;
    const std::int64_t quota = is_set(resources.cpu_quota) ? *resources.cpu_quota : -1;
    add("cpu", "cpu.max", fmt::format("{} {}", text_or_max(quota), period));
  }
  if (!resources.cpus.empty()) add("cpuset", "cpuset.cpus", resources.cpus);
  if (!resources.memory_nodes.empty()) add("cpuset", "cpuset.mems", resources.memory_nodes);
  if (is_set(resources.pids_limit)) add("pids", "pids.max", text_or_max(*resources.pids_limit));
  for (const auto& [file, value] : resources.unified) {
    writes.push_back({file.substr(0, file.find('.')), file, value});
  }
  return writes;
}

}  // namespace

std::uint64_t cpu_weight(std::uint64_t shares) {
  constexpr std::uint64_t kLeast = 2;
  constexpr std::uint64_t kMost = 262144;
  return 1 + (std::clamp(shares, kLeast, kMost) - kLeast) * 9999 / (kMost - kLeast);
}

std::vector<CgroupWrite> cgroup_writes(const Resources& resources, CgroupVersion version) {
  return version == CgroupVersion::v1 ? writes_v1(resources) : writes_v2(resources);
}

}  // namespace wasirun::shim

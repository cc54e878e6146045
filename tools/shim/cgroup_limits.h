// Resources in the terms of control groups: which file gets which text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/shim/bundle.h"

namespace wasirun::shim {

enum class CgroupVersion : std::uint8_t { v1, v2 };

struct CgroupWrite {
  std::string controller;  // "memory": of v1 the hierarchy that it is in
  std::string file;        // "memory.max"
  std::string value;
  bool is_optional = false;  // kernels may be without it
  friend bool operator==(const CgroupWrite&, const CgroupWrite&) = default;
};

// In the order in which they are to be written.
std::vector<CgroupWrite> cgroup_writes(const Resources& resources, CgroupVersion version);

// v2's weight (1 to 10000) for v1's shares (2 to 262144).
std::uint64_t cpu_weight(std::uint64_t shares);

}  // namespace wasirun::shim

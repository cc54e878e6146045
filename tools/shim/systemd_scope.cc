#include "tools/shim/systemd_scope.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <thread>
#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/cgroup_path.h"
#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

// A unit's properties as busctl takes an array of them: how many, then name, type and value of each.
class Properties {
 public:
  void add(std::string_view name, std::string_view type, std::vector<std::string> value) {
    ++count_;
    words_.emplace_back(name);
    words_.emplace_back(type);
    words_.insert(words_.end(), value.begin(), value.end());
  }
  void add(std::string_view name, std::uint64_t value) { add(name, "t", {fmt::format("{}", value)}); }
  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  void append_to(std::vector<std::string>& command) const {
    command.push_back(fmt::format("{}", count_));
    command.insert(command.end(), words_.begin(), words_.end());
  }

 private:
  std::size_t count_ = 0;
  std::vector<std::string> words_;
};

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = kNoLimit;  // "max", and -1
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "0-3,7" as systemd takes it: a bit for each, in bytes, the lowest first.
std::vector<std::string> bits_of(std::string_view list) {
  constexpr std::uint64_t kMost = 8192;
  std::vector<std::uint8_t> bytes;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view range = list.substr(begin, end - begin);
    begin = end + 1;
    const std::uint64_t first = number_of(range);
    const std::size_t dash = range.find('-');
    const std::uint64_t last = dash == std::string_view::npos ? first : number_of(range.substr(dash + 1));
    for (std::uint64_t bit = first; bit <= last && bit < kMost; ++bit) {
      bytes.resize(std::max<std::size_t>(bytes.size(), bit / 8 + 1));
      bytes[bit / 8] |= static_cast<std::uint8_t>(1U << bit % 8);
    }
  }
  std::vector<std::string> words{fmt::format("{}", bytes.size())};
  for (const std::uint8_t byte : bytes) words.push_back(fmt::format("{}", byte));
  return words;
}

void add_quota(Properties& properties, std::uint64_t quota, std::uint64_t period) {
  constexpr std::uint64_t kSecond = 1'000'000;
  // In whole hundredths of a second's time, as runc has it, since systemd's own computing is.
  constexpr std::uint64_t kStep = 10'000;
  std::uint64_t in_a_second = kNoLimit;
  if (quota != kNoLimit && period != 0) {
    in_a_second = (quota * kSecond / period + kStep - 1) / kStep * kStep;
  }
  properties.add("CPUQuotaPerSecUSec", in_a_second);
  properties.add("CPUQuotaPeriodUSec", period);
}

// What is written to files of groups, by the names that systemd has for it.
struct Named {
  std::string_view file;
  std::string_view property;
};
constexpr Named kNumbers[] = {
    {"memory.max", "MemoryMax"},          {"memory.low", "MemoryLow"},
    {"memory.high", "MemoryHigh"},        {"pids.max", "TasksMax"},
    {"memory.swap.max", "MemorySwapMax"}, {"cpu.weight", "CPUWeight"},
    {"cpu.shares", "CPUShares"},          {"memory.limit_in_bytes", "MemoryLimit"},
};
constexpr Named kSets[] = {{"cpuset.cpus", "AllowedCPUs"}, {"cpuset.mems", "AllowedMemoryNodes"}};

const Named* find(std::span<const Named> table, std::string_view file) {
  const auto found = std::ranges::find(table, file, &Named::file);
  return found == table.end() ? nullptr : &*found;
}

void add_limits(Properties& properties, const Resources& resources, CgroupVersion version) {
  constexpr std::uint64_t kDefaultPeriod = 100'000;
  std::optional<std::uint64_t> quota;
  std::uint64_t period = kDefaultPeriod;
  for (const CgroupWrite& write : cgroup_writes(resources, version)) {
    if (const Named* const number = find(kNumbers, write.file)) {
      properties.add(number->property, number_of(write.value));
    } else if (const Named* const set = find(kSets, write.file); set != nullptr && version == CgroupVersion::v2) {
      properties.add(set->property, "ay", bits_of(write.value));
    } else if (write.file == "cpu.max") {
      quota = number_of(write.value);
      period = number_of(std::string_view(write.value).substr(write.value.find(' ') + 1));
    } else if (write.file == "cpu.cfs_quota_us") {
      quota = number_of(write.value);
    } else if (write.file == "cpu.cfs_period_us") {
      period = number_of(write.value);
    }
  }
  if (quota) add_quota(properties, *quota, period);
}

std::vector<std::string> call(std::string_view method, std::string_view signature) {
  return {"busctl",
          "--system",
          "--quiet",
          "call",
          "org.freedesktop.systemd1",
          "/org/freedesktop/systemd1",
          "org.freedesktop.systemd1.Manager",
          std::string(method),
          std::string(signature)};
}

}  // namespace

std::optional<SystemdScope> systemd_scope(std::string_view cgroups_path, std::optional<bool> is_wanted) {
  const auto unit = systemd_unit(cgroups_path);
  if (!unit || !unit->name.ends_with(".scope")) return std::nullopt;
  // Whether it does run, as sd_booted(3) says.
  if (!is_wanted.value_or(::access("/run/systemd/system", F_OK) == 0)) return std::nullopt;
  return SystemdScope{.name = unit->name, .slice = unit->slice};
}

std::vector<std::string> start_scope_command(const SystemdScope& scope, pid_t pid, const Resources& resources,
                                             CgroupVersion version) {
  Properties properties;
  properties.add("Description", "s", {"wasirun container " + scope.name});
  properties.add("Slice", "s", {scope.slice});
  properties.add("PIDs", "au", {"1", fmt::format("{}", pid)});
  // The group, and what is below it, is ours to write; and nothing is kept of it when it has ended, however that was.
  properties.add("Delegate", "b", {"true"});
  properties.add("DefaultDependencies", "b", {"false"});
  properties.add("CollectMode", "s", {"inactive-or-failed"});
  add_limits(properties, resources, version);
  std::vector<std::string> command = call("StartTransientUnit", "ssa(sv)a(sa(sv))");
  command.insert(command.end(), {scope.name, "replace"});
  properties.append_to(command);
  command.emplace_back("0");
  return command;
}

std::vector<std::string> update_scope_command(const SystemdScope& scope, const Resources& resources,
                                              CgroupVersion version) {
  Properties properties;
  add_limits(properties, resources, version);
  if (properties.is_empty()) return {};
  std::vector<std::string> command = call("SetUnitProperties", "sba(sv)");
  command.insert(command.end(), {scope.name, "true"});
  properties.append_to(command);
  return command;
}

wasi::Result<void> wait_for_group(const std::string& path, std::chrono::seconds patience) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kPause{1};
  const std::string ending = ":" + path + "\n";
  for (const auto deadline = Clock::now() + patience; Clock::now() < deadline;) {
    if (WASI_TRY(read_file("/proc/self/cgroup")).contains(ending)) return {};
    std::this_thread::sleep_for(kPause);
  }
  return wasi::fail(wasi::ErrorKind::io, "systemd has not moved the container's process to its group {} in {} s",
                    wasi::printable(path), patience.count());
}

}  // namespace wasirun::shim

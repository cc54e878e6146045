#include "tools/shim/cgroup_metrics.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "metrics.pb.h"

namespace wasirun::shim {

namespace {

// Of a file that holds one number, or the word max.
std::uint64_t number_of(std::string_view text) {
  if (text.starts_with("max")) return UINT64_MAX;
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

template <class Message>
struct Field {
  std::string_view name;
  void (Message::*set)(std::uint64_t);
};

template <class Message, std::size_t N>
void fill(Message& message, std::string_view text, const Field<Message> (&fields)[N]) {
  for (const auto& field : fields) (message.*field.set)(figure_of(text, field.name));
}

using metrics::CpuV2;
using metrics::MemoryEventsV2;
using metrics::MemoryV1;
using metrics::MemoryV2;
using metrics::ThrottleV1;

constexpr Field<MemoryV1> kMemoryV1[] = {{"cache", &MemoryV1::set_cache},
                                         {"rss", &MemoryV1::set_rss},
                                         {"mapped_file", &MemoryV1::set_mapped_file},
                                         {"pgfault", &MemoryV1::set_pg_fault},
                                         {"pgmajfault", &MemoryV1::set_pg_maj_fault},
                                         {"inactive_anon", &MemoryV1::set_inactive_anon},
                                         {"active_anon", &MemoryV1::set_active_anon},
                                         {"inactive_file", &MemoryV1::set_inactive_file},
                                         {"active_file", &MemoryV1::set_active_file},
                                         {"unevictable", &MemoryV1::set_unevictable},
                                         {"hierarchical_memory_limit", &MemoryV1::set_hierarchical_memory_limit},
                                         {"total_cache", &MemoryV1::set_total_cache},
                                         {"total_rss", &MemoryV1::set_total_rss},
                                         {"total_mapped_file", &MemoryV1::set_total_mapped_file},
                                         {"total_pgfault", &MemoryV1::set_total_pg_fault},
                                         {"total_pgmajfault", &MemoryV1::set_total_pg_maj_fault},
                                         {"total_inactive_anon", &MemoryV1::set_total_inactive_anon},
                                         {"total_active_anon", &MemoryV1::set_total_active_anon},
                                         {"total_inactive_file", &MemoryV1::set_total_inactive_file},
                                         {"total_active_file", &MemoryV1::set_total_active_file},
                                         {"total_unevictable", &MemoryV1::set_total_unevictable}};

constexpr Field<MemoryV2> kMemoryV2[] = {{"anon", &MemoryV2::set_anon},
                                         {"file", &MemoryV2::set_file},
                                         {"kernel_stack", &MemoryV2::set_kernel_stack},
                                         {"slab", &MemoryV2::set_slab},
                                         {"sock", &MemoryV2::set_sock},
                                         {"shmem", &MemoryV2::set_shmem},
                                         {"file_mapped", &MemoryV2::set_file_mapped},
                                         {"file_dirty", &MemoryV2::set_file_dirty},
                                         {"file_writeback", &MemoryV2::set_file_writeback},
                                         {"inactive_anon", &MemoryV2::set_inactive_anon},
                                         {"active_anon", &MemoryV2::set_active_anon},
                                         {"inactive_file", &MemoryV2::set_inactive_file},
                                         {"active_file", &MemoryV2::set_active_file},
                                         {"unevictable", &MemoryV2::set_unevictable},
                                         {"pgfault", &MemoryV2::set_pgfault},
                                         {"pgmajfault", &MemoryV2::set_pgmajfault}};

constexpr Field<CpuV2> kCpuV2[] = {
    {"usage_usec", &CpuV2::set_usage_usec},     {"user_usec", &CpuV2::set_user_usec},
    {"system_usec", &CpuV2::set_system_usec},   {"nr_periods", &CpuV2::set_nr_periods},
    {"nr_throttled", &CpuV2::set_nr_throttled}, {"throttled_usec", &CpuV2::set_throttled_usec}};

constexpr Field<ThrottleV1> kThrottleV1[] = {{"nr_periods", &ThrottleV1::set_periods},
                                             {"nr_throttled", &ThrottleV1::set_throttled_periods},
                                             {"throttled_time", &ThrottleV1::set_throttled_time}};

constexpr Field<MemoryEventsV2> kMemoryEventsV2[] = {{"low", &MemoryEventsV2::set_low},
                                                     {"high", &MemoryEventsV2::set_high},
                                                     {"max", &MemoryEventsV2::set_max},
                                                     {"oom", &MemoryEventsV2::set_oom},
                                                     {"oom_kill", &MemoryEventsV2::set_oom_kill}};

// Version 1 has four files for each kind of memory, by prefix: "memory.", "memory.memsw.".
void fill_entry(metrics::MemoryEntryV1& entry, const CgroupFileReader& read, const std::string& prefix) {
  entry.set_usage(number_of(read("memory", prefix + "usage_in_bytes")));
  entry.set_limit(number_of(read("memory", prefix + "limit_in_bytes")));
  entry.set_max(number_of(read("memory", prefix + "max_usage_in_bytes")));
  entry.set_failcnt(number_of(read("memory", prefix + "failcnt")));
}

void fill_pids(metrics::Pids& pids, const CgroupFileReader& read) {
  pids.set_current(number_of(read("pids", "pids.current")));
  const std::string limit = read("pids", "pids.max");
  pids.set_limit(limit.starts_with("max") ? 0 : number_of(limit));
}

metrics::MetricsV1 metrics_v1(const CgroupFileReader& read) {
  metrics::MetricsV1 all;
  fill_pids(*all.mutable_pids(), read);
  metrics::CpuUsageV1& usage = *all.mutable_cpu()->mutable_usage();
  usage.set_total(number_of(read("cpuacct", "cpuacct.usage")));
  // In ticks of the clock, where all else is in nanoseconds.
  const std::string parts = read("cpuacct", "cpuacct.stat");
  const std::uint64_t tick = 1'000'000'000ULL / static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  usage.set_user(figure_of(parts, "user") * tick);
  usage.set_kernel(figure_of(parts, "system") * tick);
  fill(*all.mutable_cpu()->mutable_throttling(), read("cpu", "cpu.stat"), kThrottleV1);
  metrics::MemoryV1& memory = *all.mutable_memory();
  fill(memory, read("memory", "memory.stat"), kMemoryV1);
  fill_entry(*memory.mutable_usage(), read, "memory.");
  fill_entry(*memory.mutable_swap(), read, "memory.memsw.");
  fill_entry(*memory.mutable_kernel(), read, "memory.kmem.");
  const std::string oom = read("memory", "memory.oom_control");
  all.mutable_memory_oom_control()->set_oom_kill_disable(figure_of(oom, "oom_kill_disable"));
  all.mutable_memory_oom_control()->set_under_oom(figure_of(oom, "under_oom"));
  all.mutable_memory_oom_control()->set_oom_kill(figure_of(oom, "oom_kill"));
  return all;
}

metrics::MetricsV2 metrics_v2(const CgroupFileReader& read) {
  metrics::MetricsV2 all;
  fill_pids(*all.mutable_pids(), read);
  fill(*all.mutable_cpu(), read("cpu", "cpu.stat"), kCpuV2);
  metrics::MemoryV2& memory = *all.mutable_memory();
  fill(memory, read("memory", "memory.stat"), kMemoryV2);
  memory.set_usage(number_of(read("memory", "memory.current")));
  memory.set_usage_limit(number_of(read("memory", "memory.max")));
  memory.set_max_usage(number_of(read("memory", "memory.peak")));
  memory.set_swap_usage(number_of(read("memory", "memory.swap.current")));
  memory.set_swap_limit(number_of(read("memory", "memory.swap.max")));
  fill(*all.mutable_memory_events(), read("memory", "memory.events"), kMemoryEventsV2);
  return all;
}

}  // namespace

std::uint64_t figure_of(std::string_view text, std::string_view name) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ') {
      return number_of(line.substr(name.size() + 1));
    }
    begin = end + 1;
  }
  return 0;
}

rpc::Any cgroup_metrics(CgroupVersion version, const CgroupFileReader& read) {
  rpc::Any any;
  if (version == CgroupVersion::v1) {
    any.set_type_url("io.containerd.cgroups.v1.Metrics");
    any.set_value(metrics_v1(read).SerializeAsString());
  } else {
    any.set_type_url("io.containerd.cgroups.v2.Metrics");
    any.set_value(metrics_v2(read).SerializeAsString());
  }
  return any;
}

}  // namespace wasirun::shim

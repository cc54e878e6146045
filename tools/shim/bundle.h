// A container's configuration: the parts of an OCI bundle's config.json that are honoured here, checked.
// Source: https://github.com/opencontainers/runtime-spec/blob/main/config.md
#pragma once

#include <sys/types.h>
#include <wasi/error.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wasirun::shim {

struct Rlimit {
  int resource = 0;  // RLIMIT_NOFILE, ...
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

struct ProcessConfig {
  bool has_terminal = false;
  std::vector<std::string> args;  // at least one
  std::vector<std::string> env;   // "NAME=value"
  std::string cwd;                // absolute
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> additional_gids;
  std::optional<mode_t> umask;
  std::vector<Rlimit> rlimits;
  std::optional<int> oom_score_adj;
  bool has_no_new_privileges = false;
};

struct MountConfig {
  std::string destination;  // absolute
  std::string type;
  std::string source;
  std::vector<std::string> options;
};

struct NamespaceConfig {
  int type = 0;      // CLONE_NEWNET, ...
  std::string path;  // of one to join; empty: one of its own
};

// What a container may use; absent: whatever its parent may.
struct Resources {
  std::optional<std::int64_t> memory_limit;  // bytes; -1: no limit
  std::optional<std::int64_t> memory_reservation;
  std::optional<std::int64_t> memory_swap;  // memory and swap together
  std::optional<std::uint64_t> cpu_shares;
  std::optional<std::int64_t> cpu_quota;    // microseconds in a period; -1: no limit
  std::optional<std::uint64_t> cpu_period;  // microseconds
  std::string cpus;                         // "0-3,7"
  std::string memory_nodes;
  std::optional<std::int64_t> pids_limit;
  std::map<std::string, std::string> unified;  // files of cgroups v2 and what is written to them
};

struct Bundle {
  ProcessConfig process;
  std::string root;  // absolute
  bool is_root_read_only = false;
  std::string hostname;
  std::vector<MountConfig> mounts;
  std::vector<NamespaceConfig> namespaces;
  std::map<std::string, std::string> sysctl;  // "net.ipv4.ip_forward"
  std::string cgroups_path;
  Resources resources;
  std::map<std::string, std::string> annotations;

  [[nodiscard]] const NamespaceConfig* find_namespace(int type) const;
  // Of a pod: the container that holds its namespaces.
  [[nodiscard]] bool is_sandbox() const;
  // The annotation's value, empty where there is none.
  [[nodiscard]] std::string annotation(const std::string& name) const;
};

inline constexpr const char* kSandboxIdAnnotation = "io.kubernetes.cri.sandbox-id";

// `directory`: the bundle's, absolute. Errors name the field.
wasi::Result<Bundle> parse_bundle(std::string_view config, const std::string& directory);
// Reads DIRECTORY/config.json.
wasi::Result<Bundle> read_bundle(const std::string& directory);
// OCI's LinuxResources, as `Update` has them.
wasi::Result<Resources> parse_resources(std::string_view json);

}  // namespace wasirun::shim

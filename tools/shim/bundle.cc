#include "tools/shim/bundle.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tools/shim/host_file.h"
#include "tools/shim/json_node.h"

namespace wasirun::shim {

namespace {

constexpr std::size_t kLargestConfig = std::size_t{4} << 20;

constexpr std::array<std::pair<std::string_view, int>, 16> kRlimits{{{"RLIMIT_AS", RLIMIT_AS},
                                                                     {"RLIMIT_CORE", RLIMIT_CORE},
                                                                     {"RLIMIT_CPU", RLIMIT_CPU},
                                                                     {"RLIMIT_DATA", RLIMIT_DATA},
                                                                     {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                                                                     {"RLIMIT_LOCKS", RLIMIT_LOCKS},
                                                                     {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                                                                     {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                                                                     {"RLIMIT_NICE", RLIMIT_NICE},
                                                                     {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                                                                     {"RLIMIT_NPROC", RLIMIT_NPROC},
                                                                     {"RLIMIT_RSS", RLIMIT_RSS},
                                                                     {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                                                                     {"RLIMIT_RTTIME", RLIMIT_RTTIME},
                                                                     {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                                                                     {"RLIMIT_STACK", RLIMIT_STACK}}};

constexpr int kNewTime = 0x80;  // CLONE_NEWTIME
constexpr std::array<std::pair<std::string_view, int>, 8> kNamespaces{{{"network", CLONE_NEWNET},
                                                                       {"ipc", CLONE_NEWIPC},
                                                                       {"uts", CLONE_NEWUTS},
                                                                       {"pid", CLONE_NEWPID},
                                                                       {"mount", CLONE_NEWNS},
                                                                       {"user", CLONE_NEWUSER},
                                                                       {"cgroup", CLONE_NEWCGROUP},
                                                                       {"time", kNewTime}}};

template <std::size_t N>
wasi::Result<int> look_up(const std::array<std::pair<std::string_view, int>, N>& table, const JsonNode& node,
                          std::string_view expected) {
  const std::string name = WASI_TRY(node.string());
  const auto found = std::ranges::find(table, name, &std::pair<std::string_view, int>::first);
  if (found == table.end()) return wasi::fail(wasi::ErrorKind::argument, "{}: expected {}", node.place(), expected);
  return found->second;
}

wasi::Result<ProcessConfig> parse_process(const JsonNode& node) {
  ProcessConfig process;
  if (node.is_absent()) return node.wrong("an object");
  process.has_terminal = WASI_TRY(WASI_TRY(node.member("terminal")).boolean());
  const JsonNode args = WASI_TRY(node.member("args"));
  process.args = WASI_TRY(args.strings());
  // An image that is one module needs no name for it.
  if (process.args.empty()) process.args.emplace_back("/");
  for (const JsonNode& variable : WASI_TRY(WASI_TRY(node.member("env")).elements())) {
    process.env.push_back(WASI_TRY(variable.string()));
    if (process.env.back().find('=') == std::string::npos) return variable.wrong("NAME=value");
  }
  const JsonNode cwd = WASI_TRY(node.member("cwd"));
  process.cwd = WASI_TRY(cwd.string());
  if (process.cwd.empty()) process.cwd = "/";
  if (process.cwd[0] != '/') return cwd.wrong("an absolute path");

  const JsonNode user = WASI_TRY(node.member("user"));
  process.uid = WASI_TRY(WASI_TRY(user.member("uid")).integer<uid_t>()).value_or(0);
  process.gid = WASI_TRY(WASI_TRY(user.member("gid")).integer<gid_t>()).value_or(0);
  process.umask = WASI_TRY(WASI_TRY(user.member("umask")).integer<mode_t>());
  for (const JsonNode& gid : WASI_TRY(WASI_TRY(user.member("additionalGids")).elements())) {
    process.additional_gids.push_back(WASI_TRY(gid.integer<gid_t>()).value_or(0));
  }
  for (const JsonNode& limit : WASI_TRY(WASI_TRY(node.member("rlimits")).elements())) {
    Rlimit& rlimit = process.rlimits.emplace_back();
    rlimit.resource = WASI_TRY(look_up(kRlimits, WASI_TRY(limit.member("type")), "the name of a limit, RLIMIT_..."));
    rlimit.soft = WASI_TRY(WASI_TRY(limit.member("soft")).integer<std::uint64_t>()).value_or(0);
    rlimit.hard = WASI_TRY(WASI_TRY(limit.member("hard")).integer<std::uint64_t>()).value_or(0);
  }
  process.oom_score_adj = WASI_TRY(WASI_TRY(node.member("oomScoreAdj")).integer<int>());
  process.has_no_new_privileges = WASI_TRY(WASI_TRY(node.member("noNewPrivileges")).boolean());
  return process;
}

wasi::Result<MountConfig> parse_mount(const JsonNode& node) {
  MountConfig mount;
  const JsonNode destination = WASI_TRY(node.member("destination"));
  mount.destination = WASI_TRY(destination.string());
  if (!mount.destination.starts_with('/')) return destination.wrong("an absolute path");
  mount.type = WASI_TRY(WASI_TRY(node.member("type")).string());
  mount.source = WASI_TRY(WASI_TRY(node.member("source")).string());
  mount.options = WASI_TRY(WASI_TRY(node.member("options")).strings());
  return mount;
}

wasi::Result<Resources> parse_resources(const JsonNode& node) {
  Resources resources;
  const JsonNode memory = WASI_TRY(node.member("memory"));
  resources.memory_limit = WASI_TRY(WASI_TRY(memory.member("limit")).integer<std::int64_t>());
  resources.memory_reservation = WASI_TRY(WASI_TRY(memory.member("reservation")).integer<std::int64_t>());
  resources.memory_swap = WASI_TRY(WASI_TRY(memory.member("swap")).integer<std::int64_t>());
  const JsonNode cpu = WASI_TRY(node.member("cpu"));
  resources.cpu_shares = WASI_TRY(WASI_TRY(cpu.member("shares")).integer<std::uint64_t>());
  resources.cpu_quota = WASI_TRY(WASI_TRY(cpu.member("quota")).integer<std::int64_t>());
  resources.cpu_period = WASI_TRY(WASI_TRY(cpu.member("period")).integer<std::uint64_t>());
  resources.cpus = WASI_TRY(WASI_TRY(cpu.member("cpus")).string());
  resources.memory_nodes = WASI_TRY(WASI_TRY(cpu.member("mems")).string());
  const JsonNode pids = WASI_TRY(node.member("pids"));
  resources.pids_limit = WASI_TRY(WASI_TRY(pids.member("limit")).integer<std::int64_t>());
  const JsonNode unified = WASI_TRY(node.member("unified"));
  resources.unified = WASI_TRY(unified.string_map());
  for (const auto& [file, value] : resources.unified) {
    if (file.empty() || file.find('/') != std::string::npos || file.starts_with("cgroup.")) {
      return unified.wrong("names of controllers' files, such as memory.high");
    }
  }
  return resources;
}

}  // namespace

const NamespaceConfig* Bundle::find_namespace(int type) const {
  const auto found = std::ranges::find(namespaces, type, &NamespaceConfig::type);
  return found == namespaces.end() ? nullptr : &*found;
}

bool Bundle::is_sandbox() const { return annotation("io.kubernetes.cri.container-type") == "sandbox"; }

std::string Bundle::annotation(const std::string& name) const {
  const auto found = annotations.find(name);
  return found == annotations.end() ? std::string() : found->second;
}

wasi::Result<Bundle> parse_bundle(std::string_view config, const std::string& directory) {
  const nlohmann::json document = WASI_TRY(parse_json(config, "config.json"));
  const JsonNode node(document, "config.json");
  Bundle bundle;
  bundle.process = WASI_TRY(parse_process(WASI_TRY(node.member("process"))));
  const JsonNode root = WASI_TRY(node.member("root"));
  bundle.root = WASI_TRY(WASI_TRY(root.member("path")).string());
  if (bundle.root.empty()) bundle.root = "rootfs";
  if (bundle.root[0] != '/') bundle.root = directory + "/" + bundle.root;
  bundle.is_root_read_only = WASI_TRY(WASI_TRY(root.member("readonly")).boolean());
  bundle.hostname = WASI_TRY(WASI_TRY(node.member("hostname")).string());
  for (const JsonNode& mount : WASI_TRY(WASI_TRY(node.member("mounts")).elements())) {
    bundle.mounts.push_back(WASI_TRY(parse_mount(mount)));
  }
  bundle.annotations = WASI_TRY(WASI_TRY(node.member("annotations")).string_map());

  const JsonNode linux_part = WASI_TRY(node.member("linux"));
  bundle.sysctl = WASI_TRY(WASI_TRY(linux_part.member("sysctl")).string_map());
  bundle.cgroups_path = WASI_TRY(WASI_TRY(linux_part.member("cgroupsPath")).string());
  bundle.resources = WASI_TRY(parse_resources(WASI_TRY(linux_part.member("resources"))));
  for (const JsonNode& space : WASI_TRY(WASI_TRY(linux_part.member("namespaces")).elements())) {
    NamespaceConfig& made = bundle.namespaces.emplace_back();
    made.type = WASI_TRY(look_up(kNamespaces, WASI_TRY(space.member("type")), "a kind of namespace, such as network"));
    const JsonNode path = WASI_TRY(space.member("path"));
    made.path = WASI_TRY(path.string());
    if (!made.path.empty() && made.path[0] != '/') return path.wrong("an absolute path");
  }
  return bundle;
}

wasi::Result<Bundle> read_bundle(const std::string& directory) {
  return parse_bundle(WASI_TRY(read_file(directory + "/config.json", kLargestConfig)), directory);
}

wasi::Result<Resources> parse_resources(std::string_view json) {
  const nlohmann::json document = WASI_TRY(parse_json(json, "resources"));
  return parse_resources(JsonNode(document, "resources"));
}

}  // namespace wasirun::shim

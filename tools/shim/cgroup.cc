#include "tools/shim/cgroup.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <map>

#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/cgroup_metrics.h"
#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

// Of version 1: those in which a container gets a directory of its own.
constexpr std::array<const char*, 8> kControllers{"memory", "cpu",     "cpuacct", "cpuset",
                                                  "pids",   "freezer", "blkio",   "hugetlb"};
// Of version 2: those that are passed on to the group.
constexpr std::array<const char*, 5> kPassedOn{"cpuset", "cpu", "io", "memory", "pids"};

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// Version 1 wants both to be set before a process may join.
wasi::Result<void> inherit_cpuset(const std::string& parent, const std::string& directory) {
  for (const char* const file : {"/cpuset.cpus", "/cpuset.mems"}) {
    const std::string own = WASI_TRY(read_file(directory + file));
    if (!own.empty() && own != "\n") continue;
    WASI_TRY(write_file(directory + file, WASI_TRY(read_file(parent + file))));
  }
  return {};
}

// Where parents have no such controller to give, there are no limits of it.
void pass_controllers_on(const std::string& directory) {
  for (const char* const controller : kPassedOn) {
    static_cast<void>(write_file(directory + "/cgroup.subtree_control", fmt::format("+{}", controller)));
  }
}

std::vector<std::string> words_of(std::string_view text, char separator) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

}  // namespace

Cgroup Cgroup::at(const std::string& path, const std::string& root) {
  if (exists(root + "/cgroup.controllers")) return {CgroupVersion::v2, {{"", root + path, root}}};
  std::vector<Directory> directories;
  for (const char* const controller : kControllers) {
    const std::string mount = root + "/" + controller;
    if (exists(mount)) directories.push_back({controller, mount + path, mount});
  }
  return {CgroupVersion::v1, std::move(directories)};
}

wasi::Result<Cgroup> Cgroup::of_process(pid_t pid, const std::string& root) {
  // Lines "4:memory:/path", and of version 2 "0::/path".
  const std::string text = WASI_TRY(read_file(fmt::format("/proc/{}/cgroup", pid)));
  const bool is_unified = exists(root + "/cgroup.controllers");
  std::vector<Directory> directories;
  for (const std::string& line : words_of(text, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string path = line.substr(second + 1);
    for (const std::string& controller : words_of(line.substr(first + 1, second - first - 1), ',')) {
      const std::string mount = root + "/" + controller;
      if (!is_unified && exists(mount)) directories.push_back({controller, mount + path, mount});
    }
    if (is_unified && second == first + 1) directories.push_back({"", root + path, root});
  }
  return Cgroup(is_unified ? CgroupVersion::v2 : CgroupVersion::v1, std::move(directories));
}

const Cgroup::Directory* Cgroup::find(const std::string& controller) const {
  for (const Directory& directory : directories_) {
    if (version_ == CgroupVersion::v2 || directory.controller == controller) return &directory;
  }
  return nullptr;
}

std::string Cgroup::file(const std::string& controller, const std::string& name) const {
  const Directory* const directory = find(controller);
  return directory == nullptr ? std::string() : directory->path + "/" + name;
}

wasi::Result<void> Cgroup::create() const {
  for (const Directory& directory : directories_) {
    std::size_t end = directory.mount.size();
    while (end != std::string::npos) {
      const std::string parent = directory.path.substr(0, end);
      end = directory.path.find('/', end + 1);
      const std::string made = directory.path.substr(0, end);
      if (version_ == CgroupVersion::v2) pass_controllers_on(parent);
      if (::mkdir(made.c_str(), 0755) != 0 && errno != EEXIST) return host_failure("mkdir", made);
      if (directory.controller == "cpuset") WASI_TRY(inherit_cpuset(parent, made));
    }
  }
  return {};
}

wasi::Result<void> Cgroup::apply(const Resources& resources) const {
  auto writes = cgroup_writes(resources, version_);
  const auto applied = apply(writes);
  if (applied || version_ == CgroupVersion::v2 || !resources.memory_swap) return applied;
  // Version 1 wants memory with swap to be no less than memory at any time: when both rise, it has to be first.
  for (std::size_t i = 1; i < writes.size(); ++i) {
    if (writes[i].file == "memory.memsw.limit_in_bytes") std::swap(writes[i - 1], writes[i]);
  }
  return apply(writes);
}

wasi::Result<void> Cgroup::apply(const std::vector<CgroupWrite>& writes) const {
  for (const CgroupWrite& write : writes) {
    const std::string path = file(write.controller, write.file);
    if (path.empty() || (write.is_optional && !exists(path))) continue;
    WASI_TRY(write_file(path, write.value));
  }
  return {};
}

wasi::Result<void> Cgroup::join() const {
  for (const Directory& directory : directories_) WASI_TRY(write_file(directory.path + "/cgroup.procs", "0"));
  return {};
}

wasi::Result<void> Cgroup::join_first() const {
  if (directories_.empty()) return {};
  return write_file(directories_.front().path + "/cgroup.procs", "0");
}

wasi::Result<void> Cgroup::remove() const {
  // A process that has just ended may be counted for a moment longer.
  constexpr int kAttempts = 10;
  constexpr useconds_t kPause = 1000;
  for (const Directory& directory : directories_) {
    for (int attempt = 1; ::rmdir(directory.path.c_str()) != 0 && errno != ENOENT; ++attempt) {
      if (errno != EBUSY || attempt == kAttempts) return host_failure("rmdir", directory.path);
      ::usleep(kPause);
    }
  }
  return {};
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> pids;
  if (directories_.empty()) return pids;
  const auto text = read_file(directories_.front().path + "/cgroup.procs");
  if (!text) return pids;
  for (const std::string& line : words_of(*text, '\n')) {
    pid_t pid = 0;
    std::from_chars(line.data(), line.data() + line.size(), pid);
    if (pid > 0) pids.push_back(pid);
  }
  return pids;
}

wasi::Result<void> Cgroup::set_frozen(bool is_frozen) const {
  if (version_ == CgroupVersion::v2) return write_file(file("", "cgroup.freeze"), is_frozen ? "1" : "0");
  const std::string path = file("freezer", "freezer.state");
  if (path.empty()) return wasi::fail(wasi::ErrorKind::unsupported, "this host has no freezer controller");
  return write_file(path, is_frozen ? "FROZEN" : "THAWED");
}

rpc::Any Cgroup::metrics() const {
  const CgroupFileReader read = [this](const std::string& controller, const std::string& name) {
    const std::string path = file(controller, name);
    return path.empty() ? std::string() : read_file(path).value_or("");
  };
  return cgroup_metrics(version_, read);
}

std::uint64_t Cgroup::oom_kills() const {
  const std::string path = file("memory", version_ == CgroupVersion::v1 ? "memory.oom_control" : "memory.events");
  if (path.empty()) return 0;
  return figure_of(read_file(path).value_or(""), "oom_kill");
}

wasi::os::UniqueFd Cgroup::watch_oom() const {
  wasi::os::UniqueFd watch;
  if (version_ == CgroupVersion::v2) {
    watch.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    const std::string path = file("memory", "memory.events");
    if (watch && ::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY) < 0) watch.reset();
    return watch;
  }
  const std::string path = file("memory", "memory.oom_control");
  const wasi::os::UniqueFd control(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!control) return watch;
  watch.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!write_file(file("memory", "cgroup.event_control"), fmt::format("{} {}", watch.get(), control.get()))) {
    watch.reset();
  }
  return watch;
}

}  // namespace wasirun::shim

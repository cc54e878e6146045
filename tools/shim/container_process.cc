#include "tools/shim/container_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <vector>

#include "base/printable.h"
#include "base/result.h"
#include "os/retry.h"
#include "tools/shim/fork.h"
#include "tools/shim/host_file.h"
#include "tools/shim/privileges.h"
#include "tools/shim/root_file_system.h"
#include "tools/shim/systemd_scope.h"

namespace wasirun::shim {

namespace {

using wasi::os::UniqueFd;

// Where the child has what it needs, below which nothing else stays open.
constexpr int kStatusFd = 3;
constexpr int kStartFd = 4;
constexpr int kModuleFd = 5;
constexpr int kFirstUnused = 6;

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

wasi::Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return host_failure("pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// In the child from here on.

// Descriptors are moved out of the way first, since they may lie where others belong.
void place_descriptors(const std::vector<std::pair<int, int>>& places) {
  constexpr int kOutOfTheWay = 64;
  std::vector<int> moved;
  for (const auto& [from, to] : places) {
    moved.push_back(from < 0 ? -1 : ::fcntl(from, F_DUPFD_CLOEXEC, kOutOfTheWay));
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (moved[i] < 0) {
      ::close(places[i].second);
    } else {
      ::dup3(moved[i], places[i].second, places[i].second > STDERR_FILENO ? O_CLOEXEC : 0);
    }
  }
  ::close_range(kFirstUnused, ~0U, 0);
}

// A guest cannot handle signals, so all that are sent to end it have to; these would be ignored, and the container be
// killed only when its time is over.
void let_every_signal_end() {
  struct sigaction action{};
  action.sa_handler = [](int signal) { ::_exit(128 + signal); };
  for (const int signal : {SIGWINCH, SIGURG}) ::sigaction(signal, &action, nullptr);
  action.sa_handler = SIG_IGN;
  // A reader that goes away, a file that grows too large, are errors of the write that notices it.
  for (const int signal : {SIGPIPE, SIGXFSZ}) ::sigaction(signal, &action, nullptr);
}

wasi::Result<void> join_namespaces(const Bundle& bundle, WorkloadKind kind) {
  for (const NamespaceConfig& space : bundle.namespaces) {
    if (space.type == CLONE_NEWUSER) {
      return wasi::fail(wasi::ErrorKind::unsupported, "user namespaces are not supported");
    }
    // The shim forks into that of processes, and that of mounts is always the container's own.
    if (space.type == CLONE_NEWPID || space.type == CLONE_NEWNS) continue;
    if (!space.path.empty()) {
      const UniqueFd file(::open(space.path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!file) return host_failure("open", space.path);
      if (::setns(file.get(), space.type) != 0) return host_failure("join the namespace", space.path);
    } else if (kind == WorkloadKind::sandbox || (kind == WorkloadKind::http && space.type == CLONE_NEWNET)) {
      // Of others a guest would see nothing: it has no host name, and no network but what it is handed.
      if (::unshare(space.type) != 0) return host_failure("make a namespace");
    }
  }
  return {};
}

wasi::Result<void> set_up_sandbox(const Bundle& bundle) {
  for (const auto& [name, value] : bundle.sysctl) {
    std::string path = name;
    std::ranges::replace(path, '.', '/');
    WASI_TRY(write_file("/proc/sys/" + path, value));
  }
  const NamespaceConfig* const names = bundle.find_namespace(CLONE_NEWUTS);
  if (!bundle.hostname.empty() && names != nullptr && names->path.empty() &&
      ::sethostname(bundle.hostname.data(), bundle.hostname.size()) != 0) {
    return host_failure("sethostname");
  }
  return {};
}

// Output goes to fifos that are open for both ways, for the sake of whoever reads them; a guest may only write.
wasi::Result<void> make_write_only(int stream) {
  const std::string path = fmt::format("/proc/self/fd/{}", stream);
  if ((::fcntl(stream, F_GETFL) & O_ACCMODE) != O_RDWR) return {};
  const UniqueFd writer(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!writer) return host_failure("open", path);
  // Stays open, beyond what the guest is given.
  if (::fcntl(stream, F_DUPFD_CLOEXEC, kFirstUnused) < 0) return host_failure("keep", path);
  ::dup2(writer.get(), stream);
  return {};
}

wasi::Result<std::string> find_executable(const ProcessConfig& process) {
  const std::string& name = process.args.front();
  const std::string path = name.find('/') == std::string::npos ? "/" + name : name;
  if (::access(path.c_str(), X_OK) != 0) return host_failure("exec", path);
  return path;
}

void wait_for_byte() {
  char byte = 0;
  // The shim is gone, or does not want it any more.
  if (wasi::os::retry([&] { return ::read(kStartFd, &byte, 1); }) != 1) ::_exit(1);
}

void report(std::string_view text) {
  static_cast<void>(wasi::os::retry([&] { return ::write(kStatusFd, text.data(), text.size()); }));
  ::close(kStatusFd);
}

class Child {
 public:
  explicit Child(const ProcessPlan& plan) : plan_(plan), bundle_(plan.bundle), workload_(plan.workload) {}

  [[noreturn]] void run() {
    if (const auto ready = make_ready(); !ready) {
      report(ready.error().message);
      ::_exit(1);
    }
    report({&kReady, 1});
    wait_for_byte();
    ::close(kStartFd);
    // Nothing is taken down: the process ends, and the code that it ran is in the cache already.
    if (program_) ::_exit(program_->run(bundle_.process));
    if (http_) ::_exit(http_->run(bundle_));
    execute();
  }

 private:
  wasi::Result<void> make_ready() {
    ::setsid();
    WASI_TRY(join_group());
    if (bundle_.process.oom_score_adj) {
      WASI_TRY(write_file("/proc/self/oom_score_adj", fmt::format("{}", *bundle_.process.oom_score_adj)));
    }
    WASI_TRY(join_namespaces(bundle_, workload_.kind));
    if (workload_.kind == WorkloadKind::sandbox) {
      WASI_TRY(set_up_sandbox(bundle_));
      WASI_TRY(mount_container(bundle_, MountKinds::files));
    } else {
      WASI_TRY(make_write_only(STDOUT_FILENO));
      WASI_TRY(make_write_only(STDERR_FILENO));
      WASI_TRY(mount_container(bundle_, MountKinds::files_and_memory));
      WASI_TRY(load());
      let_every_signal_end();
    }
    WASI_TRY(check_and_drop());
    // Nobody looks after a container whose shim was killed. Changing the user takes this back.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    return {};
  }

  wasi::Result<void> join_group() {
    if (!plan_.systemd_group.empty()) {
      wait_for_byte();
      WASI_TRY(wait_for_group(plan_.systemd_group));
      // Of controllers that systemd leaves to others.
      WASI_TRY(plan_.cgroup.create());
      WASI_TRY(plan_.cgroup.apply(bundle_.resources));
    }
    return plan_.cgroup.join();
  }

  wasi::Result<void> load() {
    ImageModule module{.file = UniqueFd(workload_.module_file ? kModuleFd : -1), .name = workload_.program.path};
    if (!workload_.missing.empty()) {
      auto found = read_image_module(plan_.image, workload_.program.path);
      if (!found) return wasi::fail(found.error().kind, "{}; {}", workload_.missing, found.error().message);
      module = *std::move(found);
    }
    const int file = module.file.get();
    if (workload_.kind == WorkloadKind::http) {
      http_.emplace(
          WASI_TRY(HttpProgram::load(bundle_, workload_.http, {.file = file, .name = module.name}, plan_.code)));
    } else {
      program_.emplace(WASI_TRY(WasmProgram::load(file, {module.name, workload_.program.function}, plan_.code)));
    }
    return {};
  }

  wasi::Result<void> check_and_drop() {
    // /proc, where threads are counted, is not there any more inside.
    const int self = ::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const UniqueFd threads(self);
    if (!threads) return host_failure("open", "/proc/self/task");
    WASI_TRY(enter_container(bundle_));
    if (::chdir(bundle_.process.cwd.c_str()) != 0) return host_failure("working directory", bundle_.process.cwd);
    if (workload_.kind == WorkloadKind::sandbox) executable_ = WASI_TRY(find_executable(bundle_.process));
    return drop_privileges(bundle_.process, threads.get());
  }

  [[noreturn]] void execute() {
    std::vector<char*> args;
    for (const std::string& arg : bundle_.process.args) args.push_back(const_cast<char*>(arg.c_str()));
    args.push_back(nullptr);
    std::vector<char*> env;
    for (const std::string& variable : bundle_.process.env) env.push_back(const_cast<char*>(variable.c_str()));
    env.push_back(nullptr);
    ::execve(executable_.c_str(), args.data(), env.data());
    const std::string message = host_failure("exec", executable_).error().message + "\n";
    static_cast<void>(::write(STDERR_FILENO, message.data(), message.size()));
    constexpr int kCannotExecute = 126;
    ::_exit(kCannotExecute);
  }

  const ProcessPlan& plan_;
  const Bundle& bundle_;
  const Workload& workload_;
  std::optional<WasmProgram> program_;
  std::optional<HttpProgram> http_;
  std::string executable_;
};

// As long as this exists, children of this process are born into the container's namespace of processes.
class ProcessNamespace {
 public:
  static wasi::Result<ProcessNamespace> choose(const Bundle& bundle, WorkloadKind kind) {
    ProcessNamespace chosen;
    const NamespaceConfig* const space = bundle.find_namespace(CLONE_NEWPID);
    // Alone in one of its own, a guest would be the process that no signal ends, and see nothing of it.
    if (space == nullptr || (space->path.empty() && kind != WorkloadKind::sandbox)) return chosen;
    chosen.own_.reset(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
    if (!chosen.own_) return host_failure("open", "/proc/self/ns/pid");
    if (space->path.empty()) {
      if (::unshare(CLONE_NEWPID) != 0) return host_failure("make a namespace");
      return chosen;
    }
    const UniqueFd file(::open(space->path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return host_failure("open", space->path);
    if (::setns(file.get(), CLONE_NEWPID) != 0) return host_failure("join the namespace", space->path);
    return chosen;
  }
  ProcessNamespace(ProcessNamespace&&) = default;
  ProcessNamespace& operator=(ProcessNamespace&&) = delete;
  ~ProcessNamespace() {
    if (own_) ::setns(own_.get(), CLONE_NEWPID);
  }

 private:
  ProcessNamespace() = default;
  UniqueFd own_;
};

}  // namespace

wasi::Result<ContainerProcess> fork_container(const ProcessPlan& plan, const StdioFiles& stdio) {
  Pipe status = WASI_TRY(make_pipe());
  Pipe start = WASI_TRY(make_pipe());
  const ProcessNamespace space = WASI_TRY(ProcessNamespace::choose(plan.bundle, plan.workload.kind));
  const pid_t pid = WASI_TRY(fork_child());
  if (pid == 0) {
    place_descriptors({{stdio.streams[0].get(), STDIN_FILENO},
                       {stdio.streams[1].get(), STDOUT_FILENO},
                       {stdio.streams[2].get(), STDERR_FILENO},
                       {status.writer.get(), kStatusFd},
                       {start.reader.get(), kStartFd},
                       {plan.workload.module_file.get(), kModuleFd}});
    Child(plan).run();
  }
  return ContainerProcess{pid, std::move(status.reader), std::move(start.writer)};
}

}  // namespace wasirun::shim

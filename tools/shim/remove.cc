// `delete`: what a container left behind, as far as the shim did not see to it. Runs after every container, mostly with
// nothing to do, and may run again.
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>

#include "base/result.h"
#include "task.pb.h"
#include "tools/shim/cgroup.h"
#include "tools/shim/host_file.h"
#include "tools/shim/record.h"
#include "tools/shim/root_file_system.h"
#include "tools/shim/shim_socket.h"
#include "tools/shim/start.h"
#include "tools/shim/timestamp.h"

namespace wasirun::shim {

namespace {

constexpr int kPatience = 3000;  // milliseconds
constexpr int kKilled = 128 + SIGKILL;

void kill_process(pid_t pid, std::uint64_t start_time) {
  const wasi::os::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Another may have got its number since.
  if (!process || start_time == 0 || start_time_of(pid) != start_time) return;
  ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  pollfd waiting{.fd = process.get(), .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, kPatience);
}

void run_and_wait(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    // The standard output belongs to the answer.
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  if (pid < 0) return;
  const wasi::os::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd waiting{.fd = process.get(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, kPatience) != 1) ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

void clean_up(const std::string& bundle, const std::string& id, const Record& record) {
  kill_process(record.pid, record.start_time);
  if (!record.runc.root.empty()) run_and_wait(runc_command(record.runc, {"delete", "--force", id}));
  if (!record.cgroup.empty()) {
    const Cgroup cgroup = Cgroup::at(record.cgroup);
    static_cast<void>(cgroup.set_frozen(false));
    for (const pid_t pid : cgroup.processes()) ::kill(pid, SIGKILL);
    static_cast<void>(cgroup.remove());
  }
  unmount_snapshot(bundle + "/rootfs");
  remove_record(bundle);
}

}  // namespace

wasi::Result<std::string> remove(const Arguments& arguments) {
  std::string bundle = arguments.bundle;
  if (bundle.empty()) {
    std::error_code error;
    bundle = std::filesystem::current_path(error).string();
    if (error) return wasi::fail(wasi::ErrorKind::io, "the working directory: {}", error.message());
  }
  pid_t pid = 0;
  if (const auto record = read_record(bundle)) {
    pid = record->pid;
    clean_up(bundle, arguments.id, *record);
  }
  // A socket without a shim.
  const std::string address = read_file(bundle + "/address").value_or("");
  if (address.starts_with("unix://") && !is_alive(address.substr(7))) ::unlink(address.substr(7).c_str());

  task::DeleteResponse response;
  response.set_pid(static_cast<std::uint32_t>(pid));
  response.set_exit_status(kKilled);
  *response.mutable_exited_at() = to_timestamp(std::chrono::system_clock::now());
  return response.SerializeAsString();
}

}  // namespace wasirun::shim

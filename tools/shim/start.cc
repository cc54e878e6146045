#include "tools/shim/start.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/result.h"
#include "tools/shim/bundle.h"
#include "tools/shim/cgroup.h"
#include "tools/shim/daemon.h"
#include "tools/shim/host_file.h"
#include "tools/shim/shim_socket.h"

namespace wasirun::shim {

namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Options of the runtime, which come with every container, too: read, so that whoever writes them does not meet a
// closed pipe.
void drain_input() {
  constexpr int kPatience = 1000;  // milliseconds for each piece
  constexpr std::size_t kMost = std::size_t{4} << 20;
  char piece[4096];
  pollfd waiting{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  for (std::size_t total = 0; total < kMost && ::poll(&waiting, 1, kPatience) == 1;) {
    const auto count = ::read(STDIN_FILENO, piece, sizeof(piece));
    if (count <= 0) return;
    total += static_cast<std::size_t>(count);
  }
}

// The kernel lets a process move between control groups after a grace period of its own, ten milliseconds or more, but
// at once where another has moved just before. So one does, to where it is already, while containerd is still on its
// way to Create: the container's process finds the door open.
void hasten_moves() {
  const pid_t pid = ::fork();
  if (pid != 0) return;
  ::close_range(0, ~0U, 0);  // containerd waits for them to be closed
  if (const auto own = Cgroup::of_process(::getpid())) static_cast<void>(own->join_first());
  ::_exit(0);
}

// containerd waits until nobody holds its pipes any more, and leaks descriptors of its own.
void let_go_of_descriptors(int kept) {
  const int null = ::open("/dev/null", O_RDWR);
  for (int i = 0; i < 3; ++i) ::dup2(null, i);
  if (kept > 3) ::close_range(3, static_cast<unsigned>(kept) - 1, 0);
  ::close_range(static_cast<unsigned>(kept) + 1, ~0U, 0);
}

// When memory is short, containerd is worth more than a shim.
void raise_oom_score() {
  const int own = std::atoi(read_file("/proc/self/oom_score_adj").value_or("0").c_str());
  static_cast<void>(write_file("/proc/self/oom_score_adj", fmt::format("{}", std::min(own + 1, 1000))));
}

}  // namespace

wasi::Result<std::string> start(const Arguments& arguments) {
  hasten_moves();
  drain_input();
  std::error_code error;
  const std::string directory = std::filesystem::current_path(error).string();
  if (error) return wasi::fail(wasi::ErrorKind::io, "the working directory: {}", error.message());
  const Bundle bundle = WASI_TRY(read_bundle(directory));
  const std::string sandbox = bundle.annotation(kSandboxIdAnnotation);
  const std::string path =
      shim_socket_path(arguments.address, arguments.containerd_namespace, sandbox.empty() ? arguments.id : sandbox);
  wasi::os::UniqueFd listener = WASI_TRY(listen_at(path));
  const std::string address = "unix://" + path;
  WASI_TRY(replace_file(directory + "/address", address));
  if (!listener) return address;

  const pid_t pid = ::fork();
  if (pid < 0) return host_failure("fork");
  if (pid > 0) return address;
  let_go_of_descriptors(listener.get());
  raise_oom_score();
  ::chdir("/");
  DaemonConfig config;
  config.listener = std::move(listener);
  config.socket_path = path;
  config.containerd_address = arguments.address;
  config.containerd_namespace = arguments.containerd_namespace;
  config.event_address = environment("TTRPC_ADDRESS");
  config.log_fifo = directory + "/log";
  config.options = default_options();
  if (arguments.debug) config.options.log_level = Log::Level::debug;
  run_daemon(std::move(config));
}

}  // namespace wasirun::shim

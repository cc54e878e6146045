#include "tools/shim/fork.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

void reset_signals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

wasi::Result<pid_t> fork_child() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) {
    reset_signals();
    return pid;
  }
  const int error = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  if (pid < 0) return host_failure("fork");
  return pid;
}

}  // namespace wasirun::shim

#include "tools/shim/children.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/result.h"
#include "tools/shim/fork.h"

namespace wasirun::shim {

Children::Children(uv_loop_t* loop) : signal_(new uv_signal_t) {
  uv_signal_init(loop, signal_);
  signal_->data = this;
  uv_signal_start(signal_, [](uv_signal_t* handle, int) { static_cast<Children*>(handle->data)->reap(); }, SIGCHLD);
}

Children::~Children() {
  uv_close(reinterpret_cast<uv_handle_t*>(signal_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_signal_t*>(handle); });
}

void Children::watch(pid_t pid, Ended ended) {
  unclaimed_.erase(pid);
  watched_[pid] = std::move(ended);
}

void Children::adopt(pid_t pid, Ended ended) {
  const auto known = unclaimed_.find(pid);
  const bool has_ended = known != unclaimed_.end();
  const int status = has_ended ? known->second : 0;
  if (!has_ended) watched_[pid] = std::move(ended);
  none_came();
  if (has_ended) ended(status);
}

void Children::none_came() {
  if (--expected_ == 0) unclaimed_.clear();
}

void Children::reap() {
  int status = 0;
  while (true) {
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    if (const auto found = watched_.find(pid); found != watched_.end()) {
      const Ended ended = std::move(found->second);
      watched_.erase(found);
      ended(status);
    } else if (expected_ > 0) {
      unclaimed_[pid] = status;
    }
  }
}

wasi::Result<pid_t> Children::run(const std::vector<std::string>& command, const int (&stdio)[3], Ended ended) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = WASI_TRY(fork_child());
  if (pid == 0) {
    for (int i = 0; i < 3; ++i) {
      const int fd = stdio[i] >= 0 ? stdio[i] : ::open("/dev/null", O_RDWR | O_CLOEXEC);
      // Above all three, so that none is overwritten before it was used.
      ::dup2(::fcntl(fd, F_DUPFD_CLOEXEC, 3), i);
    }
    ::execvp(words[0], words.data());
    constexpr int kNotFound = 127;
    ::_exit(kNotFound);
  }
  watch(pid, std::move(ended));
  return pid;
}

}  // namespace wasirun::shim

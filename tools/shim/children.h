// The processes that the shim waits for: containers, programs that it runs, and those of containers' processes that
// lost their parent.
#pragma once

#include <sys/types.h>
#include <uv.h>
#include <wasi/error.h>

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace wasirun::shim {

class Children {
 public:
  // Told once, with the status of waitpid(2).
  using Ended = std::function<void(int status)>;

  explicit Children(uv_loop_t* loop);
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  // The loop has to run once more for the handle to be closed.
  ~Children();

  // A child that was forked just now.
  void watch(pid_t pid, Ended ended);

  // Of a process that becomes our child by another's end, and may have ended before its number is known: while one is
  // expected, ends of unknown ones are kept. Each expect() is followed by one adopt(), or none_came().
  void expect() { ++expected_; }
  void adopt(pid_t pid, Ended ended);
  void none_came();

  // Runs a program, found by PATH, in the background. `stdio`: three descriptors; -1: /dev/null.
  wasi::Result<pid_t> run(const std::vector<std::string>& command, const int (&stdio)[3], Ended ended);

 private:
  void reap();
  uv_signal_t* signal_;  // frees itself when it is closed
  std::unordered_map<pid_t, Ended> watched_;
  int expected_ = 0;
  std::unordered_map<pid_t, int> unclaimed_;  // while one is expected
};

}  // namespace wasirun::shim

// Tracing: a line of text for each call, as strace prints them for system calls.
//
// A line is written when its call has ended. One that has to wait is shown before that, too, with what is known of it
// and "<unfinished ...>": so a call in which a program hangs, or is ended from outside, is always to be seen.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "wasi/abi.h"
#include "wasi/context.h"

namespace wasi::preview1 {

// Appends "0", or "EBADF (Bad file descriptor)".
void describe_error(std::string& out, Errno error);

// The number of the calling thread in traces: what wasi-threads calls it, 0 for the first one.
void set_trace_thread(std::int32_t number);

// Where lines go. The threads of a program share it.
class Tracer {
 public:
  explicit Tracer(TraceConfig config) : config_(std::move(config)) {}

  // Whether calls of this function are wanted. Those that the sink makes, by calling the guest, are not.
  [[nodiscard]] bool shows(std::string_view function) const;
  [[nodiscard]] const TraceConfig& config() const { return config_; }
  // Adds the thread's number as soon as there are several.
  void write(std::string_view line);

 private:
  TraceConfig config_;
  std::mutex mutex_;                     // held while a line is written
  std::atomic<std::thread::id> writer_;  // who holds it
  std::atomic<bool> has_threads_ = false;
};

// The line of one call while it comes about.
class CallTrace {
 public:
  CallTrace(Tracer& tracer, std::string_view function);

  // What comes next in the line.
  std::string& text() { return text_; }
  // The call is about to wait: what is in the line so far is shown now. False when it has been already.
  bool waits();
  // From here on it counts how long the call takes.
  void starts() { start_ = std::chrono::steady_clock::now(); }
  void ended() { end_ = std::chrono::steady_clock::now(); }
  void write();

 private:
  Tracer& tracer_;
  std::string_view function_;
  std::string text_;
  bool is_unfinished_ = false;  // has been shown before its end
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point end_;
};

}  // namespace wasi::preview1

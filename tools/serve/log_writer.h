// Lines to a file or stream, by a thread of their own: who writes one never waits for whoever reads it. What finds no
// room in memory is dropped and counted.
#pragma once

#include <wasi/error.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "os/unique_fd.h"

namespace wasirun::serve {

// Thread-safe.
class LogWriter {
 public:
  // Appends to the file, which is made where it is not there.
  static wasi::Result<std::unique_ptr<LogWriter>> open(const std::string& path);
  // To a descriptor, of which it takes a duplicate.
  static wasi::Result<std::unique_ptr<LogWriter>> to(int descriptor);
  // Writes what is there still, if that can be done soon.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // A line, without its end.
  void line(std::string_view text);
  // Waits until what is there now has been written, or for a second.
  void flush();
  // Lines that found no room, or could not be written.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  explicit LogWriter(wasi::os::UniqueFd fd);
  void run();
  // False: it is to end, and time is up.
  bool write(std::string_view text);

  wasi::os::UniqueFd fd_;
  std::size_t most_at_once_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  std::string pending_;  // guarded by mutex_
  bool writes_ = false;  // guarded by mutex_: some of what was pending is being written
  bool ends_ = false;    // guarded by mutex_
  std::atomic<bool> hurries_ = false;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::thread thread_;
};

}  // namespace wasirun::serve

// The shim's own messages: lines in the form of containerd's log, into the fifo `log` of the first container's bundle,
// which containerd copies into its own. Never waits: what finds no room is lost.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "os/unique_fd.h"

namespace wasirun::shim {

class Log {
 public:
  enum class Level : std::uint8_t { debug, info, warning, error };

  // Messages go nowhere where there is no such fifo.
  void open(const std::string& fifo);
  // The least level of those that are wanted.
  void set_level(Level level) { level_ = level; }

  template <class... Args>
  void write(Level level, fmt::format_string<Args...> format, Args&&... args) {
    write_line(level, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void write_line(Level level, std::string_view text);
  wasi::os::UniqueFd fifo_;
  Level level_ = Level::info;
};

}  // namespace wasirun::shim

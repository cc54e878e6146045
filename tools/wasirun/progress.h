// A bar on stderr for what takes long: only on a terminal, and only after half a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace wasirun {

class Progress {
 public:
  // `what` is being done, like "compiling", and outlives the object.
  explicit Progress(std::string_view what);
  // Takes the bar away.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Not by two threads at once.
  void update(std::uint64_t done, std::uint64_t total);

 private:
  std::string_view what_;
  bool is_terminal_;
  std::chrono::steady_clock::time_point shown_from_;
  std::uint64_t percent_ = UINT64_MAX;  // as it is shown; the largest number: there is no bar
};

}  // namespace wasirun

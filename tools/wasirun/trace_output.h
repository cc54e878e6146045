// Where --trace prints: stderr or a file, line by line.
#pragma once

#include <wasi/error.h>

#include <string>
#include <string_view>

namespace wasirun {

// Each line is one write, so that nothing of it is missing when the program, or wasirun itself, is ended.
class TraceOutput {
 public:
  // Empty or "-": stderr. A file is emptied.
  static wasi::Result<TraceOutput> open(const std::string& path, bool has_timestamps);
  TraceOutput(TraceOutput&& other) noexcept;
  TraceOutput& operator=(TraceOutput&&) = delete;
  ~TraceOutput();

  // Without newline; not by two threads at once. After a failure nothing more is written.
  void write(std::string_view line);
  // Says what went wrong in between.
  wasi::Result<void> finish();

 private:
  TraceOutput(int descriptor, std::string path, bool has_timestamps)
      : descriptor_(descriptor), has_timestamps_(has_timestamps), path_(std::move(path)) {}
  [[nodiscard]] wasi::Error error() const;

  int descriptor_;
  bool has_timestamps_;
  int failure_ = 0;   // errno of the first failed write
  std::string path_;  // empty: stderr
};

}  // namespace wasirun

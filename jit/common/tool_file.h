// A file for a tool, at a name that others can guess, in a directory that others can write to.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "os/unique_fd.h"

namespace wasi::jit {

// Keeps the first failure to write, and writes nothing behind it. Not thread-safe.
class ToolFile {
 public:
  // A new file that its owner alone reads and writes. What has the name goes, if we may remove it (an older process had
  // our id); a link is not followed, and nothing of what it points to is touched.
  static Result<ToolFile> create(const std::string& path);

  // All of it, in one call where the host takes it so.
  void write(std::span<const std::uint8_t> bytes);
  // What went wrong before there was anything to write.
  void fail_with(Error error);
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int descriptor() const { return file_.get(); }

 private:
  ToolFile(os::UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  os::UniqueFd file_;
  std::string path_;
  std::optional<Error> failure_;
};

}  // namespace wasi::jit

// The map of a process's machine code that perf looks for in /tmp, and other profilers too: one line per function, from
// which they name samples.
//
// "begin size name", in hexadecimal. There is no line for code that goes; where an address is used again, later lines
// count. For profiles of a process that frees code, and of the code itself: jitdump.h. perf finds it by the id of the
// process, and looks into it only for mappings that have no file, not even a memfd: wants_one_view().
#pragma once

#include <wasi/error.h>

#include <memory>
#include <mutex>
#include <string>

#include "jit/common/code_listener.h"
#include "jit/common/tool_file.h"

namespace wasi::jit {

class PerfMap : public CodeListener {
 public:
  // The map of this process, in which all engines write; created when it is first asked for.
  static Result<std::shared_ptr<PerfMap>> of_process();
  static Result<std::shared_ptr<PerfMap>> create(const std::string& path);

  void code_added(const NamedCode& added) noexcept override;
  void code_removed(std::span<const std::uint8_t> code) noexcept override;
  [[nodiscard]] bool wants_one_view() const override { return true; }
  [[nodiscard]] std::optional<Error> failure() const override;

 private:
  explicit PerfMap(ToolFile file) : file_(std::move(file)) {}

  mutable std::mutex mutex_;
  ToolFile file_;
};

}  // namespace wasi::jit

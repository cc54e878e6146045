// jit-PID.dump: names, bytes and places in the module of machine code, with times, for `perf inject --jit`.
//
// The program maps the file's first page as executable, which `perf record` writes down: that is how `perf inject`
// finds the file. Record with `perf record -k mono`, since the times here are of CLOCK_MONOTONIC. A place in the module
// stands as line N of a file "wasm" for its byte N. Code that goes has no record: what is added later at its addresses
// counts from then on.
// Source: tools/perf/Documentation/jitdump-specification.txt in Linux.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "jit/common/code_listener.h"
#include "jit/common/tool_file.h"

namespace wasi::jit {

class Jitdump : public CodeListener {
 public:
  // The dump of this process, in which all engines write; created in the directory when it is first asked for.
  static Result<std::shared_ptr<Jitdump>> of_process(const std::string& directory);
  static Result<std::shared_ptr<Jitdump>> create(const std::string& path);
  ~Jitdump() override;
  Jitdump(const Jitdump&) = delete;
  Jitdump& operator=(const Jitdump&) = delete;

  void code_added(const NamedCode& added) noexcept override;
  void code_removed(std::span<const std::uint8_t> code) noexcept override;
  [[nodiscard]] bool wants_one_view() const override { return false; }
  [[nodiscard]] std::optional<Error> failure() const override;

 private:
  explicit Jitdump(ToolFile file) : file_(std::move(file)) {}
  Result<void> begin();

  mutable std::mutex mutex_;
  ToolFile file_;
  void* marker_ = nullptr;  // the executable page
  std::uint64_t next_index_ = 0;
};

}  // namespace wasi::jit

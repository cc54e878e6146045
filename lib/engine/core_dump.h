// Core dumps of guests: the stack, the memories and the globals of a program that trapped, in the format of the
// WebAssembly tool conventions, which are modules of custom sections beside a memory, a data and a global section. Not
// of the public API. Source: https://github.com/WebAssembly/tool-conventions/blob/main/Coredump.md
#pragma once

#include <wasi/store.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace wasi::runtime {
class FrameCapture;
}

namespace wasi::detail {

// While it exists, the frames of the store's last trap are kept, with those of the other threads of wasi-threads. One
// at a time for a store, which outlives it.
class CoreDumper {
 public:
  explicit CoreDumper(const Store& store);
  CoreDumper(CoreDumper&&) noexcept;
  CoreDumper& operator=(CoreDumper&&) = delete;
  ~CoreDumper();

  // Whether there has been a trap.
  [[nodiscard]] bool has_frames() const;
  // The frames of that trap, the thread that trapped first, with what globals of their instances held then and what
  // memories hold now. Waits up to a second for threads that have not ended yet, and are left out then. Values that the
  // format cannot say, or of which machine code does not say where they are (EngineConfig::core_dumps), are missing
  // ones. `program` names the whole. `limit` error where memory has run out.
  [[nodiscard]] Result<std::vector<std::uint8_t>> dump(std::string_view program) const;

 private:
  std::unique_ptr<runtime::FrameCapture> capture_;
};

}  // namespace wasi::detail

// What a module's data segments make of a memory that nobody has written to, as pages: made once, when a module is
// compiled, so that its instances map them, or copy a few large pieces, where segments may be a hundred thousand.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "wasm/types.h"

namespace wasi::wasm {

// Where not all of some bytes are looked at when they are loaded. Thread-safe.
class LateBytes {
 public:
  virtual ~LateBytes() = default;
  // An error where these bytes, or those of them that there are, are not what they were meant to be.
  [[nodiscard]] virtual Result<void> check(std::size_t begin, std::size_t end) const = 0;
};

// It stands for the first data segments of the module, active or empty: they are not among Module::data. Whoever makes
// one has seen that none of them can trap, and nothing before them.
struct MemoryImage {
  // In whole pages of kPage bytes; ascending, and within the memory's minimum.
  struct Run {
    std::uint64_t address = 0;
    std::span<const std::uint8_t> bytes;
    std::uint64_t file_offset = 0;
  };
  static constexpr std::uint64_t kPage = 4096;

  MemoryIndex memory;          // that the module defines, not shared, in pages of the usual size
  std::uint32_t segments = 0;  // that it stands for
  std::uint32_t data_end = 0;  // where in the module's bytes the segment behind them begins
  std::vector<Run> runs;
  // The file that the runs lie in, at their offsets, or -1. It stays as it is and open for as long as the image lives.
  int file = -1;
  std::shared_ptr<const LateBytes> late = nullptr;  // of the runs' bytes, all in a row; null: they were looked at
  std::shared_ptr<const void> owner = nullptr;      // of the bytes

  // Before they are used.
  [[nodiscard]] Result<void> check() const { return late == nullptr ? Result<void>() : late->check(0, SIZE_MAX); }
};

}  // namespace wasi::wasm

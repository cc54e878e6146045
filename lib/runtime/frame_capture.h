// What the frames of a trap held, for core dumps: taken where the trap begins, since they are gone when its caller has
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/frame.h"

namespace wasi::runtime {

struct ExecState;
class Instance;

struct CapturedFrame {
  Instance* instance = nullptr;
  std::uint32_t function = 0;           // FuncIndex in the module
  std::optional<std::uint64_t> offset;  // of the instruction in the module
  // Parameters and locals by canonical slots (frame.h). Empty where the frame is one of machine code, which has them in
  // registers.
  std::vector<Slot> locals = {};
};

// While it exists, the frames of the store's last trap are kept. One at a time for a store.
class FrameCapture {
 public:
  explicit FrameCapture(const ExecState& exec);
  ~FrameCapture();
  FrameCapture(const FrameCapture&) = delete;
  FrameCapture& operator=(const FrameCapture&) = delete;

  // Newest first; empty where nothing trapped, or memory ran out. As long as the store lives.
  [[nodiscard]] const std::vector<CapturedFrame>& frames() const { return frames_; }

  // Where a trap begins. Costs nothing where nothing is captured. Throws std::bad_alloc.
  static void take(const ExecState& exec);

 private:
  void capture();
  const ExecState& exec_;
  std::vector<CapturedFrame> frames_;
};

}  // namespace wasi::runtime

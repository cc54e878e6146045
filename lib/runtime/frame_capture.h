// What the frames of a trap held, for core dumps: taken where the trap begins, since they are gone when its caller has
// it. Of a program of several threads (program.h), the frames of all of them: each gives its own when it ends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/frame.h"
#include "runtime/memory_storage.h"
#include "wasm/types.h"

namespace wasi::runtime {

struct ExecState;
class Instance;
struct ModuleCode;
class Program;

struct CapturedGlobal {
  wasm::ValType type;
  Slot cell[2] = {};
};

// Also when the instance is gone, as a thread's may be by then.
struct CapturedInstance {
  std::shared_ptr<ModuleCode> code;
  std::vector<std::shared_ptr<MemoryStorage>> memories;  // which go on changing
  std::vector<std::shared_ptr<const CapturedGlobal>> globals;
};

struct CapturedFrame {
  std::shared_ptr<const CapturedInstance> instance;
  std::uint32_t function = 0;           // FuncIndex in the module
  std::optional<std::uint64_t> offset;  // of the instruction in the module
  // Parameters and locals by canonical slots (frame.h), empty where their values are not known. None at all where the
  // frame is one of optimised code, or of code that came without notes (native_locals.h).
  std::vector<std::optional<Slot>> locals = {};
};

struct CapturedThread {
  const ExecState* exec = nullptr;  // whose it is; may be gone
  bool is_main = false;
  std::vector<CapturedFrame> frames = {};  // newest first
};

// While it exists, the frames of the store's last trap are kept, and those of its program's other threads. One at a
// time for a store.
class FrameCapture {
 public:
  explicit FrameCapture(const ExecState& exec);
  ~FrameCapture();
  FrameCapture(const FrameCapture&) = delete;
  FrameCapture& operator=(const FrameCapture&) = delete;

  // Whether anything has trapped.
  [[nodiscard]] bool has_frames() const;
  // Those of the thread that trapped come first, then those that ended because of it, as far as they have. Waits for
  // them, for a second at most.
  [[nodiscard]] std::vector<CapturedThread> threads() const;

  enum class When : std::uint8_t {
    begins,  // the trap begins here
    passes,  // it began elsewhere: in a call that this one made, where the frames were taken, or in another thread
  };
  // Costs nothing where nothing is captured. Throws std::bad_alloc.
  static void take(const ExecState& exec, When when);
  // The store has joined its program.
  static void joined(const ExecState& exec);

 private:
  void capture(const ExecState& exec, When when);
  const ExecState& exec_;
  std::shared_ptr<Program> program_;     // of the store; null: it runs alone
  std::vector<CapturedThread> threads_;  // in the order in which they ended
};

}  // namespace wasi::runtime

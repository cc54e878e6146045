// Who is on the stack, newest first: the one reader of both worlds.
//
// Interpreted functions and host functions have records (frame.h), machine code has frames on the native stack, which
// are read between the ends of their spans (native_span.h). A native frame is found by its return address: the code map
// says whose code that is, NativeCode where the frame's rbp lies.
//
//     rbp + 8    return address
//     rbp        the caller's rbp
//     below      the frame's VmContext, and preserved registers of its caller's, where NativeCode says
//
// A native frame is several of the program's where calls were replaced by the callees' bodies (marks.h): the walk tells
// of all of them, as of so many frames. They have the instance in common.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "runtime/exec_state.h"
#include "runtime/frame.h"
#include "runtime/marks.h"
#include "runtime/native_span.h"

namespace wasi::runtime {

class Instance;
struct NativeLocals;  // native_locals.h

// A loop of a function, and where machine code goes on in it (tier.h: LoopTarget).
struct LoopHead {
  std::uint64_t wasm_offset = 0;  // of the `loop` instruction in the module
  const void* address = nullptr;
};

// Where a frame keeps the preserved registers of its caller's: of rbx, r12, r13, r14, r15, how many words below rbp; 0:
// it does not.
using SavedRegisters = std::array<std::uint8_t, 5>;

// What the code map's `owner` of a function's machine code is.
struct NativeCode {
  FunctionCode* function = nullptr;
  std::uint32_t frame_bytes = 0;  // from the stack pointer at calls up to rbp
  SavedRegisters saved = {};
  std::uint32_t context_at = 1;     // how many words below rbp the VmContext is
  bool catches = false;             // it looks at ExecState::thrown behind its calls
  bool is_optimised = false;        // the optimising compiler's: takes the place of other code, and keeps its own
  std::uint32_t frame_slots = 0;    // of the interpreter's frame, which loop_stub reads
  const void* loop_stub = nullptr;  // makes the frame from slots and goes on at a loop's head; null: there is no loop
  std::span<const LoopHead> loop_heads = {};  // in order
  const NativeCode* replaced = nullptr;       // what the function had before; calls of it may be in progress
  std::span<const InlinedCall> inlined_calls = {};
  const NativeLocals* locals = nullptr;  // null: nobody took notes
};

class StackWalk {
 public:
  // Begins at the newest frame. Valid until anything is called or returns.
  explicit StackWalk(const ExecState& exec);

  [[nodiscard]] bool at_end() const { return record_ == nullptr; }
  void next();

  [[nodiscard]] VmContext* instance() const;  // null for the record of a host function
  [[nodiscard]] FunctionCode* function() const;
  [[nodiscard]] bool is_native() const { return frame_ != 0; }
  // Of what is native.
  [[nodiscard]] const NativeCode& code() const { return *code_; }
  // Of what is native: its rbp, and the address behind the call at which it stands, or behind the first byte of the
  // instruction that faulted.
  [[nodiscard]] std::uintptr_t frame() const { return frame_; }
  [[nodiscard]] std::uintptr_t pc() const { return pc_; }
  // The record of what is not native.
  [[nodiscard]] const Frame& record() const { return *record_; }
  // The byte offset in the module of the instruction at which the frame stands; empty where it cannot be told.
  [[nodiscard]] std::optional<std::uint64_t> offset() const;

 private:
  void enter_record();
  void enter_code();
  [[nodiscard]] const InlinedCall* inlined_call() const;  // null: in the body of the frame's own function

  const ExecState& exec_;
  const Frame* record_;  // the present one: a span's while in its native frames
  // In native code: the return address and rbp, else 0.
  std::uintptr_t pc_ = 0;
  std::uintptr_t frame_ = 0;
  const NativeCode* code_ = nullptr;
  std::optional<std::uint64_t> mark_;
};

// The instance of the native frame that stands at ExecState::native_sp and whose rbp is this.
Instance* instance_of_frame(const ExecState& exec, std::uintptr_t frame);

// The instance whose function called the host function that runs, where the newest record is a span; null where the
// host itself called.
Instance* native_caller(const ExecState& exec);

}  // namespace wasi::runtime

// What the runtime asks of a tier. Tiers depend on the runtime, never the other way round; the
// composition root (lib/engine) hands them in.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/vmcontext.h"

namespace wasi::runtime {

struct ModuleCode;
class Preparation;

// A tier's data for one module: translations, owned here and freed with the module.
class TierModule {
 public:
  virtual ~TierModule() = default;
};

// How long and how much: for `--profile`.
struct TierStatistics {
  const char* name = "";
  std::uint64_t functions = 0;
  std::uint64_t uncompiled = 0;  // of these, interpreted since they could not be compiled
  std::uint64_t bytecode_bytes = 0;
  std::uint64_t code_bytes = 0;
  std::uint64_t nanoseconds = 0;
};

// A place to go on in machine code, in a call that the interpreter began.
struct LoopTarget {
  // Runs the rest of the call: takes the values of locals and operands from their canonical slots, and puts the results
  // into `slots` as a SlotEntry does. The interpreter's record is unlinked before. `target` is this.
  using Entry = void (*)(VmContext* instance, Slot* slots, FunctionCode* self, const LoopTarget* target);

  const void* stub = nullptr;  // NativeCode::loop_stub
  const void* head = nullptr;
  std::uint32_t frame_slots = 0;  // that the call uses, or its results
  Entry adapter = nullptr;
};

class Tier {
 public:
  virtual ~Tier() = default;
  [[nodiscard]] virtual const char* name() const = 0;
  virtual std::unique_ptr<TierModule> create_module(ModuleCode& module) = 0;

  // Translates the function's body, checking it when it has not been validated, and returns its entry. `own` is what
  // create_module gave for the module.
  // Thread-safe; when two threads prepare one function, both get a working entry. Polls `preparation` and takes its
  // memory from it; where that refuses, its error is the result, and nothing half-made is left.
  virtual Result<SlotEntry> prepare(ModuleCode& module, TierModule& own, FunctionCode& code,
                                    Preparation& preparation) = 0;

  // Of tiers with machine code: stores and returns the native entry of a function that has none yet, of one of the
  // tier's modules or of the host (`instance` is null then); the record may not be filled yet. A call of it is about to
  // be made in the store that `exec` belongs to. Traps where the function cannot be prepared.
  virtual NativeEntry bind_native(ExecState& /*exec*/, VmContext* /*instance*/, FunctionCode& /*code*/) {
    return nullptr;
  }

  // Where a call in progress of `code` can go on in machine code at the loop whose `loop` instruction is at this byte
  // of the module; empty where it cannot.
  [[nodiscard]] virtual std::optional<LoopTarget> loop_target(const FunctionCode& /*code*/,
                                                              std::uint64_t /*wasm_offset*/) const {
    return std::nullopt;
  }

  // Where a tail call of `code` from interpreted code goes on in machine code (native_unwind.h); null: nowhere.
  [[nodiscard]] virtual const void* tail_entry(const FunctionCode& /*code*/) const { return nullptr; }

  // Null: `code` has no machine code, or there is no room for the adapter.
  [[nodiscard]] virtual CallEntry call_entry(const FunctionCode& /*code*/) const { return nullptr; }

  // The byte offset in the module of the instruction at which a frame of this tier stands (for the
  // newest frame: the one that trapped; for others: the call). Empty where it cannot be told.
  [[nodiscard]] virtual std::optional<std::uint64_t> offset_of(const Frame& frame) const = 0;

  // Behind the last slot that a call in progress of this tier can use.
  [[nodiscard]] virtual const Slot* frame_end(const Frame& frame) const = 0;

  // A memory fault at `pc` with these general registers (by their number in instruction encodings, so on
  // x86-64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15), in code of this tier: the place in the tier's
  // own terms for Frame::resume of exec.top, or null. Called from a signal handler: async-signal-safe.
  [[nodiscard]] virtual bool owns_pc(std::uintptr_t pc) const = 0;
  [[nodiscard]] virtual const void* resume_of_fault(const ExecState& exec, std::uintptr_t pc,
                                                    const std::uint64_t* registers,
                                                    std::size_t register_count) const = 0;

  // Of each tier that it is made of, the lowest first.
  [[nodiscard]] virtual std::vector<TierStatistics> statistics() const = 0;
};

}  // namespace wasi::runtime

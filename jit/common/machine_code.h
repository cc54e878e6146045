// What a compiler of machine code gives for one function, before it has a place in memory.
//
// Offsets are in bytes from the begin of `bytes`, which are position-independent; offsets in the module are in bytes
// from its begin.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/native_locals.h"
#include "runtime/offset_table.h"
#include "runtime/stack_walk.h"
#include "wasm/types.h"

namespace wasi::jit {

using runtime::SavedRegisters;

// As runtime::InlinedCall says it, of functions of the module. `caller` is no mark of a later one.
struct InlinedCall {
  std::uint64_t caller = runtime::InlinedCall::kNoCaller;
  std::uint32_t function = 0;  // FuncIndex
  friend bool operator==(const InlinedCall&, const InlinedCall&) = default;
};

struct LoopHead {
  std::uint64_t wasm_offset = 0;  // of the `loop` instruction
  std::uint32_t code_offset = 0;
};

// Where debuggers find a Wasm local while code of [begin, end) runs.
struct LocalPlace {
  enum class Kind : std::uint8_t {
    reg,     // in `number`, a register as DWARF numbers them
    memory,  // at the address that `expression`, of DWARF's operations, leaves
    value    // it is what `expression` leaves
  };
  std::uint32_t local = 0;  // LocalIndex
  wasm::ValType type = {};
  std::uint32_t begin = 0;  // from the function's begin on
  std::uint32_t end = 0;
  Kind kind = Kind::reg;
  std::uint8_t number = 0;
  std::vector<std::uint8_t> expression = {};
};

// A part of the code in which the stack pointer at calls is elsewhere: a cold path that runs before the frame is whole.
struct FrameRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // behind its last byte
  std::uint32_t frame_bytes = 0;
};

struct MachineCode {
  std::vector<std::uint8_t> bytes;
  std::uint32_t entry = 0;  // under the native convention
  // In the order of their code offsets. From a mark up to the next, machine instructions belong to the Wasm instruction
  // at that offset of the module; of a call counts its last byte, so a mark at its return address is one too late. A
  // trap site is an instruction that may fault, with its TrapCode; it needs a mark as well.
  std::vector<runtime::OffsetEntry> marks;
  std::vector<runtime::OffsetEntry> traps;
  bool faults_anywhere = false;  // any other instruction may fault, too: that is TrapCode::memory_out_of_bounds then

  // The frame, as runtime::NativeCode says it: at all calls but those in `other_frames`, which stand in order and do
  // not overlap.
  std::uint32_t frame_bytes = 0;
  SavedRegisters saved = {};
  std::uint32_t context_at = 1;
  bool catches = false;
  std::vector<FrameRange> other_frames;

  // On-stack replacement: where a frame is made from slots, and the loops that can be entered so, in the order of
  // `wasm_offset`. Both or neither.
  std::uint32_t frame_slots = 0;  // of the interpreter's frame: parameters, locals, operands
  std::optional<std::uint32_t> loop_stub;
  std::vector<LoopHead> loop_heads;

  std::string log;  // a listing, where one was asked for
  // The same of where locals are in frames.
  std::shared_ptr<runtime::NativeLocals> local_notes;
  std::vector<LocalPlace> locals;  // where they were asked for
};

}  // namespace wasi::jit

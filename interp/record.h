// The interpreter's record of a call: the runtime's Frame and where the callee returns to.
//
// Records lie at the end of the store's Wasm stack and grow downward, slots grow upward; a call traps
// when they would meet, so the one comparison at a call bounds both. A record's place follows from the
// newest one: they are contiguous, since whoever else makes frames between two of them (host functions,
// later machine code) keeps its records elsewhere.
#pragma once

#include <cstdint>

#include "runtime/exec_state.h"
#include "runtime/frame.h"

namespace wasi::interp {

struct Record : runtime::Frame {
  // The next instruction to run when this call is done, in the caller's code or one of the shims that
  // shims.h explains. The two bytes before it tell how far the caller's first slot lies below the callee's.
  const std::uint8_t* return_ip = nullptr;
};

// The newest record that lies on the store's Wasm stack, or where the first one ends.
inline Record* newest_record(const runtime::ExecState& exec) {
  for (runtime::Frame* frame = exec.top; frame != nullptr; frame = frame->caller) {
    const auto address = reinterpret_cast<std::uintptr_t>(frame);
    if (address >= reinterpret_cast<std::uintptr_t>(exec.stack_begin) &&
        address < reinterpret_cast<std::uintptr_t>(exec.stack_end)) {
      return static_cast<Record*>(frame);
    }
  }
  return reinterpret_cast<Record*>(exec.stack_end);
}

}  // namespace wasi::interp

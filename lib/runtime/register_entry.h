// The shortest way from the host into machine code: arguments and results in the registers of the native convention
// (jit/common/native_abi.h), which is the platform's C convention.
//
// Nearly all calls from a host are of functions that have a native entry, in a store where nothing runs, on the thread
// and the stack of the call before. Then all that other entries find out one after the other is known to be as it was,
// and is one comparison: of ThreadState::stack_number, which no two stacks ever share, with ExecState::ready_stack.
#pragma once

#include <wasi/detail/call_gate.h>

#include <cstddef>

#include "runtime/exec_state.h"
#include "runtime/host_entry.h"
#include "runtime/native_span.h"

namespace wasi::runtime {

// A store's outermost call, of which there is one at a time.
struct OutermostEntry {
  // What of a call with registers is a record: nothing but `entry_frame` changes.
  NativeSpan span = {};
  HostEntry entry = {};
};

// The gate of functions that have none in their store: it refuses all calls.
extern detail::CallGate refusing_gate;
// The store's gate, or that one where there is no such way.
detail::CallGate& gate_of(OutermostEntry& outermost);

// Where the stack pointer of a span's entry is when it calls.
inline std::uintptr_t lowest_of_entry(const ExecState& exec, const NativeSpan& span) {
  if (&span != static_cast<const void*>(exec.outermost)) return reinterpret_cast<std::uintptr_t>(&span);
  // Six registers below the frame's rbp.
  return reinterpret_cast<std::uintptr_t>(span.entry_frame) - 6 * sizeof(std::uintptr_t);
}

}  // namespace wasi::runtime

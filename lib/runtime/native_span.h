// Runs of machine code's frames on the native stack, as the list of records sees them.
//
// Machine code makes no records: its frames are found by the native stack alone. From where slots were left for machine
// code to the next place where slots are used again they are one *span*, and a span has a record among the others, in
// the frame of the adapter that entered it. So the list from ExecState::top says in which order calls were made, in
// whichever world, and stack_walk.h finds the frames within each span:
//  - the newest one's begin at ExecState::native_sp, which machine code stores before it calls anything but machine
//  code;
//  - an older one's at its `stack_pointer`, kept when the next span began.
#pragma once

#include <cstdint>

#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/vmcontext.h"

namespace wasi::runtime {

struct NativeSpan;

struct SpanLinks {
  NativeSpan* previous = nullptr;     // the next older one
  std::uintptr_t stack_pointer = 0;   // of an older span
  const void* entry_frame = nullptr;  // the adapter's: the oldest native frame is the one that it called
  Slot* outer_free_slot = nullptr;    // ExecState::free_slot before
};

// Adapters write it (jit/common/adapters.h), the links behind the frame.
struct NativeSpan : Frame, SpanLinks {};
static_assert(sizeof(NativeSpan) == sizeof(Frame) + sizeof(SpanLinks));

// Whether the record stands for a span. Its `function` and `instance` are null then, and `slots` is
// ExecState::free_slot while it is the newest record: where values go that have no register.
inline bool is_span(const Frame& frame) { return frame.function == nullptr; }

// Whether there is room for a span whose arguments lie at `slots`, of which `count` are those of the signature: behind
// them is what the native convention passes through memory, and room for callees that use slots. Traps where there is
// none. What adapters call that cannot tell at a glance.
void check_span(VmContext* instance, Slot* slots, std::uint32_t count, const void* entry_frame);

}  // namespace wasi::runtime

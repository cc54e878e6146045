#include "runtime/native_span.h"

#include "runtime/free_slots.h"
#include "runtime/trap_raise.h"
#include "runtime/tuning.h"

namespace wasi::runtime {

void enter_span(NativeSpan& span, VmContext* instance, Slot* slots, std::uint32_t count, const void* entry_frame) {
  ExecState& exec = *instance->exec;
  if (reinterpret_cast<std::uintptr_t>(entry_frame) < exec.native_limit ||
      free_slots(exec, slots) < std::size_t{count} + kSpanSlots) [[unlikely]] {
    raise_trap(exec, TrapCode::stack_overflow);
  }
  static_cast<Frame&>(span) = {.caller = exec.top, .slots = slots + count};
  span.previous = exec.native_span;
  span.entry_frame = entry_frame;
  if (exec.native_span != nullptr) exec.native_span->stack_pointer = exec.native_sp;
  exec.native_span = &span;
  exec.top = &span;
  span.outer_free_slot = exec.free_slot;
  exec.free_slot = slots + count;
}

void leave_span(NativeSpan& span, VmContext* instance) {
  ExecState& exec = *instance->exec;
  exec.native_span = span.previous;
  if (span.previous != nullptr) exec.native_sp = span.previous->stack_pointer;
  exec.free_slot = span.outer_free_slot;
  exec.top = span.caller;
}

}  // namespace wasi::runtime

#include "runtime/native_span.h"

#include "runtime/free_slots.h"
#include "runtime/trap_raise.h"
#include "runtime/tuning.h"

namespace wasi::runtime {

void check_span(VmContext* instance, Slot* slots, std::uint32_t count, const void* entry_frame) {
  ExecState& exec = *instance->exec;
  if (reinterpret_cast<std::uintptr_t>(entry_frame) < exec.native_limit ||
      free_slots(exec, slots) < std::size_t{count} + kSpanSlots) [[unlikely]] {
    raise_trap(exec, TrapCode::stack_overflow);
  }
}

}  // namespace wasi::runtime

// Entries from the host into guest code, and the way back out of it.
//
// enter_guest saves the callee-saved registers and the stack pointer and calls a slot entry; leave_guest
// puts them back, as longjmp would, from anywhere below. Destructors in between are not run.
#pragma once

#include <wasi/detail/call_gate.h>

#include <cstdint>

#include "base/thread_sanitizer.h"
#include "runtime/code_entry.h"
#include "runtime/exec_state.h"

#if !defined(__x86_64__) || WASI_THREAD_SANITIZER
#define WASI_ENTRY_WITH_SETJMP 1
#endif

#if defined(WASI_ENTRY_WITH_SETJMP)
#include <setjmp.h>
#endif

namespace wasi::runtime {

// What the host entry restores when a trap ends it. Lives in the frame of Store's that calls, or in the store.
struct HostEntry {
#if defined(WASI_ENTRY_WITH_SETJMP)
  // The thread sanitizer follows setjmp and longjmp, and other architectures have no code of their own yet.
  jmp_buf registers;
#else
  void* frame;  // first: assembly and adapters write it, the rbp below which the registers are
#endif
  detail::CallGate gate;  // of the store's outermost one: register_entry.h
  HostEntry* previous;
  Frame* top;
  Slot* free_slot;
  std::uintptr_t native_limit;
  ExecState* running;  // what ran on this native stack
  NativeSpan* native_span;
  std::uintptr_t native_sp;
};

#if defined(WASI_ENTRY_WITH_SETJMP)
bool enter_guest(HostEntry& host_entry, SlotEntry entry, VmContext* instance, Slot* slots, FunctionCode* code);
#else
extern "C" [[gnu::visibility("hidden")]] bool wasirun_enter_guest(void** frame, SlotEntry entry, VmContext* instance,
                                                                  Slot* slots, FunctionCode* code);

// True when the guest was left with leave_guest.
inline bool enter_guest(HostEntry& host_entry, SlotEntry entry, VmContext* instance, Slot* slots, FunctionCode* code) {
  return wasirun_enter_guest(&host_entry.frame, entry, instance, slots, code);
}
#endif
[[noreturn]] void leave_guest(HostEntry& host_entry);

}  // namespace wasi::runtime

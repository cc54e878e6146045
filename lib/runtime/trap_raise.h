// Raising traps: from interpreter handlers, host functions and (through the signal handler) guard pages.
//
// A trap unwinds to the innermost entry from the host without running destructors, so code between an
// entry and a raise holds no C++ object that needs one. Host functions return theirs as values and are
// unwound only after their own frames are gone.
#pragma once

#include <wasi/trap.h>

#include <new>
#include <string>
#include <utility>

#include "runtime/code_entry.h"
#include "runtime/exec_state.h"
#include "runtime/vmcontext.h"

namespace wasi::runtime {

// Records the trap with a backtrace from exec.top on and unwinds. `frame.resume` of the newest frame
// must say where it stands.
[[noreturn, gnu::cold]] void raise_trap(ExecState& exec, TrapCode code);
[[noreturn, gnu::cold]] void raise_trap(ExecState& exec, Trap trap);

// Raises what is in exec.pending.
[[noreturn, gnu::cold]] void raise_pending(ExecState& exec);

// A trap with the backtrace as it stands, for host code that reports one without unwinding.
Trap make_trap(const ExecState& exec, TrapCode code);

// Puts what `details` says behind the code's message; nothing where there is no memory to say it.
template <class Details>
void add_message(Trap& trap, Details&& details) {
  try {
    trap.message = std::string(message_of(trap.code)) + std::forward<Details>(details)();
  } catch (const std::bad_alloc&) {
    trap.message.clear();
  }
}

// Called by a poll that saw exec.interrupt set: true where `interrupted`, `deadline_exceeded` or what ended the program
// is due, which is in exec.pending then. Otherwise clears a stale flag, and sets it again where only polls keep the
// deadline.
[[nodiscard]] bool must_stop(ExecState& exec);
// The same for guest code: raises what is due.
void handle_interrupt(ExecState& exec);

inline void poll(ExecState& exec) {
  if (exec.interrupt.load(std::memory_order_relaxed) != 0) [[unlikely]]
    handle_interrupt(exec);
}

// Makes a function of `instance` ready for its first call: fills its record, validates its body if that
// has not been done, and asks the tier for an entry, which is also stored in code.entry. Traps
// (invalid_function, with the error's text) when the body does not validate, and as a loop would where the store has
// to stop meanwhile.
SlotEntry prepare_function(VmContext* instance, FunctionCode& code);

// The entry of `code`, prepared when needed.
inline SlotEntry entry_of(VmContext* instance, FunctionCode& code) {
  SlotEntry entry = code.entry.load(std::memory_order_acquire);
  return entry != nullptr ? entry : prepare_function(instance, code);
}

// The slot entry of a function that is not prepared yet: prepares it, which can trap, and goes on in its own.
void prepare_and_run(VmContext* instance, Slot* slots, FunctionCode* self);

}  // namespace wasi::runtime

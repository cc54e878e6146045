// Memory faults (SIGSEGV, SIGBUS): who wants one may turn it into a jump; all others go to the handlers
// that were there before.
//
// Linux on x86-64 and AArch64.
#pragma once

#include <signal.h>
#include <wasi/error.h>

#include <cstddef>
#include <cstdint>

namespace wasi::os {

inline constexpr std::size_t kGeneralRegisters =
#if defined(__aarch64__)
    31;
#else
    16;
#endif

// A fault of the current thread.
struct Fault {
  std::uintptr_t address = 0;  // that was accessed; 0 where the hardware does not tell (non-canonical)
  std::uintptr_t pc = 0;
  std::uint64_t registers[kGeneralRegisters] = {};  // by their number in instruction encodings
};

// Where the thread continues instead: landing(argument) on the faulting stack, as if called from
// nowhere. It must not return.
struct FaultLanding {
  void (*landing)(void* argument) = nullptr;
  void* argument = nullptr;
};

// Asked in the signal handler, so async-signal-safe: returns true and fills `landing` to take a fault.
using FaultFilter = bool (*)(const Fault& fault, FaultLanding& landing);

// Makes `filter` the one that is asked (later calls have the same, there is one) and installs the process's handler,
// once. It stays for the process's life: others may have chained themselves to it.
Result<void> install_fault_handler(FaultFilter filter);

// From now on no handler is installed: handlers of others call take_fault(). `argument` where ours is there already.
Result<void> never_install_fault_handler();

// The filter's part of the handler, for handlers of others: true when the fault was taken, and `context` (a ucontext_t)
// goes on at the landing. Async-signal-safe.
bool take_fault(int signal, const siginfo_t& info, void* context);

// Undoes what a process may have inherited: faults that are blocked on this thread, or ignored.
void restore_fault_signals();

// Makes the current thread one whose faults reach the handler: unblocks their signals, which a thread or process may
// have inherited blocked, and gives it an alternate signal stack where it has none, until the thread ends.
void prepare_thread_for_faults();

}  // namespace wasi::os

// The signal handler: reads the context, asks the filter, rewrites the context or passes the signal on.

#include "os/fault_handler.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>

#include "base/result.h"
#include "os/virtual_memory.h"

namespace wasi::os {

namespace {

constexpr std::size_t kSignalStackBytes = 64U << 10;  // other handlers run on it too

constexpr int kSignals[] = {SIGSEGV, SIGBUS};
struct sigaction previous_actions[std::size(kSignals)];
FaultFilter installed_filter = nullptr;

void read_context(const ucontext_t& context, Fault& fault) {
#if defined(__x86_64__)
  constexpr int kByEncoding[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                 REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  const auto& registers = context.uc_mcontext.gregs;
  fault.pc = static_cast<std::uintptr_t>(registers[REG_RIP]);
  for (std::size_t i = 0; i < kGeneralRegisters; ++i) {
    fault.registers[i] = static_cast<std::uint64_t>(registers[kByEncoding[i]]);
  }
#elif defined(__aarch64__)
  fault.pc = context.uc_mcontext.pc;
  for (std::size_t i = 0; i < kGeneralRegisters; ++i) fault.registers[i] = context.uc_mcontext.regs[i];
#else
#error "no fault handler for this architecture"
#endif
}

void redirect(ucontext_t& context, const FaultLanding& landing) {
#if defined(__x86_64__)
  auto& registers = context.uc_mcontext.gregs;
  // Below the red zone, aligned as a function finds it behind a call.
  auto stack = (static_cast<std::uintptr_t>(registers[REG_RSP]) - 128) & ~std::uintptr_t{15};
  stack -= 8;
  registers[REG_RSP] = static_cast<greg_t>(stack);
  registers[REG_RIP] = static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(landing.landing));
  registers[REG_RDI] = static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(landing.argument));
  registers[REG_EFL] &= ~greg_t{0x400};  // the direction flag is clear at function entries
#elif defined(__aarch64__)
  context.uc_mcontext.sp &= ~std::uint64_t{15};
  context.uc_mcontext.pc = reinterpret_cast<std::uintptr_t>(landing.landing);
  context.uc_mcontext.regs[0] = reinterpret_cast<std::uintptr_t>(landing.argument);
#endif
}

// Hands the signal to whoever had it before us.
void chain(int signal, siginfo_t* info, void* context) {
  const struct sigaction& previous = previous_actions[signal == SIGSEGV ? 0 : 1];
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
    return;
  }
  const bool sent_by_somebody = info->si_code <= 0;
  if (previous.sa_handler == SIG_IGN && sent_by_somebody) return;
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
    return;
  }
  // The default action: the instruction faults again when this handler returns. A signal that was sent
  // does not come back by itself. (The kernel does not let a fault be ignored either.)
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  if (sent_by_somebody) ::raise(signal);
}

void handle_fault(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  // Positive codes are faults of this thread; others were sent, and their address means nothing.
  if (info->si_code > 0) {
    auto* user_context = static_cast<ucontext_t*>(context);
    Fault fault;
    fault.address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    read_context(*user_context, fault);
    FaultLanding landing;
    if (installed_filter(fault, landing)) {
      redirect(*user_context, landing);
      errno = saved_errno;
      return;
    }
  }
  errno = saved_errno;
  chain(signal, info, context);
}

// The alternate stack that we gave a thread, taken back when the thread ends.
class SignalStack {
 public:
  SignalStack() {
    stack_t current = {};
    if (::sigaltstack(nullptr, &current) == 0 && (current.ss_flags & SS_DISABLE) == 0) return;
    auto memory = Reservation::reserve_committed(kSignalStackBytes + page_size());
    // Without one, a fault on an exhausted stack kills the process, as it would without us.
    if (!memory || !memory->protect(0, page_size())) return;
    memory_ = std::move(*memory);
    stack_t stack = {};
    stack.ss_sp = memory_.base() + page_size();
    stack.ss_size = kSignalStackBytes;
    ::sigaltstack(&stack, nullptr);
  }
  ~SignalStack() {
    if (memory_.base() == nullptr) return;
    stack_t current = {};
    if (::sigaltstack(nullptr, &current) == 0 && current.ss_sp == memory_.base() + page_size()) {
      stack_t disable = {};
      disable.ss_flags = SS_DISABLE;
      ::sigaltstack(&disable, nullptr);
    }
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  Reservation memory_;
};

}  // namespace

Result<void> install_fault_handler(FaultFilter filter) {
  static std::mutex mutex;
  static bool installed = false;
  const std::lock_guard lock(mutex);
  if (installed) return {};
  installed_filter = filter;
  struct sigaction action = {};
  action.sa_sigaction = handle_fault;
  // A filter that faults itself must not be asked again, so the signals are blocked while it runs.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    // Read first, so that the handler never sees an empty record.
    if (::sigaction(kSignals[i], nullptr, &previous_actions[i]) != 0 ||
        ::sigaction(kSignals[i], &action, nullptr) != 0) {
      return fail(ErrorKind::io, "cannot install a handler for memory faults: {}",
                  std::generic_category().message(errno));
    }
  }
  installed = true;
  return {};
}

void prepare_thread_for_faults() {
  thread_local const SignalStack stack;
  // A fault whose signal is blocked ends the process whatever handler there is, and masks are inherited.
  sigset_t faults;
  sigemptyset(&faults);
  for (const int signal : kSignals) sigaddset(&faults, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &faults, nullptr);
}

}  // namespace wasi::os

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
std::atomic<bool> previous_is_spent[std::size(kSignals)];  // SA_RESETHAND: it was called once
std::atomic<FaultFilter> installed_filter = nullptr;
std::mutex installation;
bool is_installed = false;  // guarded by installation
bool is_refused = false;    // guarded by installation

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

// Whether the signal was sent, rather than raised by the instruction that would raise it again. The address of such a
// one means nothing.
bool is_sent(int signal, const siginfo_t& info) {
  // A broken page that nobody has touched yet is told of, too.
  return info.si_code <= 0 || (signal == SIGBUS && info.si_code == BUS_MCEERR_AO);
}

// Hands the signal to whoever had it before us, as the kernel would have.
void chain(int signal, siginfo_t* info, void* context) {
  const std::size_t index = signal == SIGSEGV ? 0 : 1;
  const struct sigaction& previous = previous_actions[index];
  const bool sent = is_sent(signal, *info);
  // These two are what they are with SA_SIGINFO, too.
  const bool is_ignored = previous.sa_handler == SIG_IGN;
  if (is_ignored && sent) return;
  if (is_ignored || previous.sa_handler == SIG_DFL ||
      ((previous.sa_flags & SA_RESETHAND) != 0 && previous_is_spent[index].exchange(true))) {
    // The default action: the instruction faults again when this handler returns. A signal that was sent
    // does not come back by itself. (The kernel does not let a fault be ignored either.)
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
    if (sent) ::raise(signal);
    return;
  }
  // The mask of the code that was interrupted comes back by itself when our handler returns.
  ::pthread_sigmask(SIG_BLOCK, &previous.sa_mask, nullptr);
  if ((previous.sa_flags & SA_NODEFER) != 0 && sigismember(&previous.sa_mask, signal) == 0) {
    sigset_t itself;
    sigemptyset(&itself);
    sigaddset(&itself, signal);
    ::pthread_sigmask(SIG_UNBLOCK, &itself, nullptr);
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else {
    previous.sa_handler(signal);
  }
}

void handle_signal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool taken = take_fault(signal, *info, context);
  errno = saved_errno;
  if (!taken) chain(signal, info, context);
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

bool take_fault(int signal, const siginfo_t& info, void* context) {
  if ((signal != SIGSEGV && signal != SIGBUS) || is_sent(signal, info)) return false;
  const FaultFilter filter = installed_filter.load(std::memory_order_acquire);
  if (filter == nullptr) return false;
  auto& user_context = *static_cast<ucontext_t*>(context);
  Fault fault;
  fault.address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  read_context(user_context, fault);
  FaultLanding landing;
  if (!filter(fault, landing)) return false;
  redirect(user_context, landing);
  return true;
}

Result<void> install_fault_handler(FaultFilter filter) {
  const std::lock_guard lock(installation);
  installed_filter.store(filter, std::memory_order_release);
  if (is_installed || is_refused) return {};
  struct sigaction action = {};
  action.sa_sigaction = handle_signal;
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
  is_installed = true;
  return {};
}

Result<void> never_install_fault_handler() {
  const std::lock_guard lock(installation);
  if (is_installed) {
    return fail(ErrorKind::argument,
                "the handlers for memory faults are installed already: expected this before the first memory is made");
  }
  is_refused = true;
  return {};
}

namespace {

// A fault whose signal is blocked ends the process whatever handler there is, and masks are inherited.
void unblock_faults() {
  sigset_t faults;
  sigemptyset(&faults);
  for (const int signal : kSignals) sigaddset(&faults, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &faults, nullptr);
}

}  // namespace

void restore_fault_signals() {
  for (const int signal : kSignals) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_IGN) continue;
    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
  }
  unblock_faults();
}

void prepare_thread_for_faults() {
  thread_local const SignalStack stack;
  unblock_faults();
}

}  // namespace wasi::os

// Memory faults beside handlers of the embedder's. Signal handlers belong to the process, so every case runs in a child
// of a process that has never made a guest.
#include <wasi/wasi.h>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <string_view>
#include <thread>

namespace wasi {
namespace {

constexpr std::string_view kText = R"(
  (module
    (import "host" "crash" (func $crash))
    (memory 1)
    (func (export "oob") (result i32) (i32.load (i32.const -4)))
    (func (export "crash") (call $crash))))";

// How a child that calls `body` ends: what it returns, or the negated number of the signal that killed it.
int child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid < 0) FAIL("cannot fork");
  if (pid == 0) {
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    // An exception must not get into the test framework, which is here a second time.
    [&]() noexcept { ::_exit(body()); }();
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) FAIL("the child is lost");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void* forbidden_page() {
  static void* const page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page;
}

// A fault of the host's own.
void fault() { *static_cast<volatile int*>(forbidden_page()) = 1; }

struct Guest {
  Engine engine;
  Linker linker{engine};
  Store store{engine};
  std::optional<Instance> instance;

  Guest() {
    const Module module =
        Module::from_bytes(engine, {reinterpret_cast<const std::uint8_t*>(kText.data()), kText.size()}).value();
    linker.define("host", "crash", [] { fault(); });
    instance = linker.instantiate(store, module).value();
  }
  bool traps() {
    const auto result = instance->function<std::int32_t()>("oob").value()();
    return !result && result.error().code == TrapCode::memory_out_of_bounds;
  }
  void crash() { (void)instance->function<void()>("crash").value()(); }
};

constexpr int kNoTrap = 90;    // an access out of bounds was no trap
constexpr int kSurvived = 91;  // where the process should have ended

// A handler tells what it saw by its exit code.
constexpr int kCalled = 1;
constexpr int kUserBlocked = 2;  // SIGUSR1, which is in its mask
constexpr int kItselfBlocked = 4;
constexpr int kAddress = 8;

[[noreturn]] void tell(int signal, bool has_address) {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  ::_exit(kCalled | (sigismember(&mask, SIGUSR1) == 1 ? kUserBlocked : 0) |
          (sigismember(&mask, signal) == 1 ? kItselfBlocked : 0) | (has_address ? kAddress : 0));
}

void plain_handler(int signal) { tell(signal, false); }
void info_handler(int signal, siginfo_t* info, void*) { tell(signal, info->si_addr == forbidden_page()); }

constexpr int kForwarded = 42;
void forwarding_handler(int signal, siginfo_t* info, void* context) {
  if (!handle_fault(signal, info, context)) ::_exit(kForwarded);
}

using InfoHandler = void (*)(int, siginfo_t*, void*);

void install(int flags, void (*plain)(int), InfoHandler info = nullptr) {
  struct sigaction action = {};
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR1);
  if (info != nullptr) {
    action.sa_flags |= SA_SIGINFO;
    action.sa_sigaction = info;
  } else {
    action.sa_handler = plain;
  }
  for (const int signal : {SIGSEGV, SIGBUS}) ::sigaction(signal, &action, nullptr);
}

TEST_CASE("a handler that was there before gets the host's faults as from the kernel", "[signals]") {
  const auto after_a_trap = [](int flags, void (*plain)(int), InfoHandler info) {
    return child([=] {
      install(flags, plain, info);
      Guest guest;
      if (!guest.traps()) return kNoTrap;
      fault();
      return kSurvived;
    });
  };
  CHECK(after_a_trap(0, plain_handler, nullptr) == (kCalled | kUserBlocked | kItselfBlocked));
  CHECK(after_a_trap(SA_ONSTACK, nullptr, info_handler) == (kCalled | kUserBlocked | kItselfBlocked | kAddress));
  CHECK(after_a_trap(SA_NODEFER, plain_handler, nullptr) == (kCalled | kUserBlocked));
  CHECK(after_a_trap(SA_NODEFER, nullptr, info_handler) == (kCalled | kUserBlocked | kAddress));
}

TEST_CASE("a fault in a host function is the host's", "[signals]") {
  CHECK(child([] {
          install(SA_ONSTACK, nullptr, info_handler);
          Guest guest;
          guest.crash();
          return kSurvived;
        }) == (kCalled | kUserBlocked | kItselfBlocked | kAddress));
}

TEST_CASE("where nobody had the signal, the host's faults end the process", "[signals]") {
  for (const int flags : {0, SA_SIGINFO}) {
    CHECK(child([=] {
            install(flags, SIG_DFL);
            Guest guest;
            if (!guest.traps()) return kNoTrap;
            fault();
            return kSurvived;
          }) == -SIGSEGV);
    CHECK(child([=] {
            install(flags, SIG_DFL);
            Guest guest;
            if (!guest.traps()) return kNoTrap;
            ::raise(SIGBUS);
            return kSurvived;
          }) == -SIGBUS);
  }
}

TEST_CASE("where the signal was ignored, one that is sent is, and faults are not", "[signals]") {
  CHECK(child([] {
          install(0, SIG_IGN);
          Guest guest;
          if (!guest.traps()) return kNoTrap;
          ::raise(SIGSEGV);
          if (!guest.traps()) return kNoTrap;
          fault();
          return kSurvived;
        }) == -SIGSEGV);
  CHECK(child([] {
          install(0, SIG_IGN);
          Guest guest;
          if (!guest.traps()) return kNoTrap;
          ::raise(SIGSEGV);
          return guest.traps() ? 0 : kNoTrap;
        }) == 0);
}

TEST_CASE("a handler for one signal alone is called once", "[signals]") {
  static volatile sig_atomic_t calls = 0;
  const auto raised = [](int times) {
    return child([=] {
      install(static_cast<int>(SA_RESETHAND), [](int) { calls = calls + 1; });
      Guest guest;
      if (!guest.traps()) return kNoTrap;
      for (int i = 0; i < times; ++i) ::raise(SIGSEGV);
      return static_cast<int>(calls);
    });
  };
  CHECK(raised(1) == 1);
  CHECK(raised(2) == -SIGSEGV);
}

TEST_CASE("a handler that comes later forwards", "[signals]") {
  CHECK(child([] {
          Guest guest;
          if (!guest.traps()) return kNoTrap;
          install(SA_ONSTACK, nullptr, forwarding_handler);
          return guest.traps() && guest.traps() ? 0 : kNoTrap;
        }) == 0);
  CHECK(child([] {
          Guest guest;
          install(SA_ONSTACK, nullptr, forwarding_handler);
          if (!guest.traps()) return kNoTrap;
          guest.crash();
          return kSurvived;
        }) == kForwarded);
}

TEST_CASE("handlers are not installed where they are not wanted", "[signals]") {
  SECTION("faults that are forwarded are traps") {
    CHECK(child([] {
            if (!never_install_fault_handlers()) return 1;
            install(SA_ONSTACK, nullptr, forwarding_handler);
            Guest guest;
            if (!guest.traps()) return kNoTrap;
            fault();
            return kSurvived;
          }) == kForwarded);
  }
  SECTION("others are what they were") {
    CHECK(child([] {
            install(0, SIG_DFL);
            if (!never_install_fault_handlers()) return 1;
            Guest guest;
            for (const int signal : {SIGSEGV, SIGBUS}) {
              struct sigaction action = {};
              if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return 2;
            }
            (void)guest.traps();
            return kSurvived;
          }) == -SIGSEGV);
  }
  SECTION("too late") {
    CHECK(child([] {
            const Guest guest;
            const auto result = never_install_fault_handlers();
            return !result && result.error().kind == ErrorKind::argument ? 0 : 1;
          }) == 0);
  }
}

TEST_CASE("signals that are no faults are not taken", "[signals]") {
  CHECK(child([] {
          Guest guest;
          siginfo_t info = {};
          info.si_code = SEGV_MAPERR;
          ucontext_t context = {};
          return handle_fault(SIGFPE, &info, &context) || handle_fault(SIGSEGV, &info, &context) ||
                         handle_fault(SIGSEGV, nullptr, nullptr)
                     ? 1
                     : 0;
        }) == 0);
}

TEST_CASE("faults that are blocked are traps all the same", "[signals]") {
  const auto block = [] {
    sigset_t faults;
    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigaddset(&faults, SIGBUS);
    ::pthread_sigmask(SIG_BLOCK, &faults, nullptr);
  };
  CHECK(child([&] {
          block();
          return Guest().traps() ? 0 : kNoTrap;
        }) == 0);
  CHECK(child([&] {
          bool traps = Guest().traps();
          block();
          std::thread([&] { traps = traps && Guest().traps(); }).join();
          return traps ? 0 : kNoTrap;
        }) == 0);
}

TEST_CASE("a forked child's guests trap", "[signals]") {
  CHECK(child([] {
          Guest guest;
          if (!guest.traps()) return kNoTrap;
          const pid_t pid = ::fork();
          if (pid == 0) ::_exit(guest.traps() && Guest().traps() ? 7 : kNoTrap);
          int status = 0;
          ::waitpid(pid, &status, 0);
          return WIFEXITED(status) ? WEXITSTATUS(status) : kSurvived;
        }) == 7);
}

[[gnu::noinline]] int recurse(volatile int* before, int depth) {
  volatile int frame[256] = {depth};
  if (depth < 0) return *before;
  return recurse(frame, depth + 1) + frame[0];
}

TEST_CASE("a thread that ran a guest has an alternate stack for the host's handlers", "[signals]") {
  CHECK(child([] {
          install(SA_ONSTACK, [](int) { ::_exit(43); });
          std::thread([] {
            if (!Guest().traps()) ::_exit(kNoTrap);
            volatile int start = 0;
            ::_exit(recurse(&start, 0) == 1 ? kSurvived : kSurvived + 1);
          }).join();
          return kSurvived;
        }) == 43);
}

}  // namespace
}  // namespace wasi

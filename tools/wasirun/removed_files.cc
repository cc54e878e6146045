// The handler finds its files in a list that only grows: entries are never freed, so it needs no lock.
#include "tools/wasirun/removed_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

namespace wasirun {

namespace detail {

struct RemovedEntry {
  std::string path;  // absolute, as the process may change its directory
  dev_t device = 0;
  ino_t inode = 0;
  RemovedEntry* next = nullptr;
  std::atomic<bool> is_active = false;
};

}  // namespace detail

namespace {

using detail::RemovedEntry;

std::atomic<RemovedEntry*> entries = nullptr;
static_assert(std::atomic<RemovedEntry*>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

// Source: https://man7.org/linux/man-pages/man7/signal.7.html, "Standard signals"
constexpr int kEndingSignals[] = {SIGHUP,  SIGINT,    SIGQUIT, SIGTRAP, SIGABRT, SIGUSR1,   SIGUSR2, SIGPIPE, SIGALRM,
                                  SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGPROF, SIGVTALRM, SIGIO,   SIGPWR,  SIGSYS};

template <class F>
void for_each_signal(F&& f) {
  for (const int signal : kEndingSignals) f(signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) f(signal);
}

// A signal handler: only functions that are async-signal-safe.
void remove_and_end(int signal) {
  for (const RemovedEntry* entry = entries.load(std::memory_order_acquire); entry != nullptr; entry = entry->next) {
    struct stat status{};
    if (!entry->is_active.load(std::memory_order_acquire) || ::lstat(entry->path.c_str(), &status) != 0) continue;
    if (status.st_dev == entry->device && status.st_ino == entry->inode) ::unlink(entry->path.c_str());
  }
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  ::sigaction(signal, &usual, nullptr);
  sigset_t this_one;
  ::sigemptyset(&this_one);
  ::sigaddset(&this_one, signal);
  // It is blocked while its handler runs, and ends the process as soon as it is not.
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &this_one, nullptr);
  ::_exit(128 + signal);
}

void install() {
  struct sigaction ours{};
  ours.sa_handler = remove_and_end;
  ours.sa_flags = SA_ONSTACK | SA_RESTART;
  ::sigemptyset(&ours.sa_mask);
  for_each_signal([&](int signal) {
    struct sigaction before{};
    const bool is_default = ::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_DFL;
    if (is_default) ::sigaction(signal, &ours, nullptr);
  });
}

}  // namespace

RemovedFile::RemovedFile(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return;
  std::error_code error;
  auto* entry = new RemovedEntry;
  entry->path = std::filesystem::absolute(path, error).string();
  if (error) entry->path = path;
  entry->device = status.st_dev;
  entry->inode = status.st_ino;
  entry->is_active.store(true, std::memory_order_relaxed);
  entry->next = entries.load(std::memory_order_relaxed);
  while (!entries.compare_exchange_weak(entry->next, entry, std::memory_order_release)) {
  }
  entry_ = entry;
  static const bool is_installed = (install(), true);
  (void)is_installed;
}

RemovedFile::RemovedFile(RemovedFile&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}

RemovedFile& RemovedFile::operator=(RemovedFile&& other) noexcept {
  std::swap(entry_, other.entry_);
  return *this;
}

RemovedFile::~RemovedFile() {
  if (entry_ != nullptr) entry_->is_active.store(false, std::memory_order_release);
}

SignalsWait::SignalsWait() {
  sigset_t waiting;
  ::sigemptyset(&waiting);
  for_each_signal([&](int signal) { ::sigaddset(&waiting, signal); });
  ::pthread_sigmask(SIG_BLOCK, &waiting, &before_);
}

SignalsWait::~SignalsWait() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace wasirun

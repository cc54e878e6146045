// The deadline thread. It lives as long as the process, so its state is never destroyed.
#include "runtime/watchdog.h"

#include <pthread.h>

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace wasi::runtime {

namespace {

class Watchdog {
 public:
  static Watchdog& get() {
    static auto* const watchdog = new Watchdog;
    return *watchdog;
  }

  // Throws what the standard library does where memory or threads have run out.
  void watch(ExecState& exec, Deadline deadline) {
    const std::lock_guard lock(mutex_);
    if (!is_running_) {
      std::thread([this] { run(); }).detach();
      is_running_ = true;
    }
    const auto position = entries_.emplace(deadline, &exec).first;
    if (position == entries_.begin()) changed_->notify_one();
  }

  void unwatch(ExecState& exec, Deadline deadline) {
    const std::lock_guard lock(mutex_);
    entries_.erase({deadline, &exec});
  }

 private:
  Watchdog() {
    // The last handlers to be registered lock first, and interrupt() is called with this lock held.
    prepare_interrupts();
    // The thread does not exist in a forked child; the child's next deadline starts another, and a new
    // condition variable, since the old one may have had a waiter.
    pthread_atfork([] { get().mutex_.lock(); }, [] { get().mutex_.unlock(); },
                   [] {
                     Watchdog& self = get();
                     self.is_running_ = false;
                     static_cast<void>(self.changed_.release());
                     self.changed_ = std::make_unique<std::condition_variable>();
                     self.mutex_.unlock();
                   });
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const Deadline now = std::chrono::steady_clock::now();
      while (!entries_.empty() && entries_.begin()->first <= now) {
        interrupt(*entries_.begin()->second, kInterruptDeadline);
        entries_.erase(entries_.begin());
      }
      if (entries_.empty()) {
        changed_->wait(lock);
      } else {
        changed_->wait_until(lock, Deadline(entries_.begin()->first));
      }
    }
  }

  std::mutex mutex_;
  std::unique_ptr<std::condition_variable> changed_ = std::make_unique<std::condition_variable>();
  std::set<std::pair<Deadline, ExecState*>> entries_;
  bool is_running_ = false;
};

}  // namespace

bool watch_deadline(ExecState& exec, Deadline deadline) {
  try {
    Watchdog::get().watch(exec, deadline);
    return true;
  } catch (const std::exception&) {  // bad_alloc, system_error
    return false;
  }
}

void unwatch_deadline(ExecState& exec, Deadline deadline) { Watchdog::get().unwatch(exec, deadline); }

}  // namespace wasi::runtime

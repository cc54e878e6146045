#include "runtime/parking.h"

#include <atomic>

#include "runtime/exec_state.h"
#include "runtime/sample_interrupt.h"

namespace wasi::runtime {

namespace {

// One thread that waits. Lives on that thread's stack; linked while `is_queued`, which the bucket's lock protects.
struct Waiter {
  const void* address;
  Parker* parker;
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
  bool is_queued = false;
};

struct Bucket {
  std::mutex mutex;
  Waiter* first = nullptr;
  Waiter* last = nullptr;

  void add(Waiter& waiter) {
    waiter.previous = last;
    (last != nullptr ? last->next : first) = &waiter;
    last = &waiter;
    waiter.is_queued = true;
  }
  void remove(Waiter& waiter) {
    (waiter.previous != nullptr ? waiter.previous->next : first) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last) = waiter.previous;
    waiter.is_queued = false;
  }
};

constexpr std::size_t kBuckets = 256;

Bucket& bucket_of(const void* address) {
  static auto* const buckets = new Bucket[kBuckets];  // for ever: threads may wait while the process ends
  const auto number = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(address)) >> 2;
  return buckets[(number * 0x9E37'79B9'7F4A'7C15U) >> 56];
}
static_assert(kBuckets == 1U << (64 - 56));

// Until it is done, of which `parker.wake` tells, or `until`.
template <class Clock, class Done>
void sleep(Parker& parker, std::optional<std::chrono::time_point<Clock, std::chrono::nanoseconds>> until,
           Done is_done) {
  std::unique_lock lock(parker.mutex);
  if (until) {
    parker.wake.wait_until(lock, *until, is_done);
  } else {
    parker.wake.wait(lock, is_done);
  }
}

}  // namespace

template <class T>
Parked park(ExecState& exec, T* address, T expected, std::optional<std::chrono::steady_clock::time_point> until) {
  Waiter waiter{.address = address, .parker = &exec.parker};
  Bucket& bucket = bucket_of(address);
  {
    // Who changes the value and then notifies takes this lock behind the change: it is seen here, or they see us.
    const std::lock_guard lock(bucket.mutex);
    if (std::atomic_ref(*address).load() != expected) return Parked::not_equal;
    exec.parker.notified = false;
    bucket.add(waiter);
  }
  sleep(exec.parker, until, [&] { return exec.parker.notified || (exec.interrupt.load() & kInterruptStops) != 0; });
  const std::lock_guard lock(bucket.mutex);
  if (!waiter.is_queued) return Parked::notified;
  bucket.remove(waiter);
  return (exec.interrupt.load() & kInterruptStops) != 0 ? Parked::interrupted : Parked::timed_out;
}

template Parked park(ExecState&, std::uint32_t*, std::uint32_t, std::optional<std::chrono::steady_clock::time_point>);
template Parked park(ExecState&, std::uint64_t*, std::uint64_t, std::optional<std::chrono::steady_clock::time_point>);

template <class Clock>
void sleep_until(ExecState& exec, std::optional<std::chrono::time_point<Clock, std::chrono::nanoseconds>> until) {
  sleep(exec.parker, until, [&] { return (exec.interrupt.load() & kInterruptStops & ~kInterruptDeadline) != 0; });
}

template void sleep_until(ExecState&, std::optional<std::chrono::steady_clock::time_point>);
template void sleep_until(ExecState&, std::optional<std::chrono::system_clock::time_point>);

std::uint32_t unpark(const void* address, std::uint32_t count) {
  Bucket& bucket = bucket_of(address);
  // Held to the end: a waiter that is woken for another reason comes here too before its parker goes.
  const std::lock_guard lock(bucket.mutex);
  std::uint32_t woken = 0;
  for (Waiter* waiter = bucket.first; waiter != nullptr && woken < count;) {
    Waiter* const next = waiter->next;
    if (waiter->address == address) {
      bucket.remove(*waiter);
      const std::lock_guard parker_lock(waiter->parker->mutex);
      waiter->parker->notified = true;
      waiter->parker->wake.notify_one();
      ++woken;
    }
    waiter = next;
  }
  return woken;
}

void wake_with(ExecState& exec, std::uint32_t bits) {
  set_interrupt(exec, bits);
  // Between the sleeper's look at `interrupt` and its sleep the lock is held, so this comes before or after both.
  const std::lock_guard lock(exec.parker.mutex);
  exec.parker.wake.notify_one();
  if (exec.parker.waker != nullptr) exec.parker.waker->wake();
}

}  // namespace wasi::runtime

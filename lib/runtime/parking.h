// Threads that wait at an address of a shared memory until another notifies them: memory.atomic.wait and notify.
//
// One table for the process, by the host's address of the value, so stores meet in it that share a memory.
// Source: https://github.com/WebAssembly/threads/blob/main/proposals/threads/Overview.md#wait-and-notify-operators
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace wasi::runtime {

struct ExecState;

// A host function in which the store's thread sleeps in a way of its own.
class Waker {
 public:
  // From any thread, while the parker's lock is held: short, and without locks of its own.
  virtual void wake() = 0;

 protected:
  ~Waker() = default;
};

// Where the thread that runs a store sleeps, so that whoever interrupts the store can wake it.
struct Parker {
  std::mutex mutex;
  std::condition_variable wake;
  bool notified = false;
  Waker* waker = nullptr;  // where the thread sleeps elsewhere than in park(); changed under the lock
};

enum class Parked : std::uint8_t {
  notified,  // 0, 1 and 2 are the instructions' results
  not_equal,
  timed_out,
  interrupted,  // exec.interrupt is set
};

// Sleeps while the value at `address` is `expected` until it is notified, `until` has come (empty: never) or the store
// is interrupted. Comparing and falling asleep are one step as far as notifiers are concerned.
template <class T>
Parked park(ExecState& exec, T* address, T expected, std::optional<std::chrono::steady_clock::time_point> until);

// Sleeps until a clock shows `until` (empty: never), or until there is a wish that the guest ends; not for the
// deadline's passing, which the caller knows. Takes nothing of the host but the thread. May return earlier.
template <class Clock>
void sleep_until(ExecState& exec, std::optional<std::chrono::time_point<Clock, std::chrono::nanoseconds>> until);

// Wakes up to `count` of those who wait there, in the order in which they came; how many.
std::uint32_t unpark(const void* address, std::uint32_t count);

// Sets bits of exec.interrupt and wakes the store's thread where it is parked. From any thread; for interruption.h.
void wake_with(ExecState& exec, std::uint32_t bits);

}  // namespace wasi::runtime

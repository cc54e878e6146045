// Who stops guest code from outside, and why: deadlines, requests, the end of a program; and how they reach a guest
// that a host function of another store's guest calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace wasi::runtime {

struct ExecState;

using Deadline = std::chrono::steady_clock::time_point;

// Bits of ExecState::interrupt: who set it.
inline constexpr std::uint32_t kInterruptDeadline = 1;  // the watchdog: the deadline has passed, or is not watched
inline constexpr std::uint32_t kInterruptRequest = 2;   // Store::interrupt()
inline constexpr std::uint32_t kInterruptEnd = 4;       // Program::end(): for good
inline constexpr std::uint32_t kInterruptOuter = 8;     // a store whose host function waits for this one must stop

// Above every stack pointer.
inline constexpr std::uintptr_t kRaisedStackLimit = UINTPTR_MAX;

// Sets bits of exec.interrupt, then raises exec.stack_limit: everyone who wants something of a store does it in this
// order. From any thread.
void set_interrupt(ExecState& exec, std::uint32_t bits);

// Makes `limit` what machine code compares its stack pointer with, unless somebody wants something: the store's thread
// does it first, and looks at exec.interrupt then. So no raise is lost between the two.
void set_stack_limit(ExecState& exec, std::uintptr_t limit);

// Sets bits of exec.interrupt, wakes the store's thread where it is parked, and does the same to the stores that its
// host functions call. From any thread.
void interrupt(ExecState& exec, std::uint32_t bits);

// Makes the lock that interrupt() takes, with its handlers for fork: before those of any lock that is held meanwhile,
// so that a fork takes both in the same order.
void prepare_interrupts();

// The earlier of two deadlines, of which either may be none.
inline std::optional<Deadline> earlier(std::optional<Deadline> a, std::optional<Deadline> b) {
  if (!a || (b && *b < *a)) return b;
  return a;
}

// A call into `inner` from a host function that `outer`'s guest called, for as long as it lasts: the inner guest stops
// when the outer one has to.
class NestedCall {
 public:
  NestedCall(ExecState& outer, ExecState& inner);
  ~NestedCall();
  NestedCall(const NestedCall&) = delete;
  NestedCall& operator=(const NestedCall&) = delete;

 private:
  friend void interrupt(ExecState& exec, std::uint32_t bits);
  ExecState& outer_;
  ExecState& inner_;
  NestedCall* previous_;  // of the same outer store, further out
  std::optional<Deadline> outer_deadline_;
  bool was_interrupted_;
  bool was_outer_watched_;
};

}  // namespace wasi::runtime

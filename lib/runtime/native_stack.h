// Where guest code has to stop on the native stack that it runs on: the thread's own, or one that the embedder switched
// to (a fiber, a coroutine).
//
// A call from the host finds the end of its stack once. Calls that nest on the same stack inherit it, in whichever
// stores they are: a limit that each of them took anew would move down with the stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "os/thread_stack.h"
#include "runtime/thread_state.h"

namespace wasi::runtime {

// What stays free for host functions below the limit of a stack of `bytes`; all of it where it is too small for guests.
std::size_t native_reserve_of(std::size_t bytes);

// A stack that the embedder switched to, from the first call into a guest on it until that call is done. Lives on it.
class SwitchedStack {
 public:
  // `given` is what the embedder says of the stack; where it says nothing, or of another one, only a guess is left.
  SwitchedStack(std::uintptr_t here, const os::StackBounds& given);
  ~SwitchedStack();
  SwitchedStack(const SwitchedStack&) = delete;
  SwitchedStack& operator=(const SwitchedStack&) = delete;

 private:
  friend bool find_native_stack(std::uintptr_t here);
  std::uintptr_t low_;    // what is above is this stack
  std::uintptr_t limit_;  // guest code stops here
  std::uintptr_t high_;
  SwitchedStack* next_;
  SwitchedStack* previous_ = nullptr;
};

// Makes the stack around `here` the one that thread_state speaks of. False where it is not known: neither the thread's
// own nor one on which a call is in progress.
bool find_native_stack(std::uintptr_t here);

// `here` lies within the part that guest code may use of the stack that thread_state speaks of.
inline bool is_on_native_stack(std::uintptr_t here) {
  const ThreadState& thread = thread_state;
  return here - thread.native_limit < thread.stack_high - thread.native_limit;
}

// Why no guest runs on the stack that thread_state speaks of, when it is too small for any.
std::optional<std::string> native_stack_shortage();

}  // namespace wasi::runtime

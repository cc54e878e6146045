// What the runtime knows about the current thread.
#pragma once

#include <cstdint>

#include "os/thread_stack.h"
#include "runtime/exec_state.h"

namespace wasi::runtime {

struct ThreadState {
  ExecState* running = nullptr;     // the store whose guest code runs, innermost; the fault handler reads it
  std::uintptr_t native_limit = 0;  // kNativeStackReserve above the stack's end; 0: not asked yet
  std::uintptr_t stack_high = 0;    // the stack's other end
  bool is_ready_for_faults = false;
};

// Of the model that a signal handler may use: no allocation at first access.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadState thread_state;

namespace detail {
// The first call on a thread, and stacks that the thread did not begin on.
std::uintptr_t find_native_stack_limit(std::uintptr_t here);
}  // namespace detail

// Where guest code on this thread's current stack has to stop.
inline std::uintptr_t native_stack_limit() {
  const ThreadState& thread = thread_state;
  const std::uintptr_t here = os::stack_pointer();
  if (here - thread.native_limit < thread.stack_high - thread.native_limit) [[likely]]
    return thread.native_limit;
  return detail::find_native_stack_limit(here);
}

}  // namespace wasi::runtime

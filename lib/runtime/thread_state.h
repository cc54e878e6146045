// What the runtime knows about the current thread.
#pragma once

#include <cstdint>

#include "runtime/exec_state.h"

namespace wasi::runtime {

struct ThreadState {
  ExecState* running = nullptr;     // the store whose guest code runs, innermost; the fault handler reads it
  std::uintptr_t native_limit = 0;  // kNativeStackReserve above the stack's end; 0: not asked yet
  std::uintptr_t stack_high = 0;    // the stack's other end
  bool has_signal_stack = false;
};

// Of the model that a signal handler may use: no allocation at first access.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadState thread_state;

// Where guest code on this thread's current stack has to stop.
std::uintptr_t native_stack_limit();

}  // namespace wasi::runtime

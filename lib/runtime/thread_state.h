// What the runtime knows about the current thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/exec_state.h"

namespace wasi::runtime {

class SwitchedStack;

struct ThreadState {
  // The store whose guest code, or host function, runs; the fault handler reads it. Null where neither does.
  ExecState* running = nullptr;
  // The native stack in use (native_stack.h), as far as the last call from the host knew: guests use it down to
  // `native_limit`. All 0: not asked yet.
  std::uintptr_t native_limit = 0;
  std::uintptr_t stack_high = 0;
  std::uintptr_t stack_low = 0;
  std::uintptr_t guest_bytes = 0;     // from native_limit to stack_high
  std::uint64_t stack_number = 0;     // of this knowledge, in this thread or another; 0: not asked yet
  SwitchedStack* switched = nullptr;  // those of the embedder's on which calls are in progress
  bool is_ready_for_faults = false;
};

// Of the model that a signal handler may use: no allocation at first access.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadState thread_state;

// The same in every thread: of that model are variables at fixed places from the thread's pointer on.
std::ptrdiff_t running_offset();

}  // namespace wasi::runtime

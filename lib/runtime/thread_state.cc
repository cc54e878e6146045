// Per-thread state, and the native stack's limit.
#include "runtime/thread_state.h"

#include "os/thread_stack.h"
#include "runtime/tuning.h"

namespace wasi::runtime {

constinit thread_local ThreadState thread_state;

namespace {

[[gnu::noinline, gnu::cold]] void read_stack_bounds(ThreadState& thread) {
  const os::StackBounds& bounds = os::current_thread_stack();
  // A stack that is smaller than the reserve leaves nothing for guests.
  const std::uintptr_t limit = bounds.low + kNativeStackReserve;
  thread.native_limit = limit < bounds.high || bounds.high == 0 ? limit : bounds.high;
  thread.stack_high = bounds.high;
}

}  // namespace

std::uintptr_t native_stack_limit() {
  ThreadState& thread = thread_state;
  if (thread.native_limit == 0) [[unlikely]]
    read_stack_bounds(thread);
  const std::uintptr_t here = os::stack_pointer();
  // On a stack that the embedder switched to, only a guess is left.
  if (here >= thread.stack_high || here < thread.native_limit - kNativeStackReserve) [[unlikely]] {
    return here - kForeignStackBytes;
  }
  return thread.native_limit;
}

}  // namespace wasi::runtime

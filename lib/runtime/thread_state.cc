// Per-thread state, and the native stack's limit.
#include "runtime/thread_state.h"

#include "os/thread_stack.h"
#include "runtime/tuning.h"

namespace wasi::runtime {

constinit thread_local ThreadState thread_state;

namespace {

void read_stack_bounds(ThreadState& thread) {
  const os::StackBounds& bounds = os::current_thread_stack();
  // A stack that is smaller than the reserve leaves nothing for guests.
  const std::uintptr_t limit = bounds.low + kNativeStackReserve;
  thread.native_limit = limit < bounds.high || bounds.high == 0 ? limit : bounds.high;
  thread.stack_high = bounds.high;
}

}  // namespace

std::uintptr_t detail::find_native_stack_limit(std::uintptr_t here) {
  ThreadState& thread = thread_state;
  if (thread.native_limit == 0) read_stack_bounds(thread);
  const bool is_on_thread_stack = here < thread.stack_high && here >= thread.native_limit - kNativeStackReserve;
  // On a stack that the embedder switched to, only a guess is left.
  return is_on_thread_stack ? thread.native_limit : here - kForeignStackBytes;
}

}  // namespace wasi::runtime

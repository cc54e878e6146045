#include "runtime/native_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "runtime/tuning.h"

namespace wasi::runtime {

namespace {

// A number that no other stack has had. Threads take them by the thousand million, so that they do not meet here.
std::uint64_t next_stack_number() {
  static constinit std::atomic<std::uint64_t> blocks = 0;
  static constinit thread_local std::uint64_t last = 0;
  if ((last & UINT32_MAX) == 0) last = blocks.fetch_add(std::uint64_t{1} << 32);
  return ++last;
}

void use_stack(std::uintptr_t low, std::uintptr_t limit, std::uintptr_t high) {
  thread_state.stack_low = low;
  thread_state.native_limit = limit;
  thread_state.stack_high = high;
  thread_state.guest_bytes = high - limit;
  thread_state.stack_number = high == 0 ? 0 : next_stack_number();
}

}  // namespace

std::size_t native_reserve_of(std::size_t bytes) {
  if (bytes < kLeastNativeStack) return bytes;
  return std::clamp(bytes / 8 * 3, kLeastNativeReserve, kNativeStackReserve);
}

SwitchedStack::SwitchedStack(std::uintptr_t here, const os::StackBounds& given) : next_(thread_state.switched) {
  if (given.contains(here)) {
    low_ = given.low;
    high_ = given.high;
    limit_ = low_ + native_reserve_of(high_ - low_);
  } else {
    limit_ = here - std::min<std::uintptr_t>(here, kForeignStackBytes);
    // A host function may stand below the limit when it calls a guest again: that is the same stack still.
    low_ = limit_ - std::min<std::uintptr_t>(limit_, kNativeStackReserve);
    high_ = here + 1;
  }
  if (next_ != nullptr) next_->previous_ = this;
  thread_state.switched = this;
  use_stack(low_, limit_, high_);
}

SwitchedStack::~SwitchedStack() {
  // Calls on several of them need not end in the order in which they began.
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ != nullptr ? previous_->next_ : thread_state.switched) = next_;
  // What comes next looks for its stack.
  use_stack(0, 0, 0);
}

bool find_native_stack(std::uintptr_t here) {
  const os::StackBounds& own = os::current_thread_stack();
  if (own.contains(here)) {
    use_stack(own.low, own.low + native_reserve_of(own.high - own.low), own.high);
    return true;
  }
  for (const SwitchedStack* stack = thread_state.switched; stack != nullptr; stack = stack->next_) {
    if (here < stack->low_ || here >= stack->high_) continue;
    use_stack(stack->low_, stack->limit_, stack->high_);
    return true;
  }
  return false;
}

std::optional<std::string> native_stack_shortage() {
  const ThreadState& thread = thread_state;
  const std::uintptr_t bytes = thread.stack_high - thread.stack_low;
  if (bytes == 0 || bytes >= kLeastNativeStack) return std::nullopt;
  return fmt::format("the native stack of the calling thread has {} bytes, guest code needs {} at least", bytes,
                     kLeastNativeStack);
}

}  // namespace wasi::runtime

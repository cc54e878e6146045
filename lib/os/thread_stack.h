// The native stack of the current thread.
#pragma once

#include <cstdint>

namespace wasi::os {

// Addresses of a stack that grows from `high` down to `low`. Empty (both 0) where the host does not tell.
struct StackBounds {
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;
  [[nodiscard]] bool contains(std::uintptr_t address) const { return address >= low && address < high; }
};

// The first call on a thread asks the C library, later ones read a thread-local variable. The guard
// pages below the stack do not count.
const StackBounds& current_thread_stack();

// An address in the caller's frame.
[[gnu::always_inline]] inline std::uintptr_t stack_pointer() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

}  // namespace wasi::os

#include "runtime/thread_state.h"

namespace wasi::runtime {

constinit thread_local ThreadState thread_state;

std::ptrdiff_t running_offset() {
#if defined(__x86_64__)
  std::uintptr_t thread = 0;
  asm("movq %%fs:0, %0" : "=r"(thread));
  return static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(&thread_state.running) - thread);
#else
  return 0;  // There is no machine code for other processors.
#endif
}

}  // namespace wasi::runtime

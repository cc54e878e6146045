#include "runtime/thread_state.h"

namespace wasi::runtime {

constinit thread_local ThreadState thread_state;

}  // namespace wasi::runtime

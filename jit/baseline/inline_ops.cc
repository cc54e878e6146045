#include "jit/baseline/inline_ops.h"

#include "runtime/services.h"

namespace wasi::jit::baseline {

using wasm::Op;

bool is_inline(Op op) { return !runtime::services::service_of(op); }

}  // namespace wasi::jit::baseline

// Which instructions become machine code as a whole. All others call services of the runtime (runtime_calls.def).
#pragma once

#include "wasm/opcodes.h"

namespace wasi::jit::baseline {

bool is_inline(wasm::Op op);

}  // namespace wasi::jit::baseline

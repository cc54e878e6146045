// Constant expressions: initial values of globals and tables, elements and offsets of segments.
// Source: https://webassembly.github.io/spec/core/valid/instructions.html#constant-expressions
#pragma once

#include <wasi/error.h>

#include "runtime/frame.h"
#include "wasm/module.h"

namespace wasi::runtime {

class Instance;

// The value of a validated expression, with the instance's globals as far as they exist. `unsupported` for
// instructions that this version does not run.
Result<Slot> evaluate_const(Instance& instance, wasm::ConstExpr expression);

}  // namespace wasi::runtime

// Constant expressions: initial values of globals and tables, elements and offsets of segments.
// Source: https://webassembly.github.io/spec/core/valid/instructions.html#constant-expressions
#pragma once

#include <wasi/error.h>

#include <span>

#include "runtime/frame.h"
#include "wasm/module.h"

namespace wasi::runtime {

class Instance;

// The value of a validated expression, with the instance's globals as far as they exist. `unsupported` for
// instructions that this version does not run. `value` has as many slots as the expression's type.
Result<void> evaluate_const(Instance& instance, wasm::ConstExpr expression, std::span<Slot> value);
// For types that take one slot.
Result<Slot> evaluate_const(Instance& instance, wasm::ConstExpr expression);

}  // namespace wasi::runtime

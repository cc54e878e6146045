// Reading instructions without understanding them: opcodes, and what stands behind them, as far as finding
// the end of a constant expression needs.
//
// Driven by the opcode table. Nothing is resolved or checked but the bytes' form; the function walk has a
// reader of its own, which checks meaning too.
// Source: https://webassembly.github.io/spec/core/binary/instructions.html
#pragma once

#include "base/byte_reader.h"
#include "wasm/features.h"
#include "wasm/module.h"
#include "wasm/opcodes.h"

namespace wasi::binary {

// The next opcode; kNoOp, and a failed reader ("illegal opcode ..."), when it is none.
wasm::Op read_op(base::ByteReader& reader);

// Moves behind the immediates of `op`.
void skip_immediates(base::ByteReader& reader, wasm::Op op);

// Moves behind the `end` that closes the expression at the cursor and returns its range. Adds the features
// that its instructions need, as a constant expression, to `features`.
wasm::ConstExpr skip_const_expr(base::ByteReader& reader, wasm::FeatureSet& features);

}  // namespace wasi::binary

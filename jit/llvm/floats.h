// Float arithmetic in IR, of numbers and of vectors alike, where LLVM's own operations do not say what Wasm says.
//
// To LLVM a signalling NaN is as good as a quiet one: it takes away `x * 1.0`, `x - 0.0` and the like, and its
// llvm.minimum returns the operand that is a NaN as it is. In Wasm an operation that computes returns a quiet NaN,
// whatever it was given (https://webassembly.github.io/spec/core/exec/numerics.html#nan-propagation).
// What LLVM would fold is kept from it here; nothing is ever marked nnan, nsz or fast.
#pragma once

#include <llvm/IR/Value.h>

#include "jit/llvm/unit.h"

namespace wasi::jit::optimising {

// Of two zeros the negative one, of a NaN and a number the NaN, quiet. Without branches, without calls, and in
// operations of which LLVM makes wider ones.
llvm::Value* float_min(Builder& builder, llvm::Value* a, llvm::Value* b);
// Of two zeros the positive one.
llvm::Value* float_max(Builder& builder, llvm::Value* a, llvm::Value* b);

// f64 to f32, of numbers or vectors of the same number of lanes.
llvm::Value* float_demote(Builder& builder, llvm::Value* a);

// Whether LLVM would take FAdd, FSub, FMul or FDiv away where `operand` is the first or second operand, `other` the
// other one, and what that yields would not be quiet. Both are numbers or vectors.
bool loses_quieting(llvm::Instruction::BinaryOps operation, const llvm::Value* operand, const llvm::Value* other,
                    bool is_second);

}  // namespace wasi::jit::optimising

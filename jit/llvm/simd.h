// Vector instructions in IR: what the files of their families share.
//
// On the operand stack a vector is <2 x i64>; here it has the lanes that the instruction says. Most instructions are
// one of LLVM's. Of those that it would have to guess from several, x86's own are named where it guesses wrong or not
// at all; SSE4.1 is the least that there is.
#pragma once

#include <llvm/IR/DerivedTypes.h>
#include <llvm/IR/Value.h>

#include <cstdint>
#include <initializer_list>

#include "jit/llvm/unit.h"
#include "wasm/opcodes.h"

namespace wasi::jit::optimising::simd {

// The lanes of a vector, as the names of instructions have them: i8x16, f64x2.
struct Shape {
  unsigned bits = 0;
  bool is_float = false;
  [[nodiscard]] constexpr unsigned lanes() const { return 128 / bits; }
};
inline constexpr Shape kI8x16{8};
inline constexpr Shape kI16x8{16};
inline constexpr Shape kI32x4{32};
inline constexpr Shape kI64x2{64};
inline constexpr Shape kF32x4{32, true};
inline constexpr Shape kF64x2{64, true};

// What the instruction's name begins with; not for those of v128.
Shape shape_of(wasm::Op op);
// What it reads: the shape that stands last in its name, "i16x8.extend_low_i8x16_s".
Shape operand_shape_of(wasm::Op op);
bool is_signed(wasm::Op op);

llvm::Type* lane_type(Builder& builder, Shape shape);
llvm::FixedVectorType* vector_type(Builder& builder, Shape shape);
// A vector seen as others; constants stay constants.
llvm::Value* as(Builder& builder, llvm::Value* vector, llvm::Type* type);
llvm::Value* as(Builder& builder, llvm::Value* vector, Shape shape);
llvm::Value* splat(Builder& builder, Shape shape, std::uint64_t lane);
llvm::Value* call(Builder& builder, llvm::Intrinsic::ID intrinsic, std::initializer_list<llvm::Value*> operands);
// All bits of a lane or none, of a comparison's results.
llvm::Value* as_mask(Builder& builder, llvm::Value* condition);

// Instructions of vectors alone (v:v, vv:v, vvv:v), whatever the types of the operands. Null: of another family.
llvm::Value* integer_operation(Builder& builder, wasm::Op op, llvm::Value* a, llvm::Value* b, llvm::Value* c);
llvm::Value* float_operation(Builder& builder, wasm::Op op, llvm::Value* a, llvm::Value* b, llvm::Value* c);

}  // namespace wasi::jit::optimising::simd

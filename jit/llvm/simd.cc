// Vector instructions: operands from the stack, lanes, tests and shifts. Operations on whole vectors are in
// simd_integer.cc and simd_float.cc, accesses to memory in simd_memory.cc.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#vector-instructions
#include "jit/llvm/simd.h"

#include <llvm/Analysis/ConstantFolding.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>

#include <cstring>

#include "base/check.h"
#include "jit/llvm/lowering.h"

namespace wasi::jit::optimising {

using llvm::Value;
using validate::Immediates;
using wasm::ImmediateKind;
using wasm::Op;
namespace Intrinsic = llvm::Intrinsic;

namespace simd {

namespace {

// Of the shape at the beginning of a text.
Shape shape_in(std::string_view text) {
  for (const auto& [name, shape] :
       {std::pair{"i8x16", kI8x16}, std::pair{"i16x8", kI16x8}, std::pair{"i32x4", kI32x4}, std::pair{"i64x2", kI64x2},
        std::pair{"f32x4", kF32x4}, std::pair{"f64x2", kF64x2}}) {
    if (text.starts_with(name)) return shape;
  }
  WASI_CHECK(false);
}

}  // namespace

Shape shape_of(Op op) { return shape_in(wasm::info(op).text); }

Shape operand_shape_of(Op op) {
  const std::string_view text = wasm::info(op).text;
  const std::size_t by = text.rfind('x');
  const std::size_t begin = text.find_last_of("if", by);
  WASI_CHECK(by != std::string_view::npos && begin != std::string_view::npos);
  return shape_in(text.substr(begin));
}

bool is_signed(Op op) {
  const std::string_view text = wasm::info(op).text;
  return text.ends_with("_s") || text.ends_with("_s_zero");
}

llvm::Type* lane_type(Builder& builder, Shape shape) {
  if (!shape.is_float) return builder.getIntNTy(shape.bits);
  return shape.bits == 32 ? builder.getFloatTy() : builder.getDoubleTy();
}

llvm::FixedVectorType* vector_type(Builder& builder, Shape shape) {
  return llvm::FixedVectorType::get(lane_type(builder, shape), shape.lanes());
}

Value* as(Builder& builder, Value* vector, llvm::Type* type) {
  if (vector->getType() == type) return vector;
  if (auto* constant = llvm::dyn_cast<llvm::Constant>(vector)) {
    // The builder itself folds no casts between lanes, whose order depends on the machine.
    const llvm::DataLayout& layout = builder.GetInsertBlock()->getDataLayout();
    if (Value* folded = llvm::ConstantFoldCastOperand(llvm::Instruction::BitCast, constant, type, layout))
      return folded;
  }
  return builder.CreateBitCast(vector, type);
}
Value* as(Builder& builder, Value* vector, Shape shape) { return as(builder, vector, vector_type(builder, shape)); }

Value* splat(Builder& builder, Shape shape, std::uint64_t lane) {
  return llvm::ConstantInt::get(vector_type(builder, {shape.bits}), lane);
}

Value* call(Builder& builder, Intrinsic::ID intrinsic, std::initializer_list<Value*> operands) {
  return builder.CreateIntrinsic(intrinsic, {}, operands);
}

Value* as_mask(Builder& builder, Value* condition) {
  const auto lanes = llvm::cast<llvm::FixedVectorType>(condition->getType())->getNumElements();
  return builder.CreateSExt(condition, vector_type(builder, {128 / lanes}));
}

}  // namespace simd

using simd::Shape;

void Lowering::lower_vector(Op op, const Immediates& immediates) {
  const wasm::OpInfo& row = wasm::info(op);
  if (row.access != 0) return vector_access(op, immediates);
  if (row.immediate == ImmediateKind::lane) return vector_lane(op, immediates.lane);
  if (row.immediate == ImmediateKind::shuffle) return vector_shuffle(immediates.bytes);
  if (row.immediate == ImmediateKind::v128) return push_vector(vector_constant(immediates.bytes));
  if (row.signature == "vi:v") return vector_shift(op);
  if (row.signature == "v:i") return vector_test(op);
  if (row.signature.front() != 'v') {
    const Shape shape = simd::shape_of(op);
    return push_vector(builder_.CreateVectorSplat(shape.lanes(), pop_lane(shape)));
  }
  const std::size_t operands = row.signature.find(':');
  Value* const c = operands > 2 ? pop() : nullptr;
  Value* const b = operands > 1 ? pop() : nullptr;
  Value* const a = pop();
  Value* result = simd::integer_operation(builder_, op, a, b, c);
  if (result == nullptr) result = simd::float_operation(builder_, op, a, b, c);
  push_vector(result);
}

void Lowering::push_vector(Value* vector) { push(simd::as(builder_, vector, type(Type::v128)), Type::v128); }

Value* Lowering::pop_vector(Shape shape) { return simd::as(builder_, pop(), shape); }

// A number for a lane.
Value* Lowering::pop_lane(Shape shape) {
  Value* const number = pop();
  return shape.is_float ? number : builder_.CreateTrunc(number, simd::lane_type(builder_, shape));
}

llvm::Constant* Lowering::vector_constant(std::span<const std::uint8_t, 16> bytes) {
  std::uint64_t halves[2];
  std::memcpy(halves, bytes.data(), sizeof halves);
  return llvm::ConstantDataVector::get(unit_.context, halves);
}

void Lowering::vector_lane(Op op, std::uint8_t lane) {
  const Shape shape = simd::shape_of(op);
  if (wasm::info(op).signature.back() == 'v') {
    Value* const number = pop_lane(shape);
    Value* const vector = pop_vector(shape);
    return push_vector(builder_.CreateInsertElement(vector, number, lane));
  }
  Value* const number = builder_.CreateExtractElement(pop_vector(shape), lane);
  if (shape.is_float) return push(number, shape.bits == 32 ? Type::f32 : Type::f64);
  if (shape.bits == 64) return push(number, Type::i64);
  llvm::Type* const i32 = builder_.getInt32Ty();
  push(simd::is_signed(op) ? builder_.CreateSExt(number, i32) : builder_.CreateZExt(number, i32), Type::i32);
}

void Lowering::vector_shuffle(std::span<const std::uint8_t, 16> order) {
  Value* const b = pop_vector(simd::kI8x16);
  Value* const a = pop_vector(simd::kI8x16);
  int mask[16];
  for (std::size_t i = 0; i < 16; ++i) mask[i] = order[i];
  push_vector(builder_.CreateShuffleVector(a, b, mask));
}

void Lowering::vector_shift(Op op) {
  const Shape shape = simd::shape_of(op);
  // Counts are taken modulo the width of a lane.
  Value* const masked = builder_.CreateAnd(pop(), i32(shape.bits - 1));
  Value* const lane = builder_.CreateZExtOrTrunc(masked, simd::lane_type(builder_, shape));
  Value* const count = builder_.CreateVectorSplat(shape.lanes(), lane);
  Value* const a = pop_vector(shape);
  const std::string_view text = wasm::info(op).text;
  push_vector(text.ends_with("shl")     ? builder_.CreateShl(a, count)
              : text.ends_with("shr_s") ? builder_.CreateAShr(a, count)
                                        : builder_.CreateLShr(a, count));
}

void Lowering::vector_test(Op op) {
  if (op == Op::v128_any_true) {
    Value* const bits = builder_.CreateBitCast(pop(), builder_.getInt128Ty());
    return push(as_i32(builder_.CreateIsNotNull(bits)), Type::i32);
  }
  const Shape shape = simd::shape_of(op);
  Value* const a = pop_vector(shape);
  Value* const zero = llvm::Constant::getNullValue(a->getType());
  if (wasm::info(op).text.ends_with("all_true")) {
    return push(as_i32(builder_.CreateAndReduce(builder_.CreateICmpNE(a, zero))), Type::i32);
  }
  Value* const bits = builder_.CreateBitCast(builder_.CreateICmpSLT(a, zero), builder_.getIntNTy(shape.lanes()));
  push(builder_.CreateZExt(bits, builder_.getInt32Ty()), Type::i32);
}

}  // namespace wasi::jit::optimising

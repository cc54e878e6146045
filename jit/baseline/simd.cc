// Vector instructions: operands from the model into registers, and the instruction selection of simd_x64.h.
#include "jit/baseline/simd_x64.h"

#include <cstring>

#include "jit/baseline/compiler.h"

namespace wasi::jit::baseline {

using validate::Immediates;
using wasm::ImmediateKind;
using wasm::Op;

namespace {

Type type_of_letter(char letter) {
  return letter == 'l' ? Type::i64 : letter == 'f' ? Type::f32 : letter == 'd' ? Type::f64 : Type::i32;
}

}  // namespace

// The shapes of instructions are those of their signatures.
void Compiler::lower_vector(Op op, const Immediates& immediates) {
  const wasm::OpInfo& row = wasm::info(op);
  if (row.access != 0) return vector_access(op, immediates);
  if (row.immediate == ImmediateKind::lane) return vector_lane(op, immediates.lane);
  if (row.immediate == ImmediateKind::shuffle) return vector_shuffled(immediates.bytes);
  if (row.immediate == ImmediateKind::v128) return vector_constant(immediates.bytes);
  if (row.signature == "v:v") return vector_operation(op, 1);
  if (row.signature == "vv:v") return vector_operation(op, 2);
  if (row.signature == "vvv:v") return vector_operation(op, 3);
  if (row.signature == "vi:v") return vector_shifted(op);
  if (row.signature == "v:i") return vector_tested(op);
  vector_from_number(op);
}

void Compiler::vector_operation(Op op, std::size_t operands) {
  Value values[3];
  for (std::size_t i = operands; i-- > 0;) values[i] = pop();
  x64::Xmm sources[3];
  for (std::size_t i = 0; i < operands; ++i) sources[i] = in_xmm(values[i]);
  const x64::Xmm dst = result_xmm(Type::v128, values[0]);
  if (operands == 1) {
    vector_unary(asm_, op, dst, sources[0]);
  } else if (operands == 2) {
    vector_binary(asm_, op, dst, sources[0], sources[1]);
  } else {
    vector_ternary(asm_, op, dst, sources[0], sources[1], sources[2]);
  }
  for (std::size_t i = 0; i < operands; ++i) release(values[i], dst);
  push_register(Type::v128, dst);
}

void Compiler::vector_shifted(Op op) {
  Value count = pop();
  Value a = pop();
  const x64::Xmm source = in_xmm(a);
  if (count.is_constant() && applies(Optimisation::immediates)) {
    const x64::Xmm dst = result_xmm(Type::v128, a);
    vector_shift_by(asm_, op, dst, source, static_cast<std::uint32_t>(count.bits));
    release(a, dst);
    return push_register(Type::v128, dst);
  }
  const x64::Gp number = in_gpr(count);
  const x64::Xmm dst = result_xmm(Type::v128, a);
  vector_shift(asm_, op, dst, source, number);
  release(count);
  release(a, dst);
  push_register(Type::v128, dst);
}

void Compiler::vector_tested(Op op) {
  Value a = pop();
  const x64::Xmm source = in_xmm(a);
  release(a);
  // any_true, all_true
  if (wasm::info(op).text.ends_with("_true")) return push_condition({.code = vector_condition(asm_, op, source)});
  const x64::Gp dst = result_gpr(Type::i32);
  vector_test(asm_, op, dst, source);
  push_register(Type::i32, dst);
}

void Compiler::vector_from_number(Op op) {
  Value number = pop();
  if (bank_of(number.type) == Bank::vector) {
    const x64::Xmm source = in_xmm(number);
    const x64::Xmm dst = result_xmm(Type::v128, number);
    vector_splat(asm_, op, dst, source);
    release(number, dst);
    return push_register(Type::v128, dst);
  }
  const x64::Gp source = in_gpr(number);
  const x64::Xmm dst = result_xmm(Type::v128);
  vector_splat(asm_, op, dst, source);
  release(number);
  push_register(Type::v128, dst);
}

void Compiler::vector_lane(Op op, std::uint8_t lane) {
  const std::string_view signature = wasm::info(op).signature;
  if (signature.back() == 'v') {
    Value number = pop();
    Value a = pop();
    const x64::Xmm vector = in_xmm(a);
    if (bank_of(number.type) == Bank::vector) {
      const x64::Xmm source = in_xmm(number);
      const x64::Xmm dst = result_xmm(Type::v128, a);
      vector_replace(asm_, op, dst, vector, source, lane);
      release(number, dst);
      release(a, dst);
      return push_register(Type::v128, dst);
    }
    const x64::Gp source = in_gpr(number);
    const x64::Xmm dst = result_xmm(Type::v128, a);
    vector_replace(asm_, op, dst, vector, source, lane);
    release(number);
    release(a, dst);
    return push_register(Type::v128, dst);
  }
  Value a = pop();
  const Type type = type_of_letter(signature.back());
  const x64::Xmm vector = in_xmm(a);
  if (bank_of(type) == Bank::vector) {
    const x64::Xmm dst = result_xmm(type, a);
    vector_extract(asm_, op, dst, vector, lane);
    release(a, dst);
    return push_register(type, dst);
  }
  const x64::Gp dst = result_gpr(type);
  vector_extract(asm_, op, dst, vector, lane);
  release(a);
  push_register(type, dst);
}

void Compiler::vector_shuffled(std::span<const std::uint8_t, 16> order) {
  Value b = pop();
  Value a = pop();
  // One vector's bytes in another order, where both operands are one local.
  const bool is_one = a.where == Where::local && b.where == Where::local && a.local == b.local;
  const x64::Xmm lhs = in_xmm(a);
  const x64::Xmm rhs = is_one ? lhs : in_xmm(b);
  const x64::Xmm dst = result_xmm(Type::v128, a);
  vector_shuffle(asm_, dst, lhs, rhs, order);
  release(a, dst);
  release(b, dst);
  push_register(Type::v128, dst);
}

void Compiler::vector_constant(std::span<const std::uint8_t, 16> bytes) {
  std::uint64_t halves[2];
  std::memcpy(halves, bytes.data(), sizeof halves);
  const x64::Xmm dst = result_xmm(Type::v128);
  vector_const(asm_, dst, halves[0], halves[1]);
  push_register(Type::v128, dst);
}

void Compiler::vector_access(Op op, const Immediates& immediates) {
  const wasm::OpInfo& row = wasm::info(op);
  const bool has_lane = row.immediate == ImmediateKind::memarg_lane;
  if (!has_lane && row.signature.back() == 'v') {
    const Address from = address(immediates.memarg, row.access);
    const x64::Xmm dst = result_xmm(Type::v128);
    fault_site_at(vector_load(asm_, op, dst, from.memory));
    release_address(from);
    return push_register(Type::v128, dst);
  }
  // Nothing may be written to r11 behind the address.
  Value value = pop();
  const x64::Xmm vector = in_xmm(value);
  const Address at = address(immediates.memarg, row.access);
  if (row.signature.back() == 'v') {
    const x64::Xmm dst = result_xmm(Type::v128, value);
    fault_site_at(vector_load_lane(asm_, op, dst, vector, at.memory, immediates.lane));
    release(value, dst);
    release_address(at);
    return push_register(Type::v128, dst);
  }
  fault_site_at(has_lane ? vector_store_lane(asm_, op, at.memory, vector, immediates.lane)
                         : vector_store(asm_, at.memory, vector));
  release(value);
  release_address(at);
}

}  // namespace wasi::jit::baseline

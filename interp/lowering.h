// From Wasm instructions to families of the interpreter's: generated from isa.def and isa_simd.def, whose rows carry
// the names of the Wasm instructions that they are.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "interp/isa.h"
#include "wasm/opcodes.h"

namespace wasi::interp {

// The accumulator that a value of a type belongs to.
enum class ValueClass : std::uint8_t { integer, f32, f64, v128 };
inline constexpr unsigned kValueClasses = 4;

// How an instruction of a family is chosen and encoded; `special` ones are handled one by one.
enum class Shape : std::uint8_t {
  special,
  commutative,
  binary,
  compare,
  unary,
  load,
  store,
  atomic,
  // The families of isa_simd.def
  vector,
  vector_unary,
  vector_binary,
  vector_shift,
  vector_load,
  vector_load_lane,
  vector_store,
  vector_store_lane,
};

struct Lowering {
  Shape shape = Shape::special;
  bool traps = false;
  bool is_wide = false;  // operands are 64 bits wide
  ValueClass operand = ValueClass::integer;
  ValueClass result = ValueClass::integer;
  Code first = Code::unreachable;  // the family's first form
  // Of comparisons: with operands exchanged; with the result negated (integers only).
  wasm::Op swapped = wasm::Op::nop;
  wasm::Op inverse = wasm::Op::nop;
};

namespace detail {

constexpr ValueClass class_of_letter(char letter) {
  return letter == 'f'   ? ValueClass::f32
         : letter == 'd' ? ValueClass::f64
         : letter == 'v' ? ValueClass::v128
                         : ValueClass::integer;
}

consteval std::array<Lowering, wasm::kOpCount> make_lowerings() {
  using wasm::Op;
  std::array<Lowering, wasm::kOpCount> table{};
  const auto add = [&table](Op op, Shape shape, Code first) {
    const wasm::OpInfo& row = wasm::info(op);
    // "ii:i": the last operand is the value of a store, too.
    const auto colon = row.signature.find(':');
    const char operand = colon == 0 ? 'i' : row.signature[colon - 1];
    const char result = colon + 1 < row.signature.size() ? row.signature[colon + 1] : operand;
    table[static_cast<std::uint16_t>(op)] = {
        shape,
        shape == Shape::load || shape == Shape::store || row.text.find(".div_") != row.text.npos ||
            row.text.find(".rem_") != row.text.npos || row.text.find(".trunc_f") != row.text.npos,
        operand == 'l' || operand == 'd',
        class_of_letter(operand),
        class_of_letter(result),
        first};
  };
#define ISA_COMMUTATIVE(name, ...) add(Op::name, Shape::commutative, Code::name##_ss);
#define ISA_BINARY(name, ...) add(Op::name, Shape::binary, Code::name##_ss);
#define ISA_COMPARE(name, ...) add(Op::name, Shape::compare, Code::name##_ss);
#define ISA_FLOAT(name, ...) add(Op::name, Shape::binary, Code::name##_ss);
#define ISA_FLOAT_COMPARE(name, ...) add(Op::name, Shape::compare, Code::name##_ss);
#define ISA_UNARY(name, ...) add(Op::name, Shape::unary, Code::name##_s);
#define ISA_LOAD(name, ...) add(Op::name, Shape::load, Code::name##_s);
#define ISA_STORE(name, ...) add(Op::name, Shape::store, Code::name##_ss);
#define ISA_ATOMIC(name, ...) add(Op::name, Shape::atomic, Code::name);
#define ISA_PLAIN(name, ...)
#include "interp/isa.def"
#undef ISA_COMMUTATIVE
#undef ISA_BINARY
#undef ISA_COMPARE
#undef ISA_FLOAT
#undef ISA_FLOAT_COMPARE
#undef ISA_UNARY
#undef ISA_LOAD
#undef ISA_STORE
#undef ISA_ATOMIC
#undef ISA_PLAIN
#define ISA_VECTOR(name, ...) add(Op::name, Shape::vector, Code::name);
#define ISA_VECTOR_UNARY(name, ...) add(Op::name, Shape::vector_unary, Code::name##_s);
#define ISA_VECTOR_BINARY(name, ...) add(Op::name, Shape::vector_binary, Code::name##_ss);
#define ISA_VECTOR_SHIFT(name, ...) add(Op::name, Shape::vector_shift, Code::name##_ss);
#define ISA_VECTOR_LOAD(name, ...) add(Op::name, Shape::vector_load, Code::name##_s);
#define ISA_VECTOR_LOAD_LANE(name, ...) add(Op::name, Shape::vector_load_lane, Code::name##_ss);
#define ISA_VECTOR_STORE(name) add(Op::name, Shape::vector_store, Code::name##_ss);
#define ISA_VECTOR_STORE_LANE(name, ...) add(Op::name, Shape::vector_store_lane, Code::name##_ss);
#include "interp/isa_simd.def"
#undef ISA_VECTOR
#undef ISA_VECTOR_UNARY
#undef ISA_VECTOR_BINARY
#undef ISA_VECTOR_SHIFT
#undef ISA_VECTOR_LOAD
#undef ISA_VECTOR_LOAD_LANE
#undef ISA_VECTOR_STORE
#undef ISA_VECTOR_STORE_LANE
  // Stores of bits, however they are called.
  add(Op::f32_store, Shape::store, Code::i32_store_ss);
  add(Op::f64_store, Shape::store, Code::i64_store_ss);
  add(Op::i64_store8, Shape::store, Code::i32_store8_ss);
  add(Op::i64_store16, Shape::store, Code::i32_store16_ss);
  add(Op::i64_store32, Shape::store, Code::i32_store_ss);

  const auto pair_up = [&table](Op begin, std::initializer_list<unsigned> swapped,
                                std::initializer_list<unsigned> inverse) {
    const auto base = static_cast<std::uint16_t>(begin);
    const auto op = [base](unsigned i) { return static_cast<Op>(base + i); };
    for (unsigned i = 0; i < swapped.size(); ++i) table[base + i].swapped = op(swapped.begin()[i]);
    for (unsigned i = 0; i < inverse.size(); ++i) table[base + i].inverse = op(inverse.begin()[i]);
  };
  // eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u
  pair_up(Op::i32_eq, {0, 1, 4, 5, 2, 3, 8, 9, 6, 7}, {1, 0, 8, 9, 6, 7, 4, 5, 2, 3});
  pair_up(Op::i64_eq, {0, 1, 4, 5, 2, 3, 8, 9, 6, 7}, {1, 0, 8, 9, 6, 7, 4, 5, 2, 3});
  // eq ne lt gt le ge
  pair_up(Op::f32_eq, {0, 1, 3, 2, 5, 4}, {});
  pair_up(Op::f64_eq, {0, 1, 3, 2, 5, 4}, {});
  return table;
}

inline constexpr auto kLowerings = make_lowerings();

}  // namespace detail

constexpr const Lowering& lowering_of(wasm::Op op) { return detail::kLowerings[static_cast<std::uint16_t>(op)]; }

// The forms of a family, as distances from its first.
inline constexpr unsigned kFormSS = 0;
inline constexpr unsigned kFormSK = 1;
inline constexpr unsigned kFormAS = 2;
inline constexpr unsigned kFormAK = 3;
inline constexpr unsigned kFormSA = 4;
inline constexpr unsigned kFormKS = 5;
inline constexpr unsigned kFormsOfCompare = 4;  // then the branches: br_ and br_back_ (integers), brn_ (floats)

}  // namespace wasi::interp

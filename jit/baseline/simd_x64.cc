#include "jit/baseline/simd_x64.h"

#include <utility>

#include "base/check.h"
#include "jit/baseline/simd_sequences.h"
#include "jit/baseline/simd_table.h"

namespace wasi::jit::baseline {

using wasm::Op;
using x64::Gp;
using x64::Xmm;

namespace {

constexpr Xmm kS0 = MacroAssembler::kVectorScratch0;
constexpr Xmm kS1 = MacroAssembler::kVectorScratch1;

constexpr std::int16_t kNone = -1;

struct Unary {
  Op op = wasm::kNoOp;
  VectorInst inst = {};
  std::int16_t immediate = kNone;
};

// Rounding as an immediate says it: nearest, down, up, towards zero; without an exception for what is not exact.
constexpr std::int16_t kNearest = 8;
constexpr std::int16_t kFloor = 9;
constexpr std::int16_t kCeil = 10;
constexpr std::int16_t kTrunc = 11;

constexpr Unary kUnaryRows[] = {
    {Op::i8x16_abs, inst::pabsb},
    {Op::i16x8_abs, inst::pabsw},
    {Op::i32x4_abs, inst::pabsd},
    {Op::i16x8_extend_low_i8x16_s, inst::pmovsxbw},
    {Op::i16x8_extend_low_i8x16_u, inst::pmovzxbw},
    {Op::i32x4_extend_low_i16x8_s, inst::pmovsxwd},
    {Op::i32x4_extend_low_i16x8_u, inst::pmovzxwd},
    {Op::i64x2_extend_low_i32x4_s, inst::pmovsxdq},
    {Op::i64x2_extend_low_i32x4_u, inst::pmovzxdq},
    {Op::f32x4_sqrt, inst::sqrtps},
    {Op::f64x2_sqrt, inst::sqrtpd},
    {Op::f32x4_ceil, inst::roundps, kCeil},
    {Op::f32x4_floor, inst::roundps, kFloor},
    {Op::f32x4_trunc, inst::roundps, kTrunc},
    {Op::f32x4_nearest, inst::roundps, kNearest},
    {Op::f64x2_ceil, inst::roundpd, kCeil},
    {Op::f64x2_floor, inst::roundpd, kFloor},
    {Op::f64x2_trunc, inst::roundpd, kTrunc},
    {Op::f64x2_nearest, inst::roundpd, kNearest},
    {Op::f32x4_convert_i32x4_s, inst::cvtdq2ps},
    {Op::f64x2_convert_low_i32x4_s, inst::cvtdq2pd},
    {Op::f32x4_demote_f64x2_zero, inst::cvtpd2ps},
    {Op::f64x2_promote_low_f32x4, inst::cvtps2pd},
};
constexpr OpTable kUnary(kUnaryRows);

// Of two NaNs the machine gives the first operand, so floats are never commuted.
enum class Operands : std::uint8_t { ordered, commutative, reversed };

struct Binary {
  Op op = wasm::kNoOp;
  VectorInst inst = {};
  Operands operands = Operands::ordered;
  std::int16_t immediate = kNone;
};

// Predicates of cmpps.
constexpr std::int16_t kEqual = 0;
constexpr std::int16_t kLess = 1;
constexpr std::int16_t kLessEqual = 2;
constexpr std::int16_t kNotEqual = 4;

using enum Operands;
constexpr Binary kBinaryRows[] = {
    {Op::v128_and, inst::pand, commutative},
    {Op::v128_or, inst::por, commutative},
    {Op::v128_xor, inst::pxor, commutative},
    {Op::v128_andnot, inst::pandn, reversed},

    {Op::i8x16_eq, inst::pcmpeqb, commutative},
    {Op::i8x16_gt_s, inst::pcmpgtb},
    {Op::i8x16_lt_s, inst::pcmpgtb, reversed},
    {Op::i16x8_eq, inst::pcmpeqw, commutative},
    {Op::i16x8_gt_s, inst::pcmpgtw},
    {Op::i16x8_lt_s, inst::pcmpgtw, reversed},
    {Op::i32x4_eq, inst::pcmpeqd, commutative},
    {Op::i32x4_gt_s, inst::pcmpgtd},
    {Op::i32x4_lt_s, inst::pcmpgtd, reversed},
    {Op::i64x2_eq, inst::pcmpeqq, commutative},

    {Op::i8x16_add, inst::paddb, commutative},
    {Op::i8x16_add_sat_s, inst::paddsb, commutative},
    {Op::i8x16_add_sat_u, inst::paddusb, commutative},
    {Op::i8x16_sub, inst::psubb},
    {Op::i8x16_sub_sat_s, inst::psubsb},
    {Op::i8x16_sub_sat_u, inst::psubusb},
    {Op::i8x16_min_s, inst::pminsb, commutative},
    {Op::i8x16_min_u, inst::pminub, commutative},
    {Op::i8x16_max_s, inst::pmaxsb, commutative},
    {Op::i8x16_max_u, inst::pmaxub, commutative},
    {Op::i8x16_avgr_u, inst::pavgb, commutative},
    {Op::i16x8_add, inst::paddw, commutative},
    {Op::i16x8_add_sat_s, inst::paddsw, commutative},
    {Op::i16x8_add_sat_u, inst::paddusw, commutative},
    {Op::i16x8_sub, inst::psubw},
    {Op::i16x8_sub_sat_s, inst::psubsw},
    {Op::i16x8_sub_sat_u, inst::psubusw},
    {Op::i16x8_mul, inst::pmullw, commutative},
    {Op::i16x8_min_s, inst::pminsw, commutative},
    {Op::i16x8_min_u, inst::pminuw, commutative},
    {Op::i16x8_max_s, inst::pmaxsw, commutative},
    {Op::i16x8_max_u, inst::pmaxuw, commutative},
    {Op::i16x8_avgr_u, inst::pavgw, commutative},
    {Op::i32x4_add, inst::paddd, commutative},
    {Op::i32x4_sub, inst::psubd},
    {Op::i32x4_mul, inst::pmulld, commutative},
    {Op::i32x4_min_s, inst::pminsd, commutative},
    {Op::i32x4_min_u, inst::pminud, commutative},
    {Op::i32x4_max_s, inst::pmaxsd, commutative},
    {Op::i32x4_max_u, inst::pmaxud, commutative},
    {Op::i32x4_dot_i16x8_s, inst::pmaddwd, commutative},
    {Op::i64x2_add, inst::paddq, commutative},
    {Op::i64x2_sub, inst::psubq},
    {Op::i8x16_narrow_i16x8_s, inst::packsswb},
    {Op::i8x16_narrow_i16x8_u, inst::packuswb},
    {Op::i16x8_narrow_i32x4_s, inst::packssdw},
    {Op::i16x8_narrow_i32x4_u, inst::packusdw},

    {Op::f32x4_eq, inst::cmpps, ordered, kEqual},
    {Op::f32x4_ne, inst::cmpps, ordered, kNotEqual},
    {Op::f32x4_lt, inst::cmpps, ordered, kLess},
    {Op::f32x4_le, inst::cmpps, ordered, kLessEqual},
    {Op::f32x4_gt, inst::cmpps, reversed, kLess},
    {Op::f32x4_ge, inst::cmpps, reversed, kLessEqual},
    {Op::f64x2_eq, inst::cmppd, ordered, kEqual},
    {Op::f64x2_ne, inst::cmppd, ordered, kNotEqual},
    {Op::f64x2_lt, inst::cmppd, ordered, kLess},
    {Op::f64x2_le, inst::cmppd, ordered, kLessEqual},
    {Op::f64x2_gt, inst::cmppd, reversed, kLess},
    {Op::f64x2_ge, inst::cmppd, reversed, kLessEqual},

    {Op::f32x4_add, inst::addps},
    {Op::f32x4_sub, inst::subps},
    {Op::f32x4_mul, inst::mulps},
    {Op::f32x4_div, inst::divps},
    {Op::f64x2_add, inst::addpd},
    {Op::f64x2_sub, inst::subpd},
    {Op::f64x2_mul, inst::mulpd},
    {Op::f64x2_div, inst::divpd},
    // Where neither is smaller (larger), minps (maxps) gives its second operand: what pmin and pmax do with their
    // first.
    {Op::f32x4_pmin, inst::minps, reversed},
    {Op::f32x4_pmax, inst::maxps, reversed},
    {Op::f64x2_pmin, inst::minpd, reversed},
    {Op::f64x2_pmax, inst::maxpd, reversed},
};
constexpr OpTable kBinary(kBinaryRows);

}  // namespace

void vector_unary(MacroAssembler& m, Op op, Xmm dst, Xmm a) {
  if (const Unary* row = kUnary.find(op)) {
    if (row->immediate == kNone) return m.vector_op(row->inst, dst, a);
    return m.vector_op(row->inst, dst, a, static_cast<unsigned>(row->immediate));
  }
  switch (op) {
    case Op::v128_not:
      return m.vector_op2(inst::pxor, dst, a, m.splat8(0xFF));
    case Op::f32x4_abs:
    case Op::f32x4_neg:
    case Op::f64x2_abs:
    case Op::f64x2_neg:
    case Op::i32x4_trunc_sat_f32x4_s:
    case Op::i32x4_trunc_sat_f32x4_u:
    case Op::i32x4_trunc_sat_f64x2_s_zero:
    case Op::i32x4_trunc_sat_f64x2_u_zero:
    case Op::i32x4_relaxed_trunc_f32x4_s:
    case Op::i32x4_relaxed_trunc_f32x4_u:
    case Op::i32x4_relaxed_trunc_f64x2_s_zero:
    case Op::i32x4_relaxed_trunc_f64x2_u_zero:
    case Op::f32x4_convert_i32x4_u:
    case Op::f64x2_convert_low_i32x4_u:
      return simd_float_unary(m, op, dst, a);
    default:
      return simd_integer_unary(m, op, dst, a);
  }
}

void vector_binary(MacroAssembler& m, Op op, Xmm dst, Xmm a, Xmm b) {
  if (const Binary* row = kBinary.find(op)) {
    if (row->operands == reversed) std::swap(a, b);
    if (row->operands == commutative) return m.vector_commutative(row->inst, dst, a, b);
    if (row->immediate == kNone) return m.vector_op2(row->inst, dst, a, b);
    return m.vector_op2(row->inst, dst, a, b, static_cast<unsigned>(row->immediate));
  }
  switch (op) {
    case Op::i8x16_swizzle:
    case Op::i8x16_relaxed_swizzle:
      // pshufb reads four bits of an index, and gives 0 where the highest one is set.
      m.vector_op2(inst::paddusb, kS1, b, m.splat8(0x70));
      return m.vector_op2(inst::pshufb, dst, a, kS1);
    case Op::f32x4_min:
    case Op::f32x4_max:
    case Op::f32x4_relaxed_min:
    case Op::f32x4_relaxed_max:
    case Op::f64x2_min:
    case Op::f64x2_max:
    case Op::f64x2_relaxed_min:
    case Op::f64x2_relaxed_max:
      return simd_float_binary(m, op, dst, a, b);
    default:
      return simd_integer_binary(m, op, dst, a, b);
  }
}

void vector_ternary(MacroAssembler& m, Op op, Xmm dst, Xmm a, Xmm b, Xmm c) {
  // Products are rounded before they are added, as everywhere: no fused instruction.
  const auto multiply_add = [&](VectorInst multiply, VectorInst add) {
    m.vector_op2(multiply, kS0, a, b);
    m.vector_op2(add, dst, kS0, c);
  };
  const auto multiply_subtract = [&](VectorInst multiply, VectorInst subtract) {
    m.vector_op2(multiply, kS0, a, b);
    m.vector_op2(subtract, dst, c, kS0);
  };
  switch (op) {
    case Op::v128_bitselect:
    case Op::i8x16_relaxed_laneselect:
    case Op::i16x8_relaxed_laneselect:
    case Op::i32x4_relaxed_laneselect:
    case Op::i64x2_relaxed_laneselect:
      m.vector_op2(inst::pxor, kS1, a, b);
      m.vector_op2(inst::pand, kS1, kS1, c);
      return m.vector_commutative(inst::pxor, dst, kS1, b);
    case Op::f32x4_relaxed_madd:
      return multiply_add(inst::mulps, inst::addps);
    case Op::f64x2_relaxed_madd:
      return multiply_add(inst::mulpd, inst::addpd);
    case Op::f32x4_relaxed_nmadd:
      return multiply_subtract(inst::mulps, inst::subps);
    case Op::f64x2_relaxed_nmadd:
      return multiply_subtract(inst::mulpd, inst::subpd);
    case Op::i32x4_relaxed_dot_i8x16_i7x16_add_s:
      dot_bytes(m, kS0, a, b);
      m.vector_op2(inst::pmaddwd, kS0, kS0, m.splat16(1));
      return m.vector_commutative(inst::paddd, dst, kS0, c);
    default:
      WASI_CHECK(false);
  }
}

x64::CondCode vector_condition(MacroAssembler& m, Op op, Xmm a) {
  const auto no_lane_is_zero = [&](VectorInst equal) {
    m.vector_zero(kS1);
    m.vector_op2(equal, kS1, kS1, a);
    m.vector_op(inst::ptest, kS1, kS1);
    return x64::CondCode::kZ;
  };
  switch (op) {
    case Op::v128_any_true:
      m.vector_op(inst::ptest, a, a);
      return x64::CondCode::kNZ;
    case Op::i8x16_all_true:
      return no_lane_is_zero(inst::pcmpeqb);
    case Op::i16x8_all_true:
      return no_lane_is_zero(inst::pcmpeqw);
    case Op::i32x4_all_true:
      return no_lane_is_zero(inst::pcmpeqd);
    default:
      WASI_CHECK(op == Op::i64x2_all_true);
      return no_lane_is_zero(inst::pcmpeqq);
  }
}

void vector_test(MacroAssembler& m, Op op, Gp dst, Xmm a) {
  switch (op) {
    case Op::i8x16_bitmask:
      return m.vector_op(inst::pmovmskb, dst.r32(), a);
    case Op::i16x8_bitmask:
      m.vector_op2(inst::packsswb, kS1, a, a);
      m.vector_op(inst::pmovmskb, dst.r32(), kS1);
      m.movzx(dst.r32(), dst.r8());
      return;
    case Op::i32x4_bitmask:
      return m.vector_op(inst::movmskps, dst.r32(), a);
    case Op::i64x2_bitmask:
      return m.vector_op(inst::movmskpd, dst.r32(), a);
    default:
      m.xor_(dst.r32(), dst.r32());
      m.set(vector_condition(m, op, a), dst.r8());
  }
}

}  // namespace wasi::jit::baseline

// Vectors of floats: what takes more than one machine instruction.
#include <utility>

#include "base/check.h"
#include "jit/baseline/simd_sequences.h"

namespace wasi::jit::baseline {

using wasm::Op;
using x64::Xmm;

namespace {

constexpr Xmm kS0 = MacroAssembler::kVectorScratch0;
constexpr Xmm kS1 = MacroAssembler::kVectorScratch1;

// Predicates of cmpps.
constexpr unsigned kEqual = 0;
constexpr unsigned kUnordered = 3;
constexpr unsigned kNotLess = 5;

constexpr std::uint32_t kTwoTo31 = 0x4F00'0000;  // as f32

struct Width {
  VectorInst smaller, larger, add, compare;
  x64::Inst::Id blend;
};
constexpr Width kSingle = {inst::minps, inst::maxps, inst::addps, inst::cmpps, x64::Inst::kIdVblendvps};
constexpr Width kDouble = {inst::minpd, inst::maxpd, inst::addpd, inst::cmppd, x64::Inst::kIdVblendvpd};

// minps and maxps give their second operand where neither is smaller or larger: both ways, and of two zeros the one
// with (without) a sign. Where one is a NaN, the sum is what is wanted: the first one, quiet.
void min_max(MacroAssembler& m, const Width& width, bool is_min, Xmm dst, Xmm a, Xmm b) {
  const VectorInst choose = is_min ? width.smaller : width.larger;
  m.vector_op2(choose, kS0, a, b);
  m.vector_op2(choose, kS1, b, a);
  m.vector_op2(is_min ? inst::orps : inst::andps, kS0, kS0, kS1);
  m.vector_op2(width.add, kS1, a, b);
  if (dst == b) std::swap(a, b);  // so that kS1 is kept
  m.vector_op2(width.compare, dst, a, b, kUnordered);
  if (m.cpu().avx) {
    m.emit(width.blend, dst, kS0, kS1, dst);
  } else {
    m.vector_op2(inst::andps, kS1, kS1, dst);
    m.vector_op2(inst::andnps, dst, dst, kS0);
    m.vector_op2(inst::orps, dst, dst, kS1);
  }
}

void trunc_sat_signed(MacroAssembler& m, Xmm dst, Xmm a) {
  // No NaNs; the instruction gives 0x80000000 for what does not fit, and all bits but that one are right above.
  m.vector_op2(inst::cmpps, kS1, a, a, kEqual);
  m.vector_op2(inst::andps, kS1, kS1, a);
  m.vector_op(inst::cvttps2dq, dst, kS1);
  m.vector_op2(inst::cmpps, kS1, kS1, m.splat32(kTwoTo31), kNotLess);
  m.vector_op2(inst::pxor, dst, dst, kS1);
}

void trunc_sat_unsigned(MacroAssembler& m, Xmm dst, Xmm a) {
  // No NaNs and nothing negative: maxps gives its second operand.
  m.vector_zero(kS1);
  m.vector_op2(inst::maxps, kS0, a, kS1);
  // What is above 2^31, at most 2^31 - 1 of it, goes on top of the 2^31 that the instruction gives for the whole.
  m.vector_op2(inst::subps, dst, kS0, m.splat32(kTwoTo31));
  m.vector_op2(inst::cmpps, kS1, dst, m.splat32(kTwoTo31), kNotLess);
  m.vector_op(inst::cvttps2dq, dst, dst);
  m.vector_op2(inst::pxor, dst, dst, kS1);
  m.vector_zero(kS1);
  m.vector_op2(inst::pmaxsd, dst, dst, kS1);
  m.vector_op(inst::cvttps2dq, kS0, kS0);
  m.vector_op2(inst::paddd, dst, dst, kS0);
}

void trunc_sat_double_signed(MacroAssembler& m, Xmm dst, Xmm a) {
  // The largest i32 as the upper bound, 0 for NaNs: minpd gives its second operand. Below the smallest one the
  // instruction gives that.
  m.vector_op2(inst::cmppd, kS1, a, a, kEqual);
  m.vector_op2(inst::andpd, kS1, kS1, m.splat64(0x41DF'FFFF'FFC0'0000));
  m.vector_op2(inst::minpd, kS0, a, kS1);
  m.vector_op(inst::cvttpd2dq, dst, kS0);
}

void trunc_sat_double_unsigned(MacroAssembler& m, Xmm dst, Xmm a) {
  constexpr unsigned kTrunc = 11;
  constexpr unsigned kLowerHalves = 0x88;
  m.vector_zero(kS1);
  m.vector_op2(inst::maxpd, kS0, a, kS1);
  m.vector_op2(inst::minpd, kS0, kS0, m.splat64(0x41EF'FFFF'FFE0'0000));  // the largest u32
  m.vector_op(inst::roundpd, kS0, kS0, kTrunc);
  // Above 2^52 the lower bits of a float are those of the integer.
  m.vector_op2(inst::addpd, kS0, kS0, m.splat64(0x4330'0000'0000'0000));
  m.vector_op2(inst::shufps, dst, kS0, kS1, kLowerHalves);
}

void convert_unsigned(MacroAssembler& m, Xmm dst, Xmm a) {
  // The lower 16 bits as a float above 2^23, the upper ones as one above 2^39; only the last addition rounds.
  constexpr unsigned kUpperWords = 0xAA;
  m.vector_shift(inst::psrld, kS0, a, 16);
  m.vector_op2(inst::pblendw, kS1, a, m.splat32(0x4B00'0000), kUpperWords);
  m.vector_op2(inst::pblendw, kS0, kS0, m.splat32(0x5300'0000), kUpperWords);
  m.vector_op2(inst::subps, kS0, kS0, m.splat32(0x5300'0080));  // 2^39 + 2^23
  m.vector_op2(inst::addps, dst, kS0, kS1);
}

}  // namespace

void simd_float_unary(MacroAssembler& m, Op op, Xmm dst, Xmm a) {
  switch (op) {
    case Op::f32x4_abs:
      return m.vector_op2(inst::andps, dst, a, m.splat32(0x7FFF'FFFF));
    case Op::f32x4_neg:
      return m.vector_op2(inst::xorps, dst, a, m.splat32(0x8000'0000));
    case Op::f64x2_abs:
      return m.vector_op2(inst::andpd, dst, a, m.splat64(0x7FFF'FFFF'FFFF'FFFF));
    case Op::f64x2_neg:
      return m.vector_op2(inst::xorpd, dst, a, m.splat64(0x8000'0000'0000'0000));
    case Op::i32x4_trunc_sat_f32x4_s:
    case Op::i32x4_relaxed_trunc_f32x4_s:
      return trunc_sat_signed(m, dst, a);
    case Op::i32x4_trunc_sat_f32x4_u:
    case Op::i32x4_relaxed_trunc_f32x4_u:
      return trunc_sat_unsigned(m, dst, a);
    case Op::i32x4_trunc_sat_f64x2_s_zero:
    case Op::i32x4_relaxed_trunc_f64x2_s_zero:
      return trunc_sat_double_signed(m, dst, a);
    case Op::i32x4_trunc_sat_f64x2_u_zero:
    case Op::i32x4_relaxed_trunc_f64x2_u_zero:
      return trunc_sat_double_unsigned(m, dst, a);
    case Op::f32x4_convert_i32x4_u:
      return convert_unsigned(m, dst, a);
    case Op::f64x2_convert_low_i32x4_u:
      // As the lower bits of floats from 2^52 on, which is then taken away.
      m.vector_op2(inst::unpcklps, dst, a, m.splat32(0x4330'0000));
      return m.vector_op2(inst::subpd, dst, dst, m.splat64(0x4330'0000'0000'0000));
    default:
      WASI_CHECK(false);
  }
}

void simd_float_binary(MacroAssembler& m, Op op, Xmm dst, Xmm a, Xmm b) {
  switch (op) {
    case Op::f32x4_min:
    case Op::f32x4_relaxed_min:
      return min_max(m, kSingle, true, dst, a, b);
    case Op::f32x4_max:
    case Op::f32x4_relaxed_max:
      return min_max(m, kSingle, false, dst, a, b);
    case Op::f64x2_min:
    case Op::f64x2_relaxed_min:
      return min_max(m, kDouble, true, dst, a, b);
    case Op::f64x2_max:
    case Op::f64x2_relaxed_max:
      return min_max(m, kDouble, false, dst, a, b);
    default:
      WASI_CHECK(false);
  }
}

}  // namespace wasi::jit::baseline

// Vectors of integers: what takes more than one machine instruction, and shifts.
#include "base/check.h"
#include "jit/baseline/simd_sequences.h"
#include "jit/baseline/simd_table.h"
#include "jit/baseline/simd_x64.h"

namespace wasi::jit::baseline {

using wasm::Op;
using x64::Gp;
using x64::Xmm;

namespace {

constexpr Xmm kS0 = MacroAssembler::kVectorScratch0;
constexpr Xmm kS1 = MacroAssembler::kVectorScratch1;

// Orders of pshufd: each 64-bit lane's upper half in both halves; the upper 64 bits; halves twice, of the lower or the
// upper 64 bits.
constexpr unsigned kUpperHalves = 0xF5;
constexpr unsigned kUpper64 = 0xEE;
constexpr unsigned kLowTwice = 0x50;
constexpr unsigned kHighTwice = 0xFA;

void bit_not(MacroAssembler& m, Xmm dst, Xmm a) { m.vector_op2(inst::pxor, dst, a, m.splat8(0xFF)); }

void negate(MacroAssembler& m, VectorInst subtract, Xmm dst, Xmm a) {
  m.vector_zero(kS0);
  m.vector_op2(subtract, dst, kS0, a);
}

// a > b of signed 64-bit lanes.
void greater_64(MacroAssembler& m, Xmm dst, Xmm a, Xmm b) {
  if (m.cpu().avx || m.cpu().sse42) return m.vector_op2(inst::pcmpgtq, dst, a, b);
  // The upper halves decide; where they are equal, b - a has none but the borrow of the lower ones.
  m.vector_op2(inst::psubq, kS0, b, a);
  m.vector_op2(inst::pcmpeqd, kS1, a, b);
  m.vector_op2(inst::pand, kS0, kS0, kS1);
  m.vector_op2(inst::pcmpgtd, kS1, a, b);
  m.vector_op2(inst::por, kS0, kS0, kS1);
  m.vector_op(inst::pshufd, dst, kS0, kUpperHalves);
}

// Comparisons by the larger one: it is a where a >= b, and b where a <= b; the others are the opposites of these.
struct Comparison {
  Op op = wasm::kNoOp;
  VectorInst largest = {};
  VectorInst equal = {};
  bool with_first = false;
  bool is_opposite = false;
};
constexpr Comparison kComparisonRows[] = {
    {Op::i8x16_ge_s, inst::pmaxsb, inst::pcmpeqb, true, false},
    {Op::i8x16_le_s, inst::pmaxsb, inst::pcmpeqb, false, false},
    {Op::i8x16_ge_u, inst::pmaxub, inst::pcmpeqb, true, false},
    {Op::i8x16_le_u, inst::pmaxub, inst::pcmpeqb, false, false},
    {Op::i8x16_lt_u, inst::pmaxub, inst::pcmpeqb, true, true},
    {Op::i8x16_gt_u, inst::pmaxub, inst::pcmpeqb, false, true},
    {Op::i16x8_ge_s, inst::pmaxsw, inst::pcmpeqw, true, false},
    {Op::i16x8_le_s, inst::pmaxsw, inst::pcmpeqw, false, false},
    {Op::i16x8_ge_u, inst::pmaxuw, inst::pcmpeqw, true, false},
    {Op::i16x8_le_u, inst::pmaxuw, inst::pcmpeqw, false, false},
    {Op::i16x8_lt_u, inst::pmaxuw, inst::pcmpeqw, true, true},
    {Op::i16x8_gt_u, inst::pmaxuw, inst::pcmpeqw, false, true},
    {Op::i32x4_ge_s, inst::pmaxsd, inst::pcmpeqd, true, false},
    {Op::i32x4_le_s, inst::pmaxsd, inst::pcmpeqd, false, false},
    {Op::i32x4_ge_u, inst::pmaxud, inst::pcmpeqd, true, false},
    {Op::i32x4_le_u, inst::pmaxud, inst::pcmpeqd, false, false},
    {Op::i32x4_lt_u, inst::pmaxud, inst::pcmpeqd, true, true},
    {Op::i32x4_gt_u, inst::pmaxud, inst::pcmpeqd, false, true},
};
constexpr OpTable kComparisons(kComparisonRows);

void compare(MacroAssembler& m, const Comparison& row, Xmm dst, Xmm a, Xmm b) {
  m.vector_commutative(row.largest, kS1, a, b);
  m.vector_commutative(row.equal, dst, kS1, row.with_first ? a : b);
  if (row.is_opposite) bit_not(m, dst, dst);
}

// The upper half of lanes, extended.
void extend_high(MacroAssembler& m, VectorInst extend_low, Xmm dst, Xmm a) {
  m.vector_op(inst::pshufd, dst, a, kUpper64);
  m.vector_op(extend_low, dst, dst);
}

// Products of bytes.
void multiply_extended(MacroAssembler& m, VectorInst extend_low, bool high, Xmm dst, Xmm a, Xmm b) {
  if (high) {
    extend_high(m, extend_low, kS0, a);
    extend_high(m, extend_low, kS1, b);
  } else {
    m.vector_op(extend_low, kS0, a);
    m.vector_op(extend_low, kS1, b);
  }
  m.vector_op2(inst::pmullw, dst, kS0, kS1);
}
// Products of 16 bits, of which there are instructions for either half.
void multiply_halves(MacroAssembler& m, VectorInst multiply_high, VectorInst interleave, Xmm dst, Xmm a, Xmm b) {
  m.vector_op2(multiply_high, kS0, a, b);
  m.vector_op2(inst::pmullw, kS1, a, b);
  m.vector_op2(interleave, dst, kS1, kS0);
}
// Products of 32 bits: of every second lane.
void multiply_spread(MacroAssembler& m, VectorInst multiply, unsigned order, Xmm dst, Xmm a, Xmm b) {
  m.vector_op(inst::pshufd, kS0, a, order);
  m.vector_op(inst::pshufd, kS1, b, order);
  m.vector_op2(multiply, dst, kS0, kS1);
}

void multiply_64(MacroAssembler& m, Xmm dst, Xmm a, Xmm b) {
  // The upper halves' products with the other one's lower half, and the lower halves'.
  m.vector_shift(inst::psrlq, kS0, b, 32);
  m.vector_op2(inst::pmuludq, kS0, kS0, a);
  m.vector_shift(inst::psrlq, kS1, a, 32);
  m.vector_op2(inst::pmuludq, kS1, kS1, b);
  m.vector_op2(inst::paddq, kS0, kS0, kS1);
  m.vector_shift(inst::psllq, kS0, kS0, 32);
  m.vector_commutative(inst::pmuludq, dst, a, b);
  m.vector_op2(inst::paddq, dst, dst, kS0);
}

// By a table of what four bits count.
void count_bits(MacroAssembler& m, Xmm dst, Xmm a) {
  const x64::Mem four_bits = m.splat8(0x0F);
  const x64::Mem counts = m.constant128(0x0302'0201'0201'0100, 0x0403'0302'0302'0201);
  m.vector_op2(inst::pand, kS0, a, four_bits);
  m.vector_shift(inst::psrlw, kS1, a, 4);
  m.vector_op2(inst::pand, kS1, kS1, four_bits);
  m.vector_op(inst::movaps, dst, counts);
  m.vector_op2(inst::pshufb, dst, dst, kS1);
  m.vector_op(inst::movaps, kS1, counts);
  m.vector_op2(inst::pshufb, kS1, kS1, kS0);
  m.vector_op2(inst::paddb, dst, dst, kS1);
}

struct Shift {
  Op op = wasm::kNoOp;
  VectorInst inst = {};
  std::uint8_t bits = 0;  // of a lane
};
// i64x2.shr_s and the shifts of bytes are made of the unsigned ones, and of those of 16 bits.
constexpr Shift kShiftRows[] = {
    {Op::i8x16_shl, inst::psllw, 8},  {Op::i8x16_shr_s, inst::psraw, 8},  {Op::i8x16_shr_u, inst::psrlw, 8},
    {Op::i16x8_shl, inst::psllw, 16}, {Op::i16x8_shr_s, inst::psraw, 16}, {Op::i16x8_shr_u, inst::psrlw, 16},
    {Op::i32x4_shl, inst::pslld, 32}, {Op::i32x4_shr_s, inst::psrad, 32}, {Op::i32x4_shr_u, inst::psrld, 32},
    {Op::i64x2_shl, inst::psllq, 64}, {Op::i64x2_shr_s, inst::psrlq, 64}, {Op::i64x2_shr_u, inst::psrlq, 64},
};
constexpr OpTable kShifts(kShiftRows);

const Shift& shift_of(Op op) {
  const Shift* row = kShifts.find(op);
  WASI_CHECK(row != nullptr);
  return *row;
}

// Shifts of bytes to the right that keep the sign: each is the upper half of 16 bits. `shift` shifts those.
template <class ShiftWords>
void shift_signed_bytes(MacroAssembler& m, Xmm dst, Xmm a, ShiftWords shift) {
  m.vector_op2(inst::punpckhbw, kS0, a, a);
  m.vector_op2(inst::punpcklbw, dst, a, a);
  shift(kS0);
  shift(dst);
  m.vector_op2(inst::packsswb, dst, dst, kS0);
}

constexpr std::uint64_t kSign64 = 0x8000'0000'0000'0000;

}  // namespace

void dot_bytes(MacroAssembler& m, Xmm dst, Xmm a, Xmm b) {
  // pmaddubsw takes one operand unsigned and saturates: a is its lower seven bits less its sign's 128, and neither part
  // makes a sum that does not fit.
  m.vector_op2(inst::pand, kS0, a, m.splat8(0x7F));
  m.vector_op2(inst::pmaddubsw, kS0, kS0, b);
  m.vector_op2(inst::pand, kS1, a, m.splat8(0x80));
  m.vector_op2(inst::pmaddubsw, kS1, kS1, b);
  m.vector_op2(inst::psubw, dst, kS0, kS1);
}

void simd_integer_unary(MacroAssembler& m, Op op, Xmm dst, Xmm a) {
  switch (op) {
    case Op::i8x16_neg:
      return negate(m, inst::psubb, dst, a);
    case Op::i16x8_neg:
      return negate(m, inst::psubw, dst, a);
    case Op::i32x4_neg:
      return negate(m, inst::psubd, dst, a);
    case Op::i64x2_neg:
      return negate(m, inst::psubq, dst, a);
    case Op::i64x2_abs:
      m.vector_op(inst::pshufd, kS1, a, kUpperHalves);
      m.vector_shift(inst::psrad, kS1, kS1, 31);
      m.vector_op2(inst::pxor, dst, a, kS1);
      return m.vector_op2(inst::psubq, dst, dst, kS1);
    case Op::i8x16_popcnt:
      return count_bits(m, dst, a);
    case Op::i16x8_extend_high_i8x16_s:
      return extend_high(m, inst::pmovsxbw, dst, a);
    case Op::i16x8_extend_high_i8x16_u:
      return extend_high(m, inst::pmovzxbw, dst, a);
    case Op::i32x4_extend_high_i16x8_s:
      return extend_high(m, inst::pmovsxwd, dst, a);
    case Op::i32x4_extend_high_i16x8_u:
      return extend_high(m, inst::pmovzxwd, dst, a);
    case Op::i64x2_extend_high_i32x4_s:
      return extend_high(m, inst::pmovsxdq, dst, a);
    case Op::i64x2_extend_high_i32x4_u:
      return extend_high(m, inst::pmovzxdq, dst, a);
    // Products with 1; pmaddubsw takes its first operand unsigned.
    case Op::i16x8_extadd_pairwise_i8x16_s:
      m.vector_op(inst::movaps, kS0, m.splat8(1));
      return m.vector_op2(inst::pmaddubsw, dst, kS0, a);
    case Op::i16x8_extadd_pairwise_i8x16_u:
      return m.vector_op2(inst::pmaddubsw, dst, a, m.splat8(1));
    case Op::i32x4_extadd_pairwise_i16x8_s:
      return m.vector_op2(inst::pmaddwd, dst, a, m.splat16(1));
    case Op::i32x4_extadd_pairwise_i16x8_u:
      m.vector_shift(inst::psrld, kS1, a, 16);
      m.vector_op2(inst::pand, dst, a, m.splat32(0xFFFF));
      return m.vector_op2(inst::paddd, dst, dst, kS1);
    default:
      WASI_CHECK(false);
  }
}

void simd_integer_binary(MacroAssembler& m, Op op, Xmm dst, Xmm a, Xmm b) {
  if (const Comparison* row = kComparisons.find(op)) return compare(m, *row, dst, a, b);
  switch (op) {
    case Op::i8x16_ne:
      m.vector_commutative(inst::pcmpeqb, dst, a, b);
      return bit_not(m, dst, dst);
    case Op::i16x8_ne:
      m.vector_commutative(inst::pcmpeqw, dst, a, b);
      return bit_not(m, dst, dst);
    case Op::i32x4_ne:
      m.vector_commutative(inst::pcmpeqd, dst, a, b);
      return bit_not(m, dst, dst);
    case Op::i64x2_ne:
      m.vector_commutative(inst::pcmpeqq, dst, a, b);
      return bit_not(m, dst, dst);
    case Op::i64x2_gt_s:
      return greater_64(m, dst, a, b);
    case Op::i64x2_lt_s:
      return greater_64(m, dst, b, a);
    case Op::i64x2_ge_s:
      greater_64(m, dst, b, a);
      return bit_not(m, dst, dst);
    case Op::i64x2_le_s:
      greater_64(m, dst, a, b);
      return bit_not(m, dst, dst);
    case Op::i64x2_mul:
      return multiply_64(m, dst, a, b);
    case Op::i16x8_extmul_low_i8x16_s:
      return multiply_extended(m, inst::pmovsxbw, false, dst, a, b);
    case Op::i16x8_extmul_low_i8x16_u:
      return multiply_extended(m, inst::pmovzxbw, false, dst, a, b);
    case Op::i16x8_extmul_high_i8x16_s:
      return multiply_extended(m, inst::pmovsxbw, true, dst, a, b);
    case Op::i16x8_extmul_high_i8x16_u:
      return multiply_extended(m, inst::pmovzxbw, true, dst, a, b);
    case Op::i32x4_extmul_low_i16x8_s:
      return multiply_halves(m, inst::pmulhw, inst::punpcklwd, dst, a, b);
    case Op::i32x4_extmul_low_i16x8_u:
      return multiply_halves(m, inst::pmulhuw, inst::punpcklwd, dst, a, b);
    case Op::i32x4_extmul_high_i16x8_s:
      return multiply_halves(m, inst::pmulhw, inst::punpckhwd, dst, a, b);
    case Op::i32x4_extmul_high_i16x8_u:
      return multiply_halves(m, inst::pmulhuw, inst::punpckhwd, dst, a, b);
    case Op::i64x2_extmul_low_i32x4_s:
      return multiply_spread(m, inst::pmuldq, kLowTwice, dst, a, b);
    case Op::i64x2_extmul_low_i32x4_u:
      return multiply_spread(m, inst::pmuludq, kLowTwice, dst, a, b);
    case Op::i64x2_extmul_high_i32x4_s:
      return multiply_spread(m, inst::pmuldq, kHighTwice, dst, a, b);
    case Op::i64x2_extmul_high_i32x4_u:
      return multiply_spread(m, inst::pmuludq, kHighTwice, dst, a, b);
    case Op::i16x8_q15mulr_sat_s:
    case Op::i16x8_relaxed_q15mulr_s:
      // Only -1 by -1 does not fit; the instruction gives -1 then.
      m.vector_commutative(inst::pmulhrsw, dst, a, b);
      m.vector_op2(inst::pcmpeqw, kS1, dst, m.splat16(0x8000));
      return m.vector_op2(inst::pxor, dst, dst, kS1);
    case Op::i16x8_relaxed_dot_i8x16_i7x16_s:
      return dot_bytes(m, dst, a, b);
    default:
      WASI_CHECK(false);
  }
}

void vector_shift(MacroAssembler& m, Op op, Xmm dst, Xmm a, Gp count) {
  const Shift& shift = shift_of(op);
  const Gp masked = MacroAssembler::kScratch.r32();
  m.mov(masked, count.r32());
  m.and_(masked, shift.bits - 1);
  if (op == Op::i8x16_shr_s) m.add(masked, 8);
  m.vector_op(inst::movd, kS1, masked);
  switch (op) {
    case Op::i8x16_shr_s:
      return shift_signed_bytes(m, dst, a, [&](Xmm words) { m.vector_op2(shift.inst, words, words, kS1); });
    case Op::i8x16_shl:
      // Bits of the neighbour are cleared by what the shift makes of ones: a number that fits into a byte.
      m.vector_ones(kS0);
      m.vector_op2(inst::psllw, kS0, kS0, kS1);
      m.vector_op2(inst::packsswb, kS0, kS0, kS0);
      break;
    case Op::i8x16_shr_u:
      m.vector_ones(kS0);
      m.vector_op2(inst::psrlw, kS0, kS0, kS1);
      m.vector_shift(inst::psrlw, kS0, kS0, 8);
      m.vector_op2(inst::packuswb, kS0, kS0, kS0);
      break;
    case Op::i64x2_shr_s:
      m.vector_op(inst::movaps, kS0, m.splat64(kSign64));
      m.vector_op2(inst::psrlq, kS0, kS0, kS1);
      break;
    default:
      break;
  }
  m.vector_op2(shift.inst, dst, a, kS1);
  if (shift.bits == 8) m.vector_op2(inst::pand, dst, dst, kS0);
  if (op == Op::i64x2_shr_s) {
    // The sign, which is somewhere within, is extended.
    m.vector_op2(inst::pxor, dst, dst, kS0);
    m.vector_op2(inst::psubq, dst, dst, kS0);
  }
}

void vector_shift_by(MacroAssembler& m, Op op, Xmm dst, Xmm a, std::uint32_t count) {
  const Shift& shift = shift_of(op);
  count %= shift.bits;
  if (count == 0) return m.move(dst, a);
  switch (op) {
    case Op::i8x16_shr_s:
      return shift_signed_bytes(m, dst, a, [&](Xmm words) { m.vector_shift(shift.inst, words, words, 8 + count); });
    case Op::i8x16_shl:
      if (count == 1) return m.vector_op2(inst::paddb, dst, a, a);
      m.vector_shift(shift.inst, dst, a, count);
      return m.vector_op2(inst::pand, dst, dst, m.splat8(static_cast<std::uint8_t>(0xFFU << count)));
    case Op::i8x16_shr_u:
      m.vector_shift(shift.inst, dst, a, count);
      return m.vector_op2(inst::pand, dst, dst, m.splat8(static_cast<std::uint8_t>(0xFFU >> count)));
    case Op::i64x2_shr_s: {
      const x64::Mem sign = m.splat64(kSign64 >> count);
      m.vector_shift(shift.inst, dst, a, count);
      m.vector_op2(inst::pxor, dst, dst, sign);
      return m.vector_op2(inst::psubq, dst, dst, sign);
    }
    default:
      return m.vector_shift(shift.inst, dst, a, count);
  }
}

}  // namespace wasi::jit::baseline

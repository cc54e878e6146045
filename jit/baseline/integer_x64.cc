#include <bit>

#include "base/check.h"
#include "jit/baseline/numeric_x64.h"
#include "jit/baseline/operand_size.h"

namespace wasi::jit::baseline {
namespace {

using wasm::Op;

constexpr x64::Gp kScratch = MacroAssembler::kScratch;

void move(MacroAssembler& m, x64::Gp to, x64::Gp from) {
  if (to != from) m.mov(to, from);
}

// lzcnt, tzcnt and popcnt wait for the old destination on many processors.
void count(MacroAssembler& m, x64::Inst::Id inst, x64::Gp dst, x64::Gp a) {
  if (dst != a) m.xor_(dst.r32(), dst.r32());
  m.emit(inst, dst, a);
}

void clz(MacroAssembler& m, x64::Gp dst, x64::Gp a) {
  if (m.cpu().lzcnt) return count(m, x64::Inst::kIdLzcnt, dst, a);
  // The position of the highest bit, 0 giving one that the subtraction from the last position makes to the width.
  const std::uint32_t last = dst.size() * 8 - 1;
  m.mov(kScratch.r32(), 2 * last + 1);
  m.bsr(dst, a);
  m.cmovz(dst, sized(kScratch, dst.size() == 8));
  m.xor_(dst.r32(), last);
}

void ctz(MacroAssembler& m, x64::Gp dst, x64::Gp a) {
  if (m.cpu().bmi1) return count(m, x64::Inst::kIdTzcnt, dst, a);
  m.mov(kScratch.r32(), dst.size() * 8);
  m.bsf(dst, a);
  m.cmovz(dst, sized(kScratch, dst.size() == 8));
}

// Sums of neighbouring fields, in place: 2, 4, 8 bits; a product adds the bytes up.
void popcnt(MacroAssembler& m, x64::Gp dst, x64::Gp a) {
  if (m.cpu().popcnt) return count(m, x64::Inst::kIdPopcnt, dst, a);
  const bool is_wide = dst.size() == 8;
  const x64::Gp scratch = sized(kScratch, is_wide);
  const auto splat = [&](std::uint8_t byte) {
    return is_wide ? m.constant64(byte * 0x0101'0101'0101'0101U) : m.constant32(byte * 0x0101'0101U);
  };
  m.mov(scratch, a);
  m.shr(scratch, 1);
  m.and_(scratch, splat(0x55));
  move(m, dst, a);
  m.sub(dst, scratch);
  m.mov(scratch, dst);
  m.shr(scratch, 2);
  m.and_(scratch, splat(0x33));
  m.and_(dst, splat(0x33));
  m.add(dst, scratch);
  m.mov(scratch, dst);
  m.shr(scratch, 4);
  m.add(dst, scratch);
  m.and_(dst, splat(0x0F));
  m.imul(dst, splat(0x01));
  m.shr(dst, dst.size() * 8 - 8);
}

struct Shift {
  x64::Inst::Id by_cl;
  x64::Inst::Id by_register = x64::Inst::kIdNone;  // BMI2
};
Shift shift_inst(Op op) {
  switch (op) {
    case Op::i32_shl:
    case Op::i64_shl:
      return {x64::Inst::kIdShl, x64::Inst::kIdShlx};
    case Op::i32_shr_s:
    case Op::i64_shr_s:
      return {x64::Inst::kIdSar, x64::Inst::kIdSarx};
    case Op::i32_shr_u:
    case Op::i64_shr_u:
      return {x64::Inst::kIdShr, x64::Inst::kIdShrx};
    case Op::i32_rotl:
    case Op::i64_rotl:
      return {x64::Inst::kIdRol};
    case Op::i32_rotr:
    case Op::i64_rotr:
      return {x64::Inst::kIdRor};
    default:
      WASI_CHECK(!"a shift");
      return {};
  }
}

// 3, 5 and 9 are what an address of one register can multiply by: 1 + 2, 1 + 4, 1 + 8.
constexpr bool is_lea_factor(std::uint64_t factor) { return factor == 3 || factor == 5 || factor == 9; }
void lea_multiply(MacroAssembler& m, x64::Gp dst, x64::Gp a, std::uint64_t factor) {
  m.lea(dst, x64::ptr(a.r64(), a.r64(), static_cast<std::uint32_t>(std::countr_zero(factor - 1))));
}

}  // namespace

void integer_unary(MacroAssembler& m, Op op, x64::Gp dst, x64::Gp a) {
  switch (op) {
    case Op::i32_clz:
      return clz(m, dst.r32(), a.r32());
    case Op::i64_clz:
      return clz(m, dst.r64(), a.r64());
    case Op::i32_ctz:
      return ctz(m, dst.r32(), a.r32());
    case Op::i64_ctz:
      return ctz(m, dst.r64(), a.r64());
    case Op::i32_popcnt:
      return popcnt(m, dst.r32(), a.r32());
    case Op::i64_popcnt:
      return popcnt(m, dst.r64(), a.r64());
    case Op::i32_extend8_s:
      m.movsx(dst.r32(), a.r8());
      return;
    case Op::i64_extend8_s:
      m.movsx(dst.r64(), a.r8());
      return;
    case Op::i32_extend16_s:
      m.movsx(dst.r32(), a.r16());
      return;
    case Op::i64_extend16_s:
      m.movsx(dst.r64(), a.r16());
      return;
    case Op::i64_extend32_s:
    case Op::i64_extend_i32_s:
      m.movsxd(dst.r64(), a.r32());
      return;
    case Op::i32_wrap_i64:
      m.mov(dst.r32(), a.r32());
      return;
    case Op::i64_extend_i32_u:
      return move(m, dst.r32(), a.r32());
    default:
      WASI_CHECK(!"an integer instruction with one operand");
  }
}

bool shift_wants_rcx(const CpuFeatures& cpu, Op op) {
  return !cpu.bmi2 || shift_inst(op).by_register == x64::Inst::kIdNone;
}

void shift(MacroAssembler& m, Op op, x64::Gp dst, x64::Gp a, x64::Gp count) {
  const Shift inst = shift_inst(op);
  const bool is_wide = has_wide_result(op);
  const x64::Gp to = sized(dst, is_wide);
  const x64::Gp from = sized(a, is_wide);
  if (!shift_wants_rcx(m.cpu(), op)) {
    m.emit(inst.by_register, to, from, sized(count, is_wide));
    return;
  }
  const x64::Gp rcx = x64::rcx;
  const x64::Gp scratch = sized(kScratch, is_wide);
  dst = dst.r64();
  a = a.r64();
  count = count.r64();
  if (dst == rcx) {
    m.mov(scratch, from);
    move(m, rcx, count);
    m.emit(inst.by_cl, scratch, x64::cl);
    m.mov(to, scratch);
  } else if (count == rcx) {
    move(m, to, from);
    m.emit(inst.by_cl, to, x64::cl);
  } else if (dst == count) {
    // rcx and the number change places, and rcx comes back from where it is then.
    m.xchg(rcx, dst);
    m.mov(scratch, sized(a == rcx ? dst : a == dst ? rcx : a, is_wide));
    m.emit(inst.by_cl, scratch, x64::cl);
    m.mov(rcx, dst);
    m.mov(to, scratch);
  } else {
    m.mov(kScratch, rcx);
    move(m, to, from);
    m.mov(rcx, count);
    m.emit(inst.by_cl, to, x64::cl);
    m.mov(rcx, kScratch);
  }
}

void shift(MacroAssembler& m, Op op, x64::Gp dst, x64::Gp a, std::uint32_t count) {
  const Shift inst = shift_inst(op);
  const bool is_wide = has_wide_result(op);
  const std::uint32_t width = is_wide ? 64 : 32;
  const x64::Gp to = sized(dst, is_wide);
  const x64::Gp from = sized(a, is_wide);
  count &= width - 1;
  if (count == 0) return move(m, to, from);
  if (to != from) {
    if (inst.by_cl == x64::Inst::kIdShl && count == 1) {
      m.lea(to, x64::ptr(a.r64(), a.r64()));
      return;
    }
    if (m.cpu().bmi2 && inst.by_register == x64::Inst::kIdNone) {
      m.rorx(to, from, inst.by_cl == x64::Inst::kIdRol ? width - count : count);
      return;
    }
    m.mov(to, from);
  }
  if (inst.by_cl == x64::Inst::kIdShl && count == 1) {
    m.add(to, to);
    return;
  }
  m.emit(inst.by_cl, to, asmjit::imm(count));
}

void multiply(MacroAssembler& m, Op op, x64::Gp dst, x64::Gp a, std::uint64_t constant) {
  const bool is_wide = has_wide_result(op);
  const x64::Gp to = sized(dst, is_wide);
  const x64::Gp from = sized(a, is_wide);
  const std::int64_t signed_constant =
      is_wide ? static_cast<std::int64_t>(constant) : static_cast<std::int32_t>(static_cast<std::uint32_t>(constant));
  const std::uint64_t bits = is_wide ? constant : static_cast<std::uint32_t>(constant);
  if (bits == 0) {
    m.xor_(dst.r32(), dst.r32());
    return;
  }
  if (signed_constant == -1) {
    move(m, to, from);
    m.neg(to);
    return;
  }
  const auto zeros = static_cast<std::uint32_t>(std::countr_zero(bits));
  const std::uint64_t odd = bits >> zeros;
  const Op shl = is_wide ? Op::i64_shl : Op::i32_shl;
  if (odd == 1) return shift(m, shl, dst, a, zeros);
  if (is_lea_factor(odd)) {
    lea_multiply(m, to, from, odd);
    return shift(m, shl, dst, dst, zeros);
  }
  for (const std::uint64_t factor : {3U, 5U, 9U}) {
    if (bits % factor != 0 || !is_lea_factor(bits / factor)) continue;
    lea_multiply(m, to, from, factor);
    return lea_multiply(m, to, to, bits / factor);
  }
  if (signed_constant == static_cast<std::int32_t>(signed_constant)) {
    m.imul(to, from, signed_constant);
  } else if (to != from) {
    m.mov(to, constant);
    m.imul(to, from);
  } else {
    m.mov(kScratch, constant);
    m.imul(to, kScratch);
  }
}

void wide_add(MacroAssembler& m, Op op, WideGp dst, WideGp a, WideGp b) {
  WASI_CHECK(dst.low != dst.high);
  const bool is_sum = op == Op::i64_add128;
  WASI_CHECK(is_sum || op == Op::i64_sub128);
  // The low half elsewhere, if its place is still needed.
  const bool is_needed = dst.low == a.high || dst.low == b.high || (!is_sum && dst.low == b.low && dst.low != a.low);
  const x64::Gp low = is_needed ? kScratch : dst.low;
  if (is_sum && low == b.low) {
    m.add(low, a.low);
  } else {
    move(m, low, a.low);
    is_sum ? m.add(low, b.low) : m.sub(low, b.low);
  }
  // Moves keep the carry.
  if (dst.high == b.high && dst.high != a.high) {
    if (!is_sum) {
      // a - b - borrow is a + not b + (1 - borrow).
      m.cmc();
      m.not_(dst.high);
    }
    m.adc(dst.high, a.high);
  } else {
    move(m, dst.high, a.high);
    is_sum ? m.adc(dst.high, b.high) : m.sbb(dst.high, b.high);
  }
  move(m, dst.low, low);
}

void wide_multiply(MacroAssembler& m, Op op, x64::Gp b) { op == Op::i64_mul_wide_s ? m.imul(b.r64()) : m.mul(b.r64()); }

}  // namespace wasi::jit::baseline

// Scalar floats. Instructions that write a part of a register would wait for what was in the rest of it: with AVX the
// rest is taken from an operand, else the register is cleared in front.
#include "base/check.h"
#include "jit/baseline/numeric_x64.h"
#include "jit/baseline/operand_size.h"

namespace wasi::jit::baseline {
namespace {

using wasm::Op;

// An instruction on the low lane, and its immediate where it has one.
struct Scalar {
  VectorInst inst;
  int immediate = kNone;
  static constexpr int kNone = -1;
};

// roundss and roundsd: to which direction, and without the exception that nobody looks at.
enum Rounding : std::uint8_t { to_nearest = 8, down = 9, up = 10, to_zero = 11 };

Scalar unary_inst(Op op) {
  switch (op) {
    case Op::f32_ceil:
      return {inst::roundss, up};
    case Op::f64_ceil:
      return {inst::roundsd, up};
    case Op::f32_floor:
      return {inst::roundss, down};
    case Op::f64_floor:
      return {inst::roundsd, down};
    case Op::f32_trunc:
      return {inst::roundss, to_zero};
    case Op::f64_trunc:
      return {inst::roundsd, to_zero};
    case Op::f32_nearest:
      return {inst::roundss, to_nearest};
    case Op::f64_nearest:
      return {inst::roundsd, to_nearest};
    case Op::f32_sqrt:
      return {inst::sqrtss};
    case Op::f64_sqrt:
      return {inst::sqrtsd};
    case Op::f64_promote_f32:
      return {inst::cvtss2sd};
    case Op::f32_demote_f64:
      return {inst::cvtsd2ss};
    default:
      WASI_CHECK(!"a float instruction with one operand");
      return {};
  }
}

VectorInst arithmetic_inst(Op op) {
  switch (op) {
    case Op::f32_add:
      return inst::addss;
    case Op::f64_add:
      return inst::addsd;
    case Op::f32_sub:
      return inst::subss;
    case Op::f64_sub:
      return inst::subsd;
    case Op::f32_mul:
      return inst::mulss;
    case Op::f64_mul:
      return inst::mulsd;
    case Op::f32_div:
      return inst::divss;
    case Op::f64_div:
      return inst::divsd;
    default:
      WASI_CHECK(!"float arithmetic");
      return {};
  }
}

// `upper` is where the rest of the register comes from.
void scalar_unary(MacroAssembler& m, const Scalar& scalar, x64::Xmm dst, x64::Xmm upper, const asmjit::Operand_& a) {
  const bool is_plain = scalar.immediate == Scalar::kNone;
  const asmjit::Imm immediate(scalar.immediate);
  if (m.cpu().avx) {
    is_plain ? m.emit(scalar.inst.avx, dst, upper, a) : m.emit(scalar.inst.avx, dst, upper, a, immediate);
  } else {
    is_plain ? m.emit(scalar.inst.sse, dst, a) : m.emit(scalar.inst.sse, dst, a, immediate);
  }
}

x64::Mem splat(MacroAssembler& m, bool is_wide, bool sign) {
  if (is_wide) return m.splat64(sign ? std::uint64_t{1} << 63 : ~(std::uint64_t{1} << 63));
  return m.splat32(sign ? 0x8000'0000U : 0x7FFF'FFFFU);
}

// In the order of the operands where that costs nothing: it decides which of two NaNs is the result.
void arithmetic(MacroAssembler& m, VectorInst inst, bool is_commutative, x64::Xmm dst, x64::Xmm a, x64::Xmm b) {
  if (is_commutative && !m.cpu().avx) {
    m.vector_commutative(inst, dst, a, b);
  } else {
    m.vector_op2(inst, dst, a, b);
  }
}

// The instruction alone is right for ordered numbers that are not equal; of the others zeros have signs and NaNs have
// to be made quiet.
void extremum(MacroAssembler& m, bool is_wide, bool is_min, x64::Xmm dst, x64::Xmm a, x64::Xmm b) {
  const asmjit::Label equal_or_nan = m.newLabel();
  const asmjit::Label back = m.newLabel();
  m.vector_op(is_wide ? inst::ucomisd : inst::ucomiss, a, b);
  m.je(equal_or_nan);
  const VectorInst fast = is_min ? (is_wide ? inst::minsd : inst::minss) : (is_wide ? inst::maxsd : inst::maxss);
  arithmetic(m, fast, true, dst, a, b);
  m.bind(back);
  m.cold([=](MacroAssembler& cold) {
    const asmjit::Label nan = cold.newLabel();
    cold.bind(equal_or_nan);
    cold.short_().jp(nan);
    cold.vector_commutative(is_min ? inst::orps : inst::andps, dst, a, b);
    cold.jmp(back);
    cold.bind(nan);
    cold.vector_op2(is_wide ? inst::addsd : inst::addss, dst, a, b);
    cold.jmp(back);
  });
}

void copysign(MacroAssembler& m, bool is_wide, x64::Xmm dst, x64::Xmm a, x64::Xmm b) {
  const x64::Xmm sign = MacroAssembler::kVectorScratch1;
  m.vector_op2(inst::andps, sign, b, splat(m, is_wide, true));
  m.vector_op2(inst::andps, dst, a, splat(m, is_wide, false));
  m.vector_op2(inst::orps, dst, dst, sign);
}

// ucomiss and ucomisd say "below" of what is unordered, so that only "above" tests are true comparisons.
struct Comparison {
  Condition condition;
  bool is_swapped = false;
};
Comparison comparison(Op op) {
  using enum Condition::Parity;
  switch (op) {
    case Op::f32_eq:
    case Op::f64_eq:
      return {{x64::CondCode::kE, and_ordered}};
    case Op::f32_ne:
    case Op::f64_ne:
      return {{x64::CondCode::kNE, or_unordered}};
    case Op::f32_gt:
    case Op::f64_gt:
      return {{x64::CondCode::kA}};
    case Op::f32_ge:
    case Op::f64_ge:
      return {{x64::CondCode::kAE}};
    case Op::f32_lt:
    case Op::f64_lt:
      return {{x64::CondCode::kA}, true};
    case Op::f32_le:
    case Op::f64_le:
      return {{x64::CondCode::kAE}, true};
    default:
      WASI_CHECK(!"a comparison of floats");
      return {};
  }
}

}  // namespace

void float_unary(MacroAssembler& m, Op op, x64::Xmm dst, x64::Xmm a) {
  switch (op) {
    case Op::f32_abs:
    case Op::f64_abs:
      m.vector_op2(inst::andps, dst, a, splat(m, op == Op::f64_abs, false));
      return;
    case Op::f32_neg:
    case Op::f64_neg:
      m.vector_op2(inst::xorps, dst, a, splat(m, op == Op::f64_neg, true));
      return;
    default:
      if (!m.cpu().avx && dst != a) m.xorps(dst, dst);
      scalar_unary(m, unary_inst(op), dst, a, a);
  }
}

std::size_t float_unary(MacroAssembler& m, Op op, x64::Xmm dst, const x64::Mem& a) {
  const Scalar scalar = unary_inst(op);
  m.vector_zero(dst);
  const std::size_t access = m.offset();
  scalar_unary(m, scalar, dst, dst, a);
  return access;
}

void float_binary(MacroAssembler& m, Op op, x64::Xmm dst, x64::Xmm a, x64::Xmm b) {
  const bool is_wide = has_wide_result(op);
  switch (op) {
    case Op::f32_min:
    case Op::f64_min:
      return extremum(m, is_wide, true, dst, a, b);
    case Op::f32_max:
    case Op::f64_max:
      return extremum(m, is_wide, false, dst, a, b);
    case Op::f32_copysign:
    case Op::f64_copysign:
      return copysign(m, is_wide, dst, a, b);
    default: {
      const bool is_commutative = op == Op::f32_add || op == Op::f64_add || op == Op::f32_mul || op == Op::f64_mul;
      return arithmetic(m, arithmetic_inst(op), is_commutative, dst, a, b);
    }
  }
}

std::size_t float_binary(MacroAssembler& m, Op op, x64::Xmm dst, x64::Xmm a, const x64::Mem& b) {
  const VectorInst inst = arithmetic_inst(op);
  if (!m.cpu().avx) m.move(dst, a);
  const std::size_t access = m.offset();
  m.cpu().avx ? m.emit(inst.avx, dst, a, b) : m.emit(inst.sse, dst, b);
  return access;
}

Condition float_compare(MacroAssembler& m, Op op, x64::Xmm a, x64::Xmm b) {
  const Comparison compare = comparison(op);
  const VectorInst inst = has_wide_operand(op) ? inst::ucomisd : inst::ucomiss;
  compare.is_swapped ? m.vector_op(inst, b, a) : m.vector_op(inst, a, b);
  return compare.condition;
}

void float_compare(MacroAssembler& m, Op op, x64::Gp dst, x64::Xmm a, x64::Xmm b) {
  const Condition::Parity parity = comparison(op).condition.parity;
  if (parity == Condition::Parity::ignored) {
    m.xor_(dst.r32(), dst.r32());
    m.set(float_compare(m, op, a, b).code, dst.r8());
    return;
  }
  // As a mask of ones: the predicates 0 (equal) and 4 (not equal or unordered).
  const x64::Xmm mask = MacroAssembler::kVectorScratch0;
  m.vector_op2(has_wide_operand(op) ? inst::cmpsd : inst::cmpss, mask, a, b,
               parity == Condition::Parity::and_ordered ? 0 : 4);
  m.vector_op(inst::movd, dst.r32(), mask);
  m.and_(dst.r32(), 1);
}

}  // namespace wasi::jit::baseline

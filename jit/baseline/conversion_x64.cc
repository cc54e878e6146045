// Between integers and floats. The machine's conversions to integers give the smallest number where the float does not
// fit: so one comparison finds what must be looked at again, in cold code.
#include "base/check.h"
#include "jit/baseline/numeric_x64.h"
#include "jit/baseline/operand_size.h"

namespace wasi::jit::baseline {
namespace {

using wasm::Op;

constexpr x64::Gp kScratch = MacroAssembler::kScratch;
constexpr x64::Xmm kFloatScratch = MacroAssembler::kVectorScratch1;

enum class Target : std::uint8_t { s32, u32, s64, u64 };

struct Truncation {
  Target target = Target::s32;
  bool traps = false;
};
Truncation truncation(Op op) {
  switch (op) {
    case Op::i32_trunc_f32_s:
    case Op::i32_trunc_f64_s:
      return {Target::s32, true};
    case Op::i32_trunc_f32_u:
    case Op::i32_trunc_f64_u:
      return {Target::u32, true};
    case Op::i64_trunc_f32_s:
    case Op::i64_trunc_f64_s:
      return {Target::s64, true};
    case Op::i64_trunc_f32_u:
    case Op::i64_trunc_f64_u:
      return {Target::u64, true};
    case Op::i32_trunc_sat_f32_s:
    case Op::i32_trunc_sat_f64_s:
      return {Target::s32, false};
    case Op::i32_trunc_sat_f32_u:
    case Op::i32_trunc_sat_f64_u:
      return {Target::u32, false};
    case Op::i64_trunc_sat_f32_s:
    case Op::i64_trunc_sat_f64_s:
      return {Target::s64, false};
    case Op::i64_trunc_sat_f32_u:
    case Op::i64_trunc_sat_f64_u:
      return {Target::u64, false};
    default:
      WASI_CHECK(!"a truncation");
      return {};
  }
}

// What the sequences have in common; `f` says which float it is.
struct Float {
  bool is_wide;

  [[nodiscard]] VectorInst to_integer() const { return is_wide ? inst::cvttsd2si : inst::cvttss2si; }
  [[nodiscard]] VectorInst compare() const { return is_wide ? inst::ucomisd : inst::ucomiss; }
  [[nodiscard]] VectorInst subtract() const { return is_wide ? inst::subsd : inst::subss; }
  // 2^63 or its negative.
  [[nodiscard]] x64::Mem two_to_63(MacroAssembler& m, bool negative) const {
    if (is_wide) return m.constant64(negative ? 0xC3E0'0000'0000'0000U : 0x43E0'0000'0000'0000U);
    return m.constant32(negative ? 0xDF00'0000U : 0x5F00'0000U);
  }
};

void trap(MacroAssembler& m, Float f, x64::Xmm a, const TruncationTraps& traps) {
  m.vector_op(f.compare(), a, a);
  m.jp(traps.invalid);
  m.jmp(traps.overflow);
}

// Sets flags as a comparison of `a` with zero does.
void compare_with_zero(MacroAssembler& m, Float f, x64::Xmm a) {
  m.vector_zero(kFloatScratch);
  m.vector_op(f.compare(), a, kFloatScratch);
}

// For what does not fit a signed integer; `dst` is the smallest one.
void saturate_signed(MacroAssembler& m, Float f, x64::Gp dst, x64::Xmm a, const asmjit::Label& back) {
  const asmjit::Label nan = m.newLabel();
  compare_with_zero(m, f, a);
  m.short_().jp(nan);
  m.jb(back);
  m.not_(dst);
  m.jmp(back);
  m.bind(nan);
  m.xor_(dst.r32(), dst.r32());
  m.jmp(back);
}
void saturate_unsigned(MacroAssembler& m, Float f, x64::Gp dst, x64::Xmm a, const asmjit::Label& back) {
  m.xor_(dst.r32(), dst.r32());
  compare_with_zero(m, f, a);
  m.jbe(back);
  m.dec(dst);
  m.jmp(back);
}

void to_s32(MacroAssembler& m, Float f, x64::Gp dst, x64::Xmm a, const TruncationTraps* traps) {
  m.vector_op(f.to_integer(), dst.r32(), a);
  m.cmp(dst.r32(), 1);
  const asmjit::Label smallest = m.newLabel();
  const asmjit::Label back = m.newLabel();
  m.jo(smallest);
  m.bind(back);
  if (traps == nullptr) {
    m.cold([=](MacroAssembler& cold) {
      cold.bind(smallest);
      saturate_signed(cold, f, dst.r32(), a, back);
    });
  } else {
    m.cold([=, traps = *traps](MacroAssembler& cold) {
      cold.bind(smallest);
      cold.vector_op(f.to_integer(), kScratch, a);
      cold.cmp(kScratch, INT32_MIN);
      cold.je(back);
      trap(cold, f, a, traps);
    });
  }
}

void to_u32(MacroAssembler& m, Float f, x64::Gp dst, x64::Xmm a, const TruncationTraps* traps) {
  m.vector_op(f.to_integer(), dst.r64(), a);
  m.mov(kScratch.r32(), dst.r32());
  m.cmp(kScratch, dst.r64());
  const asmjit::Label outside = m.newLabel();
  m.jne(outside);
  if (traps == nullptr) {
    const asmjit::Label back = m.newLabel();
    m.bind(back);
    m.cold([=](MacroAssembler& cold) {
      cold.bind(outside);
      saturate_unsigned(cold, f, dst.r32(), a, back);
    });
  } else {
    m.cold([=, traps = *traps](MacroAssembler& cold) {
      cold.bind(outside);
      trap(cold, f, a, traps);
    });
  }
}

void to_s64(MacroAssembler& m, Float f, x64::Gp dst, x64::Xmm a, const TruncationTraps* traps) {
  m.vector_op(f.to_integer(), dst.r64(), a);
  m.cmp(dst.r64(), 1);
  const asmjit::Label smallest = m.newLabel();
  const asmjit::Label back = m.newLabel();
  m.jo(smallest);
  m.bind(back);
  if (traps == nullptr) {
    m.cold([=](MacroAssembler& cold) {
      cold.bind(smallest);
      saturate_signed(cold, f, dst.r64(), a, back);
    });
  } else {
    m.cold([=, traps = *traps](MacroAssembler& cold) {
      cold.bind(smallest);
      cold.vector_op(f.compare(), a, f.two_to_63(cold, true));
      cold.jp(traps.invalid);
      cold.jne(traps.overflow);
      cold.jmp(back);
    });
  }
}

void to_u64(MacroAssembler& m, Float f, x64::Gp dst, x64::Xmm a, const TruncationTraps* traps) {
  m.vector_op(f.to_integer(), dst.r64(), a);
  m.test(dst.r64(), dst.r64());
  const asmjit::Label negative = m.newLabel();
  const asmjit::Label back = m.newLabel();
  m.js(negative);
  m.bind(back);
  m.cold([=, traps = traps == nullptr ? TruncationTraps{} : *traps](MacroAssembler& cold) {
    const asmjit::Label outside = cold.newLabel();
    cold.bind(negative);
    cold.vector_op2(f.subtract(), kFloatScratch, a, f.two_to_63(cold, false));
    cold.vector_op(f.to_integer(), dst.r64(), kFloatScratch);
    cold.test(dst.r64(), dst.r64());
    cold.short_().js(outside);
    cold.btc(dst.r64(), 63);
    cold.jmp(back);
    cold.bind(outside);
    if (traps.overflow.isValid()) {
      trap(cold, f, a, traps);
    } else {
      saturate_unsigned(cold, f, dst.r64(), a, back);
    }
  });
}

void truncate_to(MacroAssembler& m, Op op, x64::Gp dst, x64::Xmm a, const TruncationTraps* traps) {
  const Truncation truncation = baseline::truncation(op);
  WASI_CHECK(truncation.traps == (traps != nullptr));
  const Float f{.is_wide = has_wide_operand(op)};
  switch (truncation.target) {
    case Target::s32:
      return to_s32(m, f, dst, a, traps);
    case Target::u32:
      return to_u32(m, f, dst, a, traps);
    case Target::s64:
      return to_s64(m, f, dst, a, traps);
    case Target::u64:
      return to_u64(m, f, dst, a, traps);
  }
}

// The conversion leaves the rest of the register as it was, so it would wait for that.
void convert(MacroAssembler& m, bool is_wide_result, x64::Xmm dst, x64::Gp a) {
  const VectorInst convert = is_wide_result ? inst::cvtsi2sd : inst::cvtsi2ss;
  m.cpu().avx ? m.emit(convert.avx, dst, dst, a) : m.emit(convert.sse, dst, a);
}

void from_u64(MacroAssembler& m, bool is_wide_result, x64::Xmm dst, x64::Gp a) {
  const asmjit::Label large = m.newLabel();
  const asmjit::Label back = m.newLabel();
  m.test(a, a);
  m.js(large);
  convert(m, is_wide_result, dst, a);
  m.bind(back);
  m.cold([=](MacroAssembler& cold) {
    // Half of it, with the bit that is lost put into the lowest: it decides where the rest is a tie.
    cold.bind(large);
    cold.mov(kScratch.r32(), a.r32());
    cold.and_(kScratch.r32(), 1);
    cold.add(kScratch.r32(), kScratch.r32());
    cold.or_(kScratch, a);
    cold.shr(kScratch, 1);
    convert(cold, is_wide_result, dst, kScratch);
    cold.vector_op2(is_wide_result ? inst::addsd : inst::addss, dst, dst, dst);
    cold.jmp(back);
  });
}

}  // namespace

void truncate(MacroAssembler& m, Op op, x64::Gp dst, x64::Xmm a, const TruncationTraps& traps) {
  truncate_to(m, op, dst, a, &traps);
}

void float_to_integer(MacroAssembler& m, Op op, x64::Gp dst, x64::Xmm a) {
  switch (op) {
    case Op::i32_reinterpret_f32:
      m.vector_op(inst::movd, dst.r32(), a);
      return;
    case Op::i64_reinterpret_f64:
      m.vector_op(inst::movq, dst.r64(), a);
      return;
    default:
      truncate_to(m, op, dst, a, nullptr);
  }
}

void integer_to_float(MacroAssembler& m, Op op, x64::Xmm dst, x64::Gp a) {
  switch (op) {
    case Op::f32_reinterpret_i32:
      m.vector_op(inst::movd, dst, a.r32());
      return;
    case Op::f64_reinterpret_i64:
      m.vector_op(inst::movq, dst, a.r64());
      return;
    default:
      break;
  }
  m.vector_zero(dst);
  const bool is_wide_result = has_wide_result(op);
  switch (op) {
    case Op::f32_convert_i32_s:
    case Op::f64_convert_i32_s:
      return convert(m, is_wide_result, dst, a.r32());
    case Op::f32_convert_i32_u:  // the upper half is zero
    case Op::f64_convert_i32_u:
    case Op::f32_convert_i64_s:
    case Op::f64_convert_i64_s:
      return convert(m, is_wide_result, dst, a.r64());
    case Op::f32_convert_i64_u:
    case Op::f64_convert_i64_u:
      return from_u64(m, is_wide_result, dst, a.r64());
    default:
      WASI_CHECK(!"a conversion of an integer");
  }
}

}  // namespace wasi::jit::baseline

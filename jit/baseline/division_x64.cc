// Quotients and remainders; by constants as products.
//
// A quotient by a constant is the high part of a product with 2^p / divisor, rounded up ("magic"), which is exact where
// 2^p is large enough against the error of the rounding.
// Source: Henry S. Warren, Hacker's Delight, chapter 10
#include <bit>
#include <cstdint>

#include "base/check.h"
#include "jit/baseline/numeric_x64.h"
#include "jit/baseline/operand_size.h"

namespace wasi::jit::baseline {
namespace {

using wasm::Op;
using UInt128 = unsigned __int128;

constexpr x64::Gp kScratch = MacroAssembler::kScratch;

struct Division {
  bool is_wide = false;
  bool is_signed = false;
  bool is_remainder = false;
};
Division division(Op op) {
  switch (op) {
    case Op::i32_div_s:
      return {false, true, false};
    case Op::i32_div_u:
      return {false, false, false};
    case Op::i32_rem_s:
      return {false, true, true};
    case Op::i32_rem_u:
      return {false, false, true};
    case Op::i64_div_s:
      return {true, true, false};
    case Op::i64_div_u:
      return {true, false, false};
    case Op::i64_rem_s:
      return {true, true, true};
    case Op::i64_rem_u:
      return {true, false, true};
    default:
      WASI_CHECK(!"a division");
      return {};
  }
}

void move(MacroAssembler& m, x64::Gp to, x64::Gp from) {
  if (to != from) m.mov(to, from);
}

// A constant divisor: its size, and where it has a sign, that apart.
struct Divisor {
  std::uint64_t magnitude = 0;
  bool is_negative = false;
};
Divisor read_divisor(const Division& division, std::uint64_t bits) {
  if (!division.is_wide) bits = static_cast<std::uint32_t>(bits);
  if (!division.is_signed) return {bits};
  const std::int64_t value =
      division.is_wide ? static_cast<std::int64_t>(bits) : static_cast<std::int32_t>(static_cast<std::uint32_t>(bits));
  return {value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value), value < 0};
}

// The quotient is the product's high part, shifted by `shift` more. A factor may have one bit more than the word, which
// `factor` then need not hold.
struct Magic {
  std::uint64_t factor = 0;
  std::uint32_t shift = 0;
  bool has_high_bit = false;
};

// For `bits` wide unsigned dividends, and a divisor that is no power of two and less than half of what they can be.
Magic unsigned_magic(std::uint64_t divisor, std::uint32_t bits) {
  const auto floor_log = static_cast<std::uint32_t>(63 - std::countl_zero(divisor));
  // The least power that is exact; at floor_log + 1 it always is.
  for (std::uint32_t shift = 0;; ++shift) {
    const UInt128 numerator = UInt128{1} << (bits + shift);
    const auto error = divisor - static_cast<std::uint64_t>(numerator % divisor);
    if (shift <= floor_log && error > (std::uint64_t{1} << shift)) continue;
    const UInt128 factor = numerator / divisor + 1;
    return {static_cast<std::uint64_t>(factor), shift, (factor >> bits) != 0};
  }
}

// For signed dividends: `power` less `bits` is the shift, and the factor has `bits` at most.
Magic signed_magic(std::uint64_t divisor, std::uint32_t bits) {
  // The largest dividend of the divisor's last residue.
  const std::uint64_t half = std::uint64_t{1} << (bits - 1);
  const std::uint64_t largest = half - 1 - half % divisor;
  for (std::uint32_t shift = 0;; ++shift) {
    const UInt128 numerator = UInt128{1} << (bits + shift);
    const UInt128 error = divisor - numerator % divisor;
    if (numerator > largest * error) return {static_cast<std::uint64_t>(numerator / divisor + 1), shift};
  }
}

// A dividend plus the divisor less 1: what a negative one has to be, for rounding down to be rounding to zero.
void add_less_one(MacroAssembler& m, x64::Gp to, x64::Gp a, std::uint32_t power) {
  const std::uint64_t addend = (std::uint64_t{1} << power) - 1;
  if (power < 32) {
    m.lea(to, x64::ptr(a.r64(), static_cast<std::int32_t>(addend)));
  } else {
    m.mov(to, addend);
    m.add(to, a);
  }
}

void divide_by_power(MacroAssembler& m, const Division& division, x64::Gp dst, x64::Gp a, Divisor divisor) {
  const auto power = static_cast<std::uint32_t>(std::countr_zero(divisor.magnitude));
  if (!division.is_signed) {
    move(m, dst, a);
    m.shr(dst, power);
    return;
  }
  const x64::Gp other = dst == a ? sized(kScratch, division.is_wide) : dst;
  add_less_one(m, other, a, power);
  m.test(a, a);
  dst == a ? m.cmovs(dst, other) : m.cmovns(dst, a);
  m.sar(dst, power);
  if (divisor.is_negative) m.neg(dst);
}

// The low `bits` of it.
void mask(MacroAssembler& m, x64::Gp dst, x64::Gp a, std::uint32_t bits) {
  if (bits < 32) {
    move(m, dst.r32(), a.r32());
    m.and_(dst.r32(), (1U << bits) - 1);
  } else if (bits == 32) {
    m.mov(dst.r32(), a.r32());
  } else {
    m.mov(kScratch, (std::uint64_t{1} << bits) - 1);
    move(m, dst, a);
    m.and_(dst, kScratch);
  }
}

void remainder_by_power(MacroAssembler& m, const Division& division, x64::Gp dst, x64::Gp a, Divisor divisor) {
  const auto power = static_cast<std::uint32_t>(std::countr_zero(divisor.magnitude));
  if (!division.is_signed) return mask(m, dst, a, power);
  // What is left of the dividend without its multiple.
  const x64::Gp multiple = sized(kScratch, division.is_wide);
  add_less_one(m, multiple, a, power);
  m.test(a, a);
  m.cmovns(multiple, a);
  if (power < 32) {
    m.and_(multiple, -(std::int64_t{1} << power));
  } else {
    m.shr(multiple, power);
    m.shl(multiple, power);
  }
  move(m, dst, a);
  m.sub(dst, multiple);
}

// The quotient is 1 or 0.
void divide_by_large(MacroAssembler& m, const Division& division, x64::Gp dst, x64::Gp a, std::uint64_t divisor) {
  const x64::Gp scratch = sized(kScratch, division.is_wide);
  if (division.is_remainder) {
    division.is_wide ? m.mov(scratch, 0 - divisor) : m.mov(scratch, 0 - static_cast<std::uint32_t>(divisor));
    m.add(scratch, a);  // carries where the divisor fits in
    m.cmovnc(scratch, a);
    move(m, dst, scratch);
    return;
  }
  if (division.is_wide) {
    m.mov(scratch, divisor);
    m.cmp(a, scratch);
  } else {
    m.cmp(a, divisor);
  }
  m.setae(dst.r8());
  m.movzx(dst.r32(), dst.r8());
}

// By a product of 64 bits, in the destination where that may be written before the dividend was read for the last time.
class Division32 {
 public:
  Division32(MacroAssembler& m, const Division& division, x64::Gp dst, x64::Gp a, const Divisor& divisor)
      : m_(m),
        division_(division),
        dst_(dst),
        a_(a),
        divisor_(divisor),
        product_(!division.is_remainder && (!division.is_signed || dst != a) ? dst.r64() : kScratch) {}

  void emit() {
    division_.is_signed ? emit_signed() : emit_unsigned();
    if (!division_.is_remainder) {
      move(m_, dst_, product_.r32());
      if (divisor_.is_negative) m_.neg(dst_);
      return;
    }
    multiply(m_, Op::i32_mul, product_, product_, divisor_.magnitude);
    move(m_, dst_, a_);
    m_.sub(dst_, product_.r32());
  }

 private:
  void emit_unsigned() {
    Magic magic = unsigned_magic(divisor_.magnitude, 32);
    if (magic.has_high_bit) {
      // Rounded down instead, which is exact for the dividend plus 1; the product still has 64 bits.
      magic.shift = static_cast<std::uint32_t>(63 - std::countl_zero(divisor_.magnitude));
      magic.factor = (std::uint64_t{1} << (32 + magic.shift)) / divisor_.magnitude;
      m_.lea(product_, x64::ptr(a_.r64(), 1));
      multiply_product(product_, magic.factor);
    } else {
      multiply_product(a_.r64(), magic.factor);
    }
    m_.shr(product_, 32 + magic.shift);
  }
  void emit_signed() {
    const Magic magic = signed_magic(divisor_.magnitude, 32);
    m_.movsxd(product_, a_);
    multiply_product(product_, magic.factor);
    m_.sar(product_, 32 + magic.shift);
    // Rounded down so far.
    m_.bt(a_, 31);
    m_.adc(product_.r32(), 0);
  }
  // product = factor * from, which is the product or the dividend.
  void multiply_product(x64::Gp from, std::uint64_t factor) {
    if (factor <= INT32_MAX) {
      m_.imul(product_, from, static_cast<std::int32_t>(factor));
    } else if (product_ != from) {
      m_.mov(product_.r32(), factor);
      m_.imul(product_, from);
    } else if (product_ != kScratch) {
      m_.mov(kScratch.r32(), factor);
      m_.imul(product_, kScratch);
    } else if (dst_ != a_) {
      m_.mov(dst_, factor);
      m_.imul(product_, dst_.r64());
    } else {
      m_.imul(product_, m_.constant64(factor));
    }
  }

  MacroAssembler& m_;
  const Division& division_;
  const x64::Gp dst_;
  const x64::Gp a_;
  const Divisor& divisor_;
  const x64::Gp product_;
};

void divide_i64(MacroAssembler& m, const Division& division, x64::Gp dst, x64::Gp a, Divisor divisor) {
  if (a == x64::rax || a == x64::rdx) {
    m.mov(kScratch, a);
    a = kScratch;
  }
  if (division.is_signed) {
    const Magic magic = signed_magic(divisor.magnitude, 64);
    m.mov(x64::rax, magic.factor);
    m.imul(a);
    // As a signed factor it is less by 2^64.
    if (magic.factor >> 63 != 0) m.add(x64::rdx, a);
    if (magic.shift != 0) m.sar(x64::rdx, magic.shift);
    m.bt(a, 63);
    m.adc(x64::rdx, 0);
  } else {
    const Magic magic = unsigned_magic(divisor.magnitude, 64);
    m.mov(x64::rax, magic.factor);
    m.mul(a);
    if (magic.has_high_bit) {
      // (a + high) / 2, which has 65 bits before it is halved.
      m.mov(x64::rax, a);
      m.sub(x64::rax, x64::rdx);
      m.shr(x64::rax, 1);
      m.add(x64::rdx, x64::rax);
    }
    const std::uint32_t shift = magic.shift - (magic.has_high_bit ? 1 : 0);
    if (shift != 0) m.shr(x64::rdx, shift);
  }
  if (!division.is_remainder) {
    if (divisor.is_negative) m.neg(x64::rdx);
    return move(m, dst, x64::rdx);
  }
  if (divisor.magnitude <= INT32_MAX) {
    m.imul(x64::rax, x64::rdx, static_cast<std::int32_t>(divisor.magnitude));
  } else {
    m.mov(x64::rax, divisor.magnitude);
    m.imul(x64::rax, x64::rdx);
  }
  if (dst == x64::rax) {
    m.neg(dst);
    m.add(dst, a);
  } else {
    move(m, dst, a);
    m.sub(dst, x64::rax);
  }
}

enum class Way : std::uint8_t { trap, one, power, large, product };
Way way_of(const Division& division, const Divisor& divisor) {
  if (divisor.magnitude == 0) return Way::trap;
  if (divisor.magnitude == 1) return Way::one;
  if (std::has_single_bit(divisor.magnitude)) return Way::power;
  const std::uint32_t bits = division.is_wide ? 64 : 32;
  if (!division.is_signed && (divisor.magnitude >> (bits - 1)) != 0) return Way::large;
  return Way::product;
}

}  // namespace

void divide(MacroAssembler& m, Op op, x64::Gp divisor, const DivisionTraps& traps) {
  const Division division = baseline::division(op);
  divisor = sized(divisor, division.is_wide);
  const x64::Gp rax = sized(x64::rax, division.is_wide);
  const x64::Gp rdx = sized(x64::rdx, division.is_wide);
  WASI_CHECK(divisor != rax && divisor != rdx);
  if (!division.is_signed) {
    m.test(divisor, divisor);
    m.jz(traps.zero);
    m.xor_(x64::edx, x64::edx);
    m.div(divisor);
    return;
  }
  // 0 and -1 are found by one test.
  const asmjit::Label special = m.newLabel();
  const asmjit::Label back = m.newLabel();
  m.lea(rdx, x64::ptr(divisor.r64(), 1));
  m.cmp(rdx, 1);
  m.jbe(special);
  division.is_wide ? m.cqo() : m.cdq();
  m.idiv(divisor);
  m.bind(back);
  m.cold([=](MacroAssembler& cold) {
    cold.bind(special);
    cold.test(divisor, divisor);
    cold.jz(traps.zero);
    if (division.is_remainder) {
      cold.xor_(x64::edx, x64::edx);
    } else {
      cold.neg(rax);
      cold.jo(traps.overflow);
    }
    cold.jmp(back);
  });
}

bool division_loses_rax_rdx(Op op, std::uint64_t divisor) {
  const Division division = baseline::division(op);
  return division.is_wide && way_of(division, read_divisor(division, divisor)) == Way::product;
}

void divide(MacroAssembler& m, Op op, x64::Gp dst, x64::Gp a, std::uint64_t constant, const DivisionTraps& traps) {
  const Division division = baseline::division(op);
  const Divisor divisor = read_divisor(division, constant);
  dst = sized(dst, division.is_wide);
  a = sized(a, division.is_wide);
  switch (way_of(division, divisor)) {
    case Way::trap:
      m.jmp(traps.zero);
      return;
    case Way::one:
      if (division.is_remainder) {
        m.xor_(dst.r32(), dst.r32());
        return;
      }
      move(m, dst, a);
      if (divisor.is_negative) {
        m.neg(dst);
        m.jo(traps.overflow);
      }
      return;
    case Way::power:
      return division.is_remainder ? remainder_by_power(m, division, dst, a, divisor)
                                   : divide_by_power(m, division, dst, a, divisor);
    case Way::large:
      return divide_by_large(m, division, dst, a, divisor.magnitude);
    case Way::product:
      if (division.is_wide) return divide_i64(m, division, dst, a, divisor);
      return Division32(m, division, dst, a, divisor).emit();
  }
}

}  // namespace wasi::jit::baseline

// Numeric instructions: operands from the model into registers, and the instruction selection of numeric_x64.h.
#include "base/check.h"
#include "jit/baseline/compiler.h"
#include "jit/baseline/numeric_x64.h"

namespace wasi::jit::baseline {

using wasm::Op;
using x64::CondCode;
namespace Inst = x64::Inst;

namespace {

Type operand_type(Op op) { return type_of_letter(wasm::info(op).signature[0]); }
Type result_type(Op op) { return type_of_letter(wasm::info(op).signature.back()); }

asmjit::Operand of_width(x64::Gp reg, Type type) { return is_64(type) ? x64::Gp(reg.r64()) : x64::Gp(reg.r32()); }

// Instructions that take an operand from memory.
bool is_arithmetic(Op op) {
  return (op >= Op::f32_add && op <= Op::f32_div) || (op >= Op::f64_add && op <= Op::f64_div);
}

// As the immediate of an instruction of this width.
std::optional<std::int32_t> immediate_of(const Value& value) {
  if (!value.is_constant()) return std::nullopt;
  const auto low = static_cast<std::int32_t>(static_cast<std::uint32_t>(value.bits));
  if (!is_64(value.type) || static_cast<std::int64_t>(value.bits) == low) return low;
  return std::nullopt;
}

// With operands exchanged.
CondCode swapped(CondCode code) {
  switch (code) {
    case CondCode::kL:
      return CondCode::kG;
    case CondCode::kG:
      return CondCode::kL;
    case CondCode::kLE:
      return CondCode::kGE;
    case CondCode::kGE:
      return CondCode::kLE;
    case CondCode::kB:
      return CondCode::kA;
    case CondCode::kA:
      return CondCode::kB;
    case CondCode::kBE:
      return CondCode::kAE;
    case CondCode::kAE:
      return CondCode::kBE;
    default:
      return code;
  }
}

}  // namespace

// False where the instruction is no scalar numeric one.
bool Compiler::lower_number(Op op) {
  switch (op) {
    case Op::i32_add:
    case Op::i64_add:
      integer_add(op);
      return true;
    case Op::i32_sub:
    case Op::i64_sub:
      integer_subtract(op);
      return true;
    case Op::i32_and:
    case Op::i64_and:
      integer_and(op);
      return true;
    case Op::i32_or:
    case Op::i64_or:
      integer_binary(op, Inst::kIdOr, true);
      return true;
    case Op::i32_xor:
    case Op::i64_xor:
      integer_binary(op, Inst::kIdXor, true);
      return true;
    case Op::i32_mul:
    case Op::i64_mul:
      integer_multiply(op);
      return true;
    case Op::i32_shl:
    case Op::i32_shr_s:
    case Op::i32_shr_u:
    case Op::i32_rotl:
    case Op::i32_rotr:
    case Op::i64_shl:
    case Op::i64_shr_s:
    case Op::i64_shr_u:
    case Op::i64_rotl:
    case Op::i64_rotr:
      integer_shift(op);
      return true;
    case Op::i32_div_s:
    case Op::i32_div_u:
    case Op::i32_rem_s:
    case Op::i32_rem_u:
    case Op::i64_div_s:
    case Op::i64_div_u:
    case Op::i64_rem_s:
    case Op::i64_rem_u:
      integer_divide(op);
      return true;
    case Op::i32_eqz:
      test_zero(Type::i32);
      return true;
    case Op::i64_eqz:
      test_zero(Type::i64);
      return true;
    case Op::i32_eq:
    case Op::i64_eq:
      integer_compare(op, CondCode::kE);
      return true;
    case Op::i32_ne:
    case Op::i64_ne:
      integer_compare(op, CondCode::kNE);
      return true;
    case Op::i32_lt_s:
    case Op::i64_lt_s:
      integer_compare(op, CondCode::kL);
      return true;
    case Op::i32_lt_u:
    case Op::i64_lt_u:
      integer_compare(op, CondCode::kB);
      return true;
    case Op::i32_gt_s:
    case Op::i64_gt_s:
      integer_compare(op, CondCode::kG);
      return true;
    case Op::i32_gt_u:
    case Op::i64_gt_u:
      integer_compare(op, CondCode::kA);
      return true;
    case Op::i32_le_s:
    case Op::i64_le_s:
      integer_compare(op, CondCode::kLE);
      return true;
    case Op::i32_le_u:
    case Op::i64_le_u:
      integer_compare(op, CondCode::kBE);
      return true;
    case Op::i32_ge_s:
    case Op::i64_ge_s:
      integer_compare(op, CondCode::kGE);
      return true;
    case Op::i32_ge_u:
    case Op::i64_ge_u:
      integer_compare(op, CondCode::kAE);
      return true;
    case Op::i32_clz:
    case Op::i32_ctz:
    case Op::i32_popcnt:
    case Op::i64_clz:
    case Op::i64_ctz:
    case Op::i64_popcnt:
    case Op::i32_extend8_s:
    case Op::i32_extend16_s:
    case Op::i64_extend8_s:
    case Op::i64_extend16_s:
    case Op::i64_extend32_s:
    case Op::i32_wrap_i64:
    case Op::i64_extend_i32_s:
    case Op::i64_extend_i32_u:
      integer_convert(op);
      return true;
    case Op::f32_abs:
    case Op::f32_neg:
    case Op::f32_ceil:
    case Op::f32_floor:
    case Op::f32_trunc:
    case Op::f32_nearest:
    case Op::f32_sqrt:
    case Op::f64_abs:
    case Op::f64_neg:
    case Op::f64_ceil:
    case Op::f64_floor:
    case Op::f64_trunc:
    case Op::f64_nearest:
    case Op::f64_sqrt:
    case Op::f32_demote_f64:
    case Op::f64_promote_f32:
      float_to_float(op);
      return true;
    case Op::f32_add:
    case Op::f32_sub:
    case Op::f32_mul:
    case Op::f32_div:
    case Op::f32_min:
    case Op::f32_max:
    case Op::f32_copysign:
    case Op::f64_add:
    case Op::f64_sub:
    case Op::f64_mul:
    case Op::f64_div:
    case Op::f64_min:
    case Op::f64_max:
    case Op::f64_copysign:
      float_operation(op);
      return true;
    case Op::f32_eq:
    case Op::f32_ne:
    case Op::f32_lt:
    case Op::f32_gt:
    case Op::f32_le:
    case Op::f32_ge:
    case Op::f64_eq:
    case Op::f64_ne:
    case Op::f64_lt:
    case Op::f64_gt:
    case Op::f64_le:
    case Op::f64_ge:
      float_comparison(op);
      return true;
    case Op::i32_trunc_f32_s:
    case Op::i32_trunc_f32_u:
    case Op::i32_trunc_f64_s:
    case Op::i32_trunc_f64_u:
    case Op::i64_trunc_f32_s:
    case Op::i64_trunc_f32_u:
    case Op::i64_trunc_f64_s:
    case Op::i64_trunc_f64_u:
    case Op::i32_trunc_sat_f32_s:
    case Op::i32_trunc_sat_f32_u:
    case Op::i32_trunc_sat_f64_s:
    case Op::i32_trunc_sat_f64_u:
    case Op::i64_trunc_sat_f32_s:
    case Op::i64_trunc_sat_f32_u:
    case Op::i64_trunc_sat_f64_s:
    case Op::i64_trunc_sat_f64_u:
    case Op::i32_reinterpret_f32:
    case Op::i64_reinterpret_f64:
      from_float(op);
      return true;
    case Op::f32_convert_i32_s:
    case Op::f32_convert_i32_u:
    case Op::f32_convert_i64_s:
    case Op::f32_convert_i64_u:
    case Op::f64_convert_i32_s:
    case Op::f64_convert_i32_u:
    case Op::f64_convert_i64_s:
    case Op::f64_convert_i64_u:
    case Op::f32_reinterpret_i32:
    case Op::f64_reinterpret_i64:
      to_float(op);
      return true;
    case Op::i64_add128:
    case Op::i64_sub128:
      wide_sum(op);
      return true;
    case Op::i64_mul_wide_s:
    case Op::i64_mul_wide_u:
      wide_product(op);
      return true;
    default:
      return false;
  }
}

// --- integers

// In place where an operand's register, or the local that is set next, can be the destination.
void Compiler::integer_binary(Op op, asmjit::InstId inst, bool commutative) {
  const Type type = operand_type(op);
  Value b = pop();
  Value a = pop();
  const auto hint = register_of_next_set(type);
  if (b.where == Where::access) {
    const x64::Gp dst = result_gpr(type, a, &deferred_.index);
    copy_to(dst, a);
    access_deferred(asm_.offset());
    asm_.emit(inst, of_width(dst, type), deferred_.memory);
    note_result_flags(dst, type);
    release_address(deferred_);
    release(a, dst);
    return push_register(type, dst);
  }
  if (commutative) {
    const bool b_is_better =
        a.is_constant() || (hint && is_in(b, Bank::general, *hint) && !is_in(a, Bank::general, *hint)) ||
        (a.where != Where::reg && b.where == Where::reg && !(hint && is_in(a, Bank::general, *hint)));
    if (b_is_better) std::swap(a, b);
  }
  auto immediate = immediate_of(b);
  if (immediate && !applies(Optimisation::immediates)) immediate.reset();
  if (b.is_constant() && !immediate) static_cast<void>(in_gpr(b));
  const x64::Gp dst = result_gpr(type, a, &b);
  copy_to(dst, a);
  if (immediate) {
    asm_.emit(inst, of_width(dst, type), asmjit::imm(*immediate));
  } else {
    asm_.emit(inst, of_width(dst, type), gpr_or_memory(b));
  }
  if (inst != Inst::kIdImul) note_result_flags(dst, type);
  release(a, dst);
  release(b, dst);
  push_register(type, dst);
}

void Compiler::note_result_flags(x64::Gp reg, Type type) {
  result_flags_ = {asm_.offset(), static_cast<std::uint8_t>(reg.id()), type};
}

bool Compiler::has_result_flags(x64::Gp reg, Type type) {
  return result_flags_.offset == asm_.offset() && result_flags_.reg == reg.id() && result_flags_.type == type &&
         applies(Optimisation::result_flags);
}

// Of the flags, those that say whether it is zero or negative are of use.
void Compiler::test_register(x64::Gp reg, Type type) {
  if (!has_result_flags(reg, type)) asm_.test(of_width(reg, type).as<x64::Gp>(), of_width(reg, type).as<x64::Gp>());
}

// Of which only whether it is zero is asked for, where the next instruction does.
void Compiler::integer_and(Op op) {
  const Type type = operand_type(op);
  const bool is_tested = type == Type::i32 ? next_takes_condition() : next_opcode() == code_of(Op::i64_eqz);
  if (!is_tested || stack_.back().where == Where::access) return integer_binary(op, Inst::kIdAnd, true);
  Value b = pop();
  Value a = pop();
  if (a.is_constant()) std::swap(a, b);
  const x64::Gp reg = of_width(in_gpr(a), type).as<x64::Gp>();
  if (const auto immediate = immediate_of(b)) {
    asm_.test(reg, *immediate);
  } else {
    asm_.test(reg, of_width(in_gpr(b), type).as<x64::Gp>());
  }
  release(a);
  release(b);
  flags_ = {.code = CondCode::kNZ};
  add(Where::flags, Type::i32);
  has_flags_ = true;
}

// With three operands where none of them need be lost.
void Compiler::integer_add(Op op) {
  const Type type = operand_type(op);
  if (stack_.back().where == Where::scaled) return add_scaled(type);
  if (stack_.back().where == Where::access) return integer_binary(op, Inst::kIdAdd, true);
  const Value& below = stack_[stack_.size() - 2];
  const Value& top = stack_.back();
  const auto in_register = [this](const Value& value) {
    return value.where == Where::reg || (value.where == Where::local && locals_[value.local].is_pinned());
  };
  const auto hint = register_of_sum(type);
  const bool is_in_place = hint && (is_in(below, Bank::general, *hint) || is_in(top, Bank::general, *hint));
  const auto immediate = immediate_of(top);
  const bool fits = in_register(below) && (in_register(top) || immediate);
  const bool reuses = (below.where == Where::reg || (top.where == Where::reg && !immediate)) && !hint;
  if (!fits || is_in_place || reuses || !applies(Optimisation::lea)) return integer_binary(op, Inst::kIdAdd, true);
  Value b = pop();
  Value a = pop();
  const x64::Gp dst = result_gpr(type, a);
  const x64::Gp lhs = in_gpr(a);
  const x64::Mem sum = immediate ? x64::ptr(lhs, *immediate) : x64::ptr(lhs, in_gpr(b));
  if (is_64(type)) {
    asm_.lea(dst.r64(), sum);
  } else {
    asm_.lea(dst.r32(), sum);
  }
  release(a, dst);
  release(b, dst);
  push_register(type, dst);
}

// Of a constant: its opposite is added, since a sum may have three operands.
void Compiler::integer_subtract(Op op) {
  Value& top = stack_.back();
  const auto immediate = immediate_of(top);
  if (!immediate || *immediate == INT32_MIN || options_.without.has(Optimisation::lea)) {
    return integer_binary(op, Inst::kIdSub, false);
  }
  top.bits = is_64(top.type) ? -top.bits : -top.bits & UINT32_MAX;
  integer_add(op == Op::i32_sub ? Op::i32_add : Op::i64_add);
}

// As register_of_next_set(), before the operands are popped.
std::optional<std::uint8_t> Compiler::register_of_sum(Type type) const {
  const std::uint8_t opcode = next_opcode();
  if (opcode != code_of(Op::local_set) && opcode != code_of(Op::local_tee)) return std::nullopt;
  return register_of_set(type, 2);
}

// A shift that the addition behind it can make.
bool Compiler::is_scale(Op op, std::uint64_t count) {
  if (count == 0 || count > 3 || (op != Op::i32_shl && op != Op::i64_shl) || stack_.empty()) return false;
  const std::uint16_t add = wasm::info(op == Op::i32_shl ? Op::i32_add : Op::i64_add).code;
  return next_opcode() == add && applies(Optimisation::lea);
}

void Compiler::add_scaled(Type type) {
  const Value index = pop();
  Value base = pop();
  const x64::Gp scaled = Assembler::gpr(index.reg);
  const auto shift = static_cast<std::uint32_t>(index.bits);
  const x64::Gp other = in_gpr(base);
  const Value reused{.where = Where::reg, .type = type, .reg = index.reg};
  const x64::Gp dst = result_gpr(type, base.where == Where::reg ? base : reused);
  const x64::Mem address = x64::ptr(other, scaled, shift);
  if (is_64(type)) {
    asm_.lea(dst.r64(), address);
  } else {
    asm_.lea(dst.r32(), address);
  }
  release(base, dst);
  release(index, dst);
  push_register(type, dst);
}

void Compiler::integer_multiply(Op op) {
  const Type type = operand_type(op);
  const bool has_constant = stack_[stack_.size() - 2].is_constant() || stack_.back().is_constant();
  if (!has_constant || !applies(Optimisation::constant_factors)) return integer_binary(op, Inst::kIdImul, true);
  if (!stack_.back().is_constant()) {
    Value b = pop();
    Value a = pop();
    const x64::Gp reg = in_gpr(b);
    const x64::Gp dst = result_gpr(type, b);
    multiply(asm_, op, dst, reg, is_64(type) ? a.bits : a.bits & UINT32_MAX);
    release(b, dst);
    return push_register(type, dst);
  }
  Value b = pop();
  Value a = pop();
  const x64::Gp reg = in_gpr(a);
  const x64::Gp dst = result_gpr(type, a);
  multiply(asm_, op, dst, reg, is_64(type) ? b.bits : b.bits & UINT32_MAX);
  release(a, dst);
  push_register(type, dst);
}

void Compiler::integer_shift(Op op) {
  const Type type = operand_type(op);
  Value b = pop();
  Value a = pop();
  if (b.is_constant()) {
    const x64::Gp reg = in_gpr(a);
    if (is_scale(op, b.bits)) {
      push_register(type, reg);
      stack_.back().where = Where::scaled;
      stack_.back().bits = b.bits;
      return;
    }
    const x64::Gp dst = result_gpr(type, a);
    shift(asm_, op, dst, reg, static_cast<std::uint32_t>(b.bits) & (is_64(type) ? 63U : 31U));
    release(a, dst);
    return push_register(type, dst);
  }
  if (shift_wants_rcx(asm_.cpu(), op)) {
    move_out_of(a, bit(kRcx));
    if (!is_in(b, Bank::general, kRcx)) {
      claim(x64::rcx);
      copy_to(x64::rcx, b);
      release(b);
      b.where = Where::reg;
      b.reg = kRcx;
    }
  }
  const x64::Gp count = in_gpr(b);
  const x64::Gp reg = in_gpr(a);
  const x64::Gp dst = result_gpr(type, a, &b);
  shift(asm_, op, dst, reg, count);
  release(a, dst);
  release(b, dst);
  push_register(type, dst);
}

void Compiler::integer_divide(Op op) {
  const Type type = operand_type(op);
  Value b = pop();
  Value a = pop();
  if (b.is_constant() && !applies(Optimisation::constant_divisors)) static_cast<void>(in_gpr(b));
  DivisionTraps traps;
  if (!b.is_constant() || (b.bits & (is_64(type) ? UINT64_MAX : UINT32_MAX)) == 0) {
    traps.zero = trap_site(TrapCode::integer_divide_by_zero);
  }
  if (!b.is_constant() || static_cast<std::int32_t>(static_cast<std::uint32_t>(b.bits)) == -1) {
    traps.overflow = trap_site(TrapCode::integer_overflow);
  }
  const bool is_quotient = op == Op::i32_div_s || op == Op::i32_div_u || op == Op::i64_div_s || op == Op::i64_div_u;
  if (b.is_constant()) {
    const std::uint64_t divisor = is_64(type) ? b.bits : b.bits & UINT32_MAX;
    const bool loses = division_loses_rax_rdx(op, divisor);
    if (loses) {
      move_out_of(a, bit(kRax) | bit(kRdx));
      claim(x64::rax);
      claim(x64::rdx);
    }
    const x64::Gp reg = in_gpr(a);
    const x64::Gp dst = result_gpr(type, a);
    divide(asm_, op, dst, reg, divisor, traps);
    if (loses) {
      if (dst.id() != kRax) free(Bank::general, kRax);
      if (dst.id() != kRdx) free(Bank::general, kRdx);
    }
    release(a, dst);
    return push_register(type, dst);
  }
  const x64::Gp divisor = in_gpr_but(b, bit(kRax) | bit(kRdx));
  // The dividend to rax, and rdx free.
  if (!is_in(a, Bank::general, kRax)) {
    claim(x64::rax);
    copy_to(x64::rax, a);
    release(a);
  }
  if (!registers_.is_free(Bank::general, kRdx)) evict(Bank::general, kRdx);
  registers_.own(Bank::general, kRdx, RegisterFile::kHeld);
  divide(asm_, op, divisor, traps);
  release(b);
  free(Bank::general, is_quotient ? kRdx : kRax);
  push_register(type, is_quotient ? x64::rax : x64::rdx);
}

void Compiler::integer_convert(Op op) {
  Value a = pop();
  const Type type = result_type(op);
  const x64::Gp reg = in_gpr(a);
  const x64::Gp dst = result_gpr(type, a);
  integer_unary(asm_, op, dst, reg);
  release(a, dst);
  push_register(type, dst);
}

void Compiler::integer_compare(Op op, CondCode code) {
  const Type type = operand_type(op);
  Value b = pop();
  Value a = pop();
  if (b.where == Where::access) {
    const x64::Gp reg = in_gpr(a);
    access_deferred(asm_.offset());
    asm_.emit(Inst::kIdCmp, of_width(reg, type), deferred_.memory);
    release_address(deferred_);
    release(a);
    return push_condition({.code = code});
  }
  if (a.is_constant() && !b.is_constant()) {
    std::swap(a, b);
    code = swapped(code);
  }
  auto immediate = immediate_of(b);
  if (immediate && !applies(Optimisation::immediates)) immediate.reset();
  if (immediate == 0) {
    const x64::Gp reg = in_gpr(a);
    // What a test would say of carry and overflow is not there.
    const bool has_flags =
        code == CondCode::kE || code == CondCode::kNE || code == CondCode::kL || code == CondCode::kGE;
    if (has_flags && has_result_flags(reg, type)) {
      if (code == CondCode::kL) code = CondCode::kS;
      if (code == CondCode::kGE) code = CondCode::kNS;
    } else {
      asm_.test(of_width(reg, type).as<x64::Gp>(), of_width(reg, type).as<x64::Gp>());
    }
  } else if (immediate) {
    const asmjit::Operand lhs = a.is_constant() ? of_width(in_gpr(a), type) : gpr_or_memory(a);
    asm_.emit(Inst::kIdCmp, lhs, asmjit::imm(*immediate));
  } else {
    if (b.is_constant()) static_cast<void>(in_gpr(b));
    const x64::Gp reg = in_gpr(a);
    asm_.emit(Inst::kIdCmp, of_width(reg, type), gpr_or_memory(b));
  }
  release(a);
  release(b);
  push_condition({.code = code});
}

// Of a condition, its opposite.
void Compiler::test_zero(Type type) {
  if (stack_.back().where == Where::flags) {
    pop();
    return push_condition(flags_.negated());
  }
  Value a = pop();
  test_register(in_gpr(a), type);
  release(a);
  push_condition({.code = CondCode::kZ});
}

void Compiler::wide_sum(Op op) {
  Value b_high = pop();
  Value b_low = pop();
  Value a_high = pop();
  Value a_low = pop();
  const WideGp b{in_gpr(b_low), in_gpr(b_high)};
  const WideGp a{in_own_gpr(a_low), in_own_gpr(a_high)};
  wide_add(asm_, op, a, a, b);
  release(b_low);
  release(b_high);
  push_register(Type::i64, a.low);
  push_register(Type::i64, a.high);
}

void Compiler::wide_product(Op op) {
  Value b = pop();
  Value a = pop();
  if (is_in(b, Bank::general, kRax)) std::swap(a, b);
  const x64::Gp factor = in_gpr_but(b, bit(kRax) | bit(kRdx));
  if (!is_in(a, Bank::general, kRax)) {
    claim(x64::rax);
    copy_to(x64::rax, a);
    release(a);
  }
  claim(x64::rdx);
  release(b);
  wide_multiply(asm_, op, factor);
  push_register(Type::i64, x64::rax);
  push_register(Type::i64, x64::rdx);
}

// --- floats

void Compiler::float_to_float(Op op) {
  Value a = pop();
  const Type type = result_type(op);
  const x64::Xmm reg = in_xmm(a);
  const x64::Xmm dst = result_xmm(type, a);
  float_unary(asm_, op, dst, reg);
  release(a, dst);
  push_register(type, dst);
}

// Of a value that no register has.
std::optional<x64::Mem> Compiler::float_in_memory(const Value& value) {
  const bool is_wide = value.type == Type::f64;
  if (value.is_constant() && applies(Optimisation::immediates)) {
    return is_wide ? asm_.constant64(value.bits) : asm_.constant32(static_cast<std::uint32_t>(value.bits));
  }
  const bool is_unpinned = value.where == Where::local && !locals_[value.local].is_pinned();
  if (!(value.where == Where::home || is_unpinned) || !applies(Optimisation::folded_homes)) return std::nullopt;
  return home(is_unpinned ? locals_[value.local].slot : value.slot, is_wide ? 8 : 4);
}

void Compiler::float_operation(Op op) {
  Value b = pop();
  Value a = pop();
  const Type type = result_type(op);
  const x64::Xmm lhs = in_xmm(a);
  if (b.where == Where::access) {
    const x64::Xmm dst = result_xmm(type, a);
    access_deferred(float_binary(asm_, op, dst, lhs, deferred_.memory));
    release_address(deferred_);
    release(a, dst);
    return push_register(type, dst);
  }
  const auto memory = is_arithmetic(op) ? float_in_memory(b) : std::nullopt;
  if (memory) {
    const x64::Xmm dst = result_xmm(type, a);
    float_binary(asm_, op, dst, lhs, *memory);
    release(a, dst);
    return push_register(type, dst);
  }
  const x64::Xmm rhs = in_xmm(b);
  const x64::Xmm dst = result_xmm(type, a);
  float_binary(asm_, op, dst, lhs, rhs);
  release(a, dst);
  release(b, dst);
  push_register(type, dst);
}

void Compiler::float_comparison(Op op) {
  Value b = pop();
  Value a = pop();
  const x64::Xmm lhs = in_xmm(a);
  const x64::Xmm rhs = in_xmm(b);
  release(a);
  release(b);
  if (next_takes_condition()) return push_condition(float_compare(asm_, op, lhs, rhs));
  const x64::Gp dst = result_gpr(Type::i32);
  float_compare(asm_, op, dst, lhs, rhs);
  push_register(Type::i32, dst);
}

void Compiler::from_float(Op op) {
  Value a = pop();
  const Type type = result_type(op);
  const x64::Xmm reg = in_xmm(a);
  const x64::Gp dst = result_gpr(type);
  const bool traps = wasm::info(op).text.find(".trunc_f") != std::string_view::npos;
  if (traps) {
    truncate(asm_, op, dst, reg,
             {trap_site(TrapCode::invalid_conversion_to_integer), trap_site(TrapCode::integer_overflow)});
  } else {
    float_to_integer(asm_, op, dst, reg);
  }
  release(a);
  push_register(type, dst);
}

void Compiler::to_float(Op op) {
  Value a = pop();
  const Type type = result_type(op);
  const x64::Gp reg = in_gpr(a);
  const x64::Xmm dst = result_xmm(type);
  integer_to_float(asm_, op, dst, reg);
  release(a);
  push_register(type, dst);
}

}  // namespace wasi::jit::baseline

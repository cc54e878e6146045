// Scalar numeric instructions as machine code: what each becomes, given registers.
//
// Semantics are those of runtime/numeric.h. The rules of all functions here:
//  - Operands are registers, general ones named by their 64 bits. The destination may be the register of any operand;
//    all other registers keep their values, but for the macro assembler's scratch registers, which hold no value, and
//    for what a function says of rax, rcx and rdx. Operands are never scratch registers. Flags are lost.
//  - An i32 has an upper half of zeros: operands come so, results leave so. Of floats only the low lane counts.
//  - What may trap jumps to a label that it is given.
//  - Where an operand is an x64::Mem, exactly as many bytes are read as the value has, by one instruction: the one that
//    begins at the offset in the code which the function gives.
// What is seldom run goes to MacroAssembler::cold().
#pragma once

#include <cstdint>

#include "jit/baseline/condition.h"
#include "jit/baseline/macro_assembler.h"
#include "jit/common/cpu_features.h"
#include "wasm/opcodes.h"

namespace wasi::jit::baseline {

// Flags (conditions_x64.cc).

// To `target` where the condition holds. Flags are kept.
void branch(MacroAssembler& m, Condition condition, const asmjit::Label& target);
// dst = condition ? 1 : 0. Flags are kept where no parity is looked at.
void set(MacroAssembler& m, Condition condition, x64::Gp dst);
// dst = condition ? a : dst, all of the register. Flags are kept.
void move_if(MacroAssembler& m, Condition condition, x64::Gp dst, x64::Gp a);
void move_if(MacroAssembler& m, Condition condition, x64::Xmm dst, x64::Xmm a);

// Floats (float_x64.cc).

// abs, neg, ceil, floor, trunc, nearest, sqrt, promote, demote.
void float_unary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a);
// The same but abs and neg, which want a register.
std::size_t float_unary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, const x64::Mem& a);
// add, sub, mul, div, min, max, copysign.
void float_binary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Xmm b);
// add, sub, mul, div.
std::size_t float_binary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, const x64::Mem& b);
// eq, ne, lt, gt, le, ge: sets flags.
[[nodiscard]] Condition float_compare(MacroAssembler& m, wasm::Op op, x64::Xmm a, x64::Xmm b);
// The same, as 0 or 1: better than set() behind float_compare().
void float_compare(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Xmm a, x64::Xmm b);

// Integers and floats (conversion_x64.cc).

struct TruncationTraps {
  asmjit::Label invalid;   // of a NaN: TrapCode::invalid_conversion_to_integer
  asmjit::Label overflow;  // TrapCode::integer_overflow
};
// The truncations that trap.
void truncate(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Xmm a, const TruncationTraps& traps);
// The truncations that saturate, and reinterpretations.
void float_to_integer(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Xmm a);
// Conversions and reinterpretations.
void integer_to_float(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Gp a);

// Bits, shifts and products (integer_x64.cc).

// clz, ctz, popcnt, extend8_s, extend16_s, extend32_s, wrap, extend_i32_s, extend_i32_u.
void integer_unary(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Gp a);

// shl, shr_s, shr_u, rotl, rotr by a number in a register. Where shift_wants_rcx(), the number is best in rcx and the
// destination elsewhere; otherwise it takes more instructions, and rcx keeps its value all the same.
[[nodiscard]] bool shift_wants_rcx(const CpuFeatures& cpu, wasm::Op op);
void shift(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Gp a, x64::Gp count);
void shift(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Gp a, std::uint32_t count);

// i32.mul, i64.mul by a constant.
void multiply(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Gp a, std::uint64_t constant);

// add128, sub128. The destinations are two registers; each may be any operand's.
struct WideGp {
  x64::Gp low;
  x64::Gp high;
};
void wide_add(MacroAssembler& m, wasm::Op op, WideGp dst, WideGp a, WideGp b);
// mul_wide_s, mul_wide_u of rax and `b`, which may be any register: low half to rax, high half to rdx.
void wide_multiply(MacroAssembler& m, wasm::Op op, x64::Gp b);

// Quotients and remainders (division_x64.cc).

struct DivisionTraps {
  asmjit::Label zero;      // TrapCode::integer_divide_by_zero
  asmjit::Label overflow;  // TrapCode::integer_overflow
};
// div_s, div_u, rem_s, rem_u of rax by `divisor`, which is neither rax nor rdx. The result is in rax (div) or rdx (rem)
// and the other one of the two is lost.
void divide(MacroAssembler& m, wasm::Op op, x64::Gp divisor, const DivisionTraps& traps);
// The same by a constant, from any register to any. rax and rdx are lost where division_loses_rax_rdx(), unless they
// are `dst`.
[[nodiscard]] bool division_loses_rax_rdx(wasm::Op op, std::uint64_t divisor);
void divide(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Gp a, std::uint64_t divisor, const DivisionTraps& traps);

}  // namespace wasi::jit::baseline

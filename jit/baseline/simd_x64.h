// The machine instructions for each Wasm instruction on vectors, with its operands in registers.
//
// A function serves the instructions of one shape. The destination may be any of the operands' registers; operands
// that are not the destination keep their values. r11, xmm14 and xmm15 are lost and may be no operand, but r11 may be
// in an address. What machines lack is made of what they have, so results are those of runtime/simd.h on every one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "jit/baseline/macro_assembler.h"
#include "wasm/opcodes.h"

namespace wasi::jit::baseline {

// v128 from one, two or three v128.
void vector_unary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a);
void vector_binary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Xmm b);
void vector_ternary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Xmm b, x64::Xmm c);

// Shifts, by an i32 in a register or by one that is known.
void vector_shift(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Gp count);
void vector_shift_by(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, std::uint32_t count);

// any_true, all_true and bitmask: an i32. vector_condition leaves the first two in the flags, for a branch.
void vector_test(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Xmm a);
x64::CondCode vector_condition(MacroAssembler& m, wasm::Op op, x64::Xmm a);

// Lanes. Integers are in general registers, of the upper halves of which i32 get zeros and give anything.
void vector_splat(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Gp value);
void vector_splat(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm value);
void vector_extract(MacroAssembler& m, wasm::Op op, x64::Gp dst, x64::Xmm a, unsigned lane);
void vector_extract(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, unsigned lane);
void vector_replace(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Gp value, unsigned lane);
void vector_replace(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Xmm value, unsigned lane);
// i8x16.shuffle; v128.const.
void vector_shuffle(MacroAssembler& m, x64::Xmm dst, x64::Xmm a, x64::Xmm b, std::span<const std::uint8_t, 16> lanes);
void vector_const(MacroAssembler& m, x64::Xmm dst, std::uint64_t low, std::uint64_t high);

// Accesses to memory, one instruction of which touches it, and no byte that the Wasm instruction does not name. They
// give that instruction's offset in the code.
std::size_t vector_load(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Mem address);
std::size_t vector_load_lane(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Mem address, unsigned lane);
std::size_t vector_store(MacroAssembler& m, x64::Mem address, x64::Xmm a);
std::size_t vector_store_lane(MacroAssembler& m, wasm::Op op, x64::Mem address, x64::Xmm a, unsigned lane);

}  // namespace wasi::jit::baseline

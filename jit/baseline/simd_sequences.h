// Instructions on vectors that are more than one of the machine's, by family; simd_x64.cc sends what is one elsewhere.
#pragma once

#include "jit/baseline/macro_assembler.h"
#include "wasm/opcodes.h"

namespace wasi::jit::baseline {

void simd_integer_unary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a);
void simd_integer_binary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Xmm b);
void simd_float_unary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a);
void simd_float_binary(MacroAssembler& m, wasm::Op op, x64::Xmm dst, x64::Xmm a, x64::Xmm b);

// The sum of b's lanes' products with a's in pairs, of signed bytes, wrapped to 16 bits.
void dot_bytes(MacroAssembler& m, x64::Xmm dst, x64::Xmm a, x64::Xmm b);

}  // namespace wasi::jit::baseline

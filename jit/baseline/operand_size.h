// How wide the operands and the result of a numeric instruction are, from the opcode table.
#pragma once

#include "jit/common/assembler_x64.h"
#include "wasm/opcodes.h"

namespace wasi::jit::baseline {

constexpr bool is_wide_type(char type) { return type == 'l' || type == 'd'; }
constexpr bool has_wide_operand(wasm::Op op) { return is_wide_type(wasm::info(op).signature.front()); }
constexpr bool has_wide_result(wasm::Op op) { return is_wide_type(wasm::info(op).signature.back()); }

// The part of a register that an i64 or an i32 takes.
inline x64::Gp sized(x64::Gp reg, bool is_wide) { return is_wide ? x64::Gp(reg.r64()) : x64::Gp(reg.r32()); }

}  // namespace wasi::jit::baseline

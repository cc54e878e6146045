// The walk's messages. They are made out of line and once, not per instantiation: an error ends the walk.
//
// Each begins with the words that the official test suite expects, then says what was found and where.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "validate/sink.h"

namespace wasi::validate {

std::string type_list(std::span<const wasm::ValType> types);

// `who` wants `expected` on top of what the block may take, of which `found` are the uppermost operands.
std::string mismatch_message(std::string_view who, std::span<const wasm::ValType> expected,
                             std::span<const Operand> found);
// A block gives `expected` at its end (`who`: end, else, ...), and all that is on its stack is `found`.
std::string leftover_message(std::string_view who, std::span<const wasm::ValType> expected,
                             std::span<const Operand> found);
// `who` wants a type of a sort ("a reference"), and `found` is on the stack (bottom: nothing).
std::string sort_message(std::string_view who, std::string_view expected, wasm::ValType found);
// "unknown local 7: the function has 3".
std::string unknown_message(std::string_view what, std::uint64_t index, std::uint64_t count, std::string_view owner);
std::string label_message(std::uint32_t depth, std::size_t open);
// Where it happened: " (in function 12)".
std::string in_function_message(wasm::FuncIndex function);
std::string opcode_message(std::uint8_t prefix, std::uint32_t code);
std::string alignment_message(std::string_view who, bool exact, std::uint32_t align, std::uint32_t access);

}  // namespace wasi::validate

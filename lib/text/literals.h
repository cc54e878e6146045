// Numbers and strings of the text format: exact, and nothing else than the grammar allows.
// Source: https://webassembly.github.io/spec/core/text/values.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/source.h"

namespace wasi::text {

enum class Literal : std::uint8_t {
  ok,
  syntax,  // no such literal
  range,   // too large for its type
};

// Without a sign: indices, sizes, offsets.
Literal parse_unsigned(std::string_view text, std::uint64_t& value);
// With or without a sign, of `bits` bits; the value in two's complement.
Literal parse_integer(std::string_view text, unsigned bits, std::uint64_t& value);
// The bits of the nearest float.
Literal parse_f32(std::string_view text, std::uint32_t& bits);
Literal parse_f64(std::string_view text, std::uint64_t& bits);
// Whether it is any integer or float, whatever its size.
bool is_number(std::string_view text);

// Appends what the string token `token` (with its quotes) stands for to `out`. Returns what is wrong with it, or null.
const char* decode_string(Span token, std::string& out);

}  // namespace wasi::text

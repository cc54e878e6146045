// Numbers, strings and identifiers as the text format spells them.
// Source: https://webassembly.github.io/spec/core/text/values.html
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wasi::text {

template <std::integral T>
void append_number(std::string& out, T value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}
void append_hex(std::string& out, std::uint64_t value, int digits);

// From bits: the shortest decimal that reads back as the same number, "inf", "nan", "nan:0x...".
void append_f32(std::string& out, std::uint32_t bits);
void append_f64(std::string& out, std::uint64_t bits);

// A quoted string of UTF-8. What would not show, or would confuse a terminal, is escaped.
void append_name_string(std::string& out, std::string_view name);
// A quoted string of any bytes: all but printable ASCII is escaped.
void append_data_string(std::string& out, std::span<const std::uint8_t> bytes);

// "$name", or "$\"...\"" where the name has other characters than plain identifiers may.
void append_identifier(std::string& out, std::string_view name);

}  // namespace wasi::text

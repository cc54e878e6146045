#include "text/print_literal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/printable.h"

namespace wasi::text {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

constexpr std::array<bool, 128> kIdentifierChars = [] {
  std::array<bool, 128> chars{};
  for (char c = '0'; c <= '9'; ++c) chars[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) chars[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) chars[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-./:<=>?@\\^_`|~")) chars[static_cast<unsigned char>(c)] = true;
  return chars;
}();

bool is_plain_identifier(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c > 0 && kIdentifierChars[static_cast<unsigned char>(c)]; });
}

void append_byte_escape(std::string& out, std::uint8_t byte) {
  out += '\\';
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

template <class Bits, class Float>
void append_float(std::string& out, Bits bits, int fraction_bits) {
  const Bits fraction = bits & ((Bits{1} << fraction_bits) - 1);
  const auto value = std::bit_cast<Float>(bits);
  if (bits >> (sizeof(Bits) * 8 - 1) != 0) out += '-';
  if (std::isnan(value)) {
    out += "nan";
    if (fraction == Bits{1} << (fraction_bits - 1)) return;  // the canonical one
    out += ":0x";
    append_hex(out, fraction, 1);
    return;
  }
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, std::fabs(value));
  out.append(digits, end);
}

}  // namespace

void append_hex(std::string& out, std::uint64_t value, int digits) {
  const int needed = std::max(digits, (64 - std::countl_zero(value) + 3) / 4);
  for (int i = needed - 1; i >= 0; --i) out += kHexDigits[value >> (4 * i) & 15];
}

void append_f32(std::string& out, std::uint32_t bits) { append_float<std::uint32_t, float>(out, bits, 23); }
void append_f64(std::string& out, std::uint64_t bits) { append_float<std::uint64_t, double>(out, bits, 52); }

void append_name_string(std::string& out, std::string_view name) {
  out += '"';
  while (!name.empty()) {
    const char c = name[0];
    const CodePoint point = first_code_point(name);
    const std::size_t size = std::max<std::size_t>(point.size, 1);
    if (point.size > 1) {
      if (is_hidden(point.code)) {
        out += "\\u{";
        append_hex(out, point.code, 1);
        out += '}';
      } else {
        out.append(name.substr(0, size));
      }
    } else if (!append_short_escape(out, c)) {
      if (point.size == 0 || c < ' ' || c == 0x7F) {
        append_byte_escape(out, static_cast<std::uint8_t>(c));
      } else {
        out += c;
      }
    }
    name.remove_prefix(size);
  }
  out += '"';
}

void append_data_string(std::string& out, std::span<const std::uint8_t> bytes) {
  out += '"';
  for (const std::uint8_t byte : bytes) {
    if (byte >= ' ' && byte < 0x7F && byte != '"' && byte != '\\') {
      out += static_cast<char>(byte);
    } else if (byte >= 0x80 || !append_short_escape(out, static_cast<char>(byte))) {
      append_byte_escape(out, byte);
    }
  }
  out += '"';
}

void append_identifier(std::string& out, std::string_view name) {
  out += '$';
  if (is_plain_identifier(name)) {
    out.append(name);
  } else {
    append_name_string(out, name);
  }
}

}  // namespace wasi::text

#include "text/literals.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace wasi::text {
namespace {

// The value of a digit; 99 where it is none.
unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return 99;
}

// Takes the longest run "digit ('_'? digit)*" off the front of `text`; empty where it does not begin with a digit.
// False where an underscore stands wrong.
bool take_digits(std::string_view& text, unsigned base, std::string_view& digits) {
  std::size_t i = 0;
  bool after_digit = false;
  for (; i < text.size(); ++i) {
    if (digit_value(text[i]) < base) {
      after_digit = true;
    } else if (text[i] == '_' && after_digit) {
      after_digit = false;
    } else {
      break;
    }
  }
  if (i != 0 && !after_digit) return false;
  digits = text.substr(0, i);
  text.remove_prefix(i);
  return true;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A sign, if there is one; true for minus.
bool take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  return negative;
}

// The parts of a float's spelling; digits may hold underscores.
struct FloatParts {
  bool is_hex = false;
  std::string_view integer;
  std::string_view fraction;
  std::int64_t exponent = 0;  // kept within +-kMaxExponent, which is beyond every float's range
};
constexpr std::int64_t kMaxExponent = std::int64_t{1} << 48;

// An unsigned float; integers count.
bool split_float(std::string_view text, FloatParts& parts) {
  parts.is_hex = take_prefix(text, "0x");
  const unsigned base = parts.is_hex ? 16 : 10;
  if (!take_digits(text, base, parts.integer) || parts.integer.empty()) return false;
  if (take_prefix(text, ".") && !take_digits(text, base, parts.fraction)) return false;
  if (text.empty()) return true;
  const char mark = static_cast<char>(text[0] | 0x20);
  if (mark != (parts.is_hex ? 'p' : 'e')) return false;
  text.remove_prefix(1);
  const bool negative = take_sign(text);
  std::string_view digits;
  if (!take_digits(text, 10, digits) || digits.empty() || !text.empty()) return false;
  for (const char c : digits) {
    if (c != '_' && parts.exponent < kMaxExponent) parts.exponent = parts.exponent * 10 + (c - '0');
  }
  if (negative) parts.exponent = -parts.exponent;
  return true;
}

template <class Bits>
struct Format;
template <>
struct Format<std::uint32_t> {
  using Float = float;
  static constexpr int kMantissa = 23;
  static constexpr int kBias = 127;
};
template <>
struct Format<std::uint64_t> {
  using Float = double;
  static constexpr int kMantissa = 52;
  static constexpr int kBias = 1023;
};

// mantissa * 2^exponent, and `sticky` when a little more, rounded to the nearest float, ties to even.
template <class Bits>
Literal round_binary(std::uint64_t mantissa, std::int64_t exponent, bool sticky, Bits& bits) {
  using F = Format<Bits>;
  bits = 0;
  if (mantissa == 0) return Literal::ok;
  const int zeros = std::countl_zero(mantissa);
  mantissa <<= zeros;
  const std::int64_t top = exponent - zeros + 63;  // the exponent of the leading bit
  const std::int64_t lowest = 1 - F::kBias;        // of normal numbers
  if (top > F::kBias) return Literal::range;
  const std::int64_t precision = F::kMantissa + 1 - (top < lowest ? lowest - top : 0);
  if (precision < 0) return Literal::ok;
  std::uint64_t kept = 0;
  std::uint64_t rest = mantissa;  // what is cut off, scaled so that one half is the top bit
  if (precision > 0) {
    kept = mantissa >> (64 - precision);
    rest = mantissa << precision;
  }
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  if (rest > kHalf || (rest == kHalf && (sticky || (kept & 1) != 0))) ++kept;
  // A carry out of the mantissa raises the exponent, as it should.
  const std::uint64_t biased = top < lowest ? 0 : static_cast<std::uint64_t>(top + F::kBias);
  const std::uint64_t all = biased == 0 ? kept : ((biased - 1) << F::kMantissa) + kept;
  if (all >> F::kMantissa > 2 * F::kBias) return Literal::range;
  bits = static_cast<Bits>(all);
  return Literal::ok;
}

template <class Bits>
Literal convert_hex(const FloatParts& parts, Bits& bits) {
  std::uint64_t mantissa = 0;
  std::int64_t exponent = parts.exponent;
  bool sticky = false;
  const auto add = [&](std::string_view digits, bool is_fraction) {
    for (const char c : digits) {
      if (c == '_') continue;
      if (mantissa >> 60 == 0) {
        mantissa = mantissa << 4 | digit_value(c);
        if (is_fraction) exponent -= 4;
      } else {
        sticky = sticky || c != '0';
        if (!is_fraction) exponent += 4;
      }
    }
  };
  add(parts.integer, false);
  add(parts.fraction, true);
  return round_binary(mantissa, exponent, sticky, bits);
}

// The decimal exponent of the leading digit, as far as overflow and underflow need it.
std::int64_t decimal_magnitude(const FloatParts& parts) {
  std::int64_t position = 0;
  bool found = false;
  for (const char c : parts.integer) {
    if (c == '_') continue;
    found = found || c != '0';
    if (found) ++position;
  }
  if (!found) {
    for (const char c : parts.fraction) {
      if (c == '_') continue;
      if (c != '0') break;
      --position;
    }
  }
  return position + parts.exponent;
}

template <class Bits>
Literal convert_decimal(std::string_view text, const FloatParts& parts, Bits& bits) {
  std::string plain;
  if (text.find('_') != std::string_view::npos) {
    for (const char c : text) {
      if (c != '_') plain += c;
    }
    text = plain;
  }
  typename Format<Bits>::Float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range || std::isinf(value)) {
    if (decimal_magnitude(parts) > 0) return Literal::range;
    value = 0;
  }
  bits = std::bit_cast<Bits>(value);
  return Literal::ok;
}

template <class Bits>
Literal parse_float(std::string_view text, Bits& bits) {
  using F = Format<Bits>;
  constexpr Bits kInfinity = Bits{2 * F::kBias + 1} << F::kMantissa;
  const Bits sign = take_sign(text) ? Bits{1} << (8 * sizeof(Bits) - 1) : 0;
  Literal result = Literal::ok;
  if (text == "inf") {
    bits = kInfinity;
  } else if (text == "nan") {
    bits = kInfinity | Bits{1} << (F::kMantissa - 1);
  } else if (take_prefix(text, "nan:")) {
    std::uint64_t payload = 0;
    if (!text.starts_with("0x")) return Literal::syntax;
    result = parse_unsigned(text, payload);
    if (result == Literal::ok && (payload == 0 || payload >> F::kMantissa != 0)) result = Literal::range;
    bits = kInfinity | static_cast<Bits>(payload);
  } else {
    FloatParts parts;
    if (!split_float(text, parts)) return Literal::syntax;
    result = parts.is_hex ? convert_hex(parts, bits) : convert_decimal(text, parts, bits);
  }
  bits |= sign;
  return result;
}

}  // namespace

Literal parse_unsigned(std::string_view text, std::uint64_t& value) {
  value = 0;
  const unsigned base = take_prefix(text, "0x") ? 16 : 10;
  if (text.empty()) return Literal::syntax;
  Literal result = Literal::ok;
  bool after_digit = false;
  for (const char c : text) {
    const unsigned digit = digit_value(c);
    if (digit < base) {
      after_digit = true;
      if (__builtin_mul_overflow(value, std::uint64_t{base}, &value) ||
          __builtin_add_overflow(value, std::uint64_t{digit}, &value)) {
        result = Literal::range;
      }
    } else if (c == '_' && after_digit) {
      after_digit = false;
    } else {
      return Literal::syntax;
    }
  }
  return after_digit ? result : Literal::syntax;
}

Literal parse_integer(std::string_view text, unsigned bits, std::uint64_t& value) {
  const bool negative = take_sign(text);
  const Literal result = parse_unsigned(text, value);
  if (result != Literal::ok) return result;
  const std::uint64_t half = std::uint64_t{1} << (bits - 1);
  if (value > (negative ? half : half - 1 + half)) return Literal::range;
  if (negative) value = ~value + 1;
  return Literal::ok;
}

Literal parse_f32(std::string_view text, std::uint32_t& bits) { return parse_float(text, bits); }
Literal parse_f64(std::string_view text, std::uint64_t& bits) { return parse_float(text, bits); }

bool is_number(std::string_view text) {
  std::uint64_t bits = 0;
  return parse_f64(text, bits) != Literal::syntax;
}

const char* decode_string(Span token, std::string& out) {
  const char* p = token.begin + 1;
  const char* end = token.end - 1;
  while (p < end) {
    const auto* escape = static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(end - p)));
    if (escape == nullptr) escape = end;
    out.append(p, escape);
    if (escape == end) break;
    p = escape + 1;
    switch (*p) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case '"':
      case '\'':
      case '\\':
        out += *p;
        break;
      case 'u': {
        const auto* close = static_cast<const char*>(std::memchr(p, '}', static_cast<std::size_t>(end - p)));
        if (p + 1 == end || p[1] != '{' || close == nullptr) return "illegal escape: expected \\u{...}";
        std::string_view text(p + 2, static_cast<std::size_t>(close - p - 2));
        std::string_view digits;
        if (!take_digits(text, 16, digits) || digits.empty() || !text.empty()) {
          return "illegal escape: expected hexadecimal digits between the braces";
        }
        std::uint32_t code = 0;
        for (const char c : digits) {
          if (c != '_' && code < 0x110000) code = code << 4 | digit_value(c);
        }
        if (code >= 0x110000 || (code >= 0xD800 && code < 0xE000)) {
          return "illegal escape: not a Unicode scalar value";
        }
        const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
        if (code < 0x80) {
          put(code);
        } else if (code < 0x800) {
          put(0xC0 | code >> 6);
          put(0x80 | (code & 0x3F));
        } else if (code < 0x10000) {
          put(0xE0 | code >> 12);
          put(0x80 | (code >> 6 & 0x3F));
          put(0x80 | (code & 0x3F));
        } else {
          put(0xF0 | code >> 18);
          put(0x80 | (code >> 12 & 0x3F));
          put(0x80 | (code >> 6 & 0x3F));
          put(0x80 | (code & 0x3F));
        }
        p = close;
        break;
      }
      default: {
        const unsigned high = digit_value(*p);
        const unsigned low = p + 1 < end ? digit_value(p[1]) : 99;
        if (high > 15 || low > 15) return "illegal escape: expected n, t, r, u, a quote, a backslash or two hex digits";
        out += static_cast<char>(high << 4 | low);
        ++p;
      }
    }
    ++p;
  }
  return nullptr;
}

}  // namespace wasi::text

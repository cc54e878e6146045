// Words of the command line as values.
#include "tools/wasirun/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <type_traits>

namespace wasirun {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

template <std::size_t N>
std::optional<std::uint64_t> factor_of(const Unit (&units)[N], std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

// The whole text as an unsigned integer; "0x" introduces hexadecimal. Empty when it is not one or too large.
std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// Both readings of an n-bit integer: from -2^(n-1) to 2^n - 1.
template <class Unsigned>
std::optional<Unsigned> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto magnitude = parse_unsigned(text);
  constexpr std::uint64_t kMax = std::numeric_limits<Unsigned>::max();
  if (!magnitude || *magnitude > (negative ? kMax / 2 + 1 : kMax)) return std::nullopt;
  const auto value = static_cast<Unsigned>(*magnitude);
  return negative ? static_cast<Unsigned>(0 - value) : value;
}

// "nan:0x400000" with its sign: the text format's notation of a NaN by its payload.
template <class Float>
std::optional<Float> parse_nan(std::string_view text) {
  using Bits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;
  constexpr int kFractionBits = std::numeric_limits<Float>::digits - 1;
  constexpr std::string_view kPrefix = "nan:0x";
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (!text.starts_with(kPrefix)) return std::nullopt;
  const auto payload = parse_unsigned(text.substr(kPrefix.find("0x")));
  if (!payload || *payload == 0 || *payload >> kFractionBits != 0) return std::nullopt;
  const Bits sign = negative ? Bits{1} << (sizeof(Bits) * 8 - 1) : 0;
  const Bits exponent = std::bit_cast<Bits>(std::numeric_limits<Float>::infinity());
  return std::bit_cast<Float>(static_cast<Bits>(sign | exponent | *payload));
}

template <class Float>
std::optional<Float> parse_float(std::string_view text) {
  if (const auto nan = parse_nan<Float>(text)) return nan;
  const std::string copy(text);
  if (copy.empty() || std::isspace(static_cast<unsigned char>(copy.front())) != 0) return std::nullopt;
  char* end = nullptr;
  Float value;
  errno = 0;
  if constexpr (sizeof(Float) == 4) {
    value = std::strtof(copy.c_str(), &end);
  } else {
    value = std::strtod(copy.c_str(), &end);
  }
  if (end != copy.c_str() + copy.size()) return std::nullopt;
  if (errno == ERANGE && std::isinf(value)) return std::nullopt;  // no number of this type is that large
  return value;
}

template <class T>
Parsed<wasi::Value> checked(std::optional<T> value, std::string_view text, const char* what) {
  if (!value) return std::unexpected(fmt::format("\"{}\" is not {}", text, what));
  return wasi::Value(*value);
}

}  // namespace

Parsed<std::uint64_t> parse_size(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1},          {"b", 1},          {"k", 1U << 10},   {"kib", 1U << 10},
                                    {"kb", 1U << 10}, {"m", 1U << 20},   {"mib", 1U << 20}, {"mb", 1U << 20},
                                    {"g", 1U << 30},  {"gib", 1U << 30}, {"gb", 1U << 30}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_unsigned(text.substr(0, digits));
  const auto factor = factor_of(kUnits, lower(text.substr(digits)));
  if (!number || !factor || *number > std::numeric_limits<std::uint64_t>::max() / *factor) {
    return std::unexpected(fmt::format("\"{}\" is not a size; write bytes or a unit, like 65536, 64m or 1g", text));
  }
  return *number * *factor;
}

Parsed<std::uint64_t> parse_count(std::string_view text, std::uint64_t most) {
  const bool is_number = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  const auto number = is_number ? parse_unsigned(text) : std::nullopt;
  if (!number || *number > most) {
    return std::unexpected(fmt::format("\"{}\" is not a number from 0 to {}", text, most));
  }
  return *number;
}

Parsed<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  static constexpr Unit kUnits[] = {{"ns", 1},
                                    {"us", 1'000},
                                    {"ms", 1'000'000},
                                    {"s", 1'000'000'000},
                                    {"m", 60'000'000'000},
                                    {"h", 3'600'000'000'000}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = parse_float<double>(text.substr(0, digits));
  const auto factor = factor_of(kUnits, text.substr(digits));
  // Beyond some centuries a clock's arithmetic overflows.
  constexpr double kMax = 9e18;
  if (!number || !factor || *number * static_cast<double>(*factor) > kMax) {
    return std::unexpected(fmt::format("\"{}\" is not a duration; write a number with a unit, like 5s or 250ms", text));
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*number * static_cast<double>(*factor)));
}

Parsed<Directory> parse_directory(std::string_view text) {
  constexpr std::string_view kMemory = "mem";
  Directory directory;
  const std::string_view given = text;
  const std::size_t separator = text.find("::");
  const bool has_guest = separator != std::string_view::npos;
  // What follows the last colon, unless that belongs to the separator. A host's name may have colons and digits in it,
  // so a size counts only behind a GUEST.
  const std::size_t colon = text.rfind(':');
  const bool has_suffix = colon != std::string_view::npos && !(has_guest && colon <= separator + 1);
  const std::string_view suffix = has_suffix ? text.substr(colon + 1) : std::string_view();
  const bool is_size = has_guest && !suffix.empty() && std::isdigit(static_cast<unsigned char>(suffix.front())) != 0;
  if (is_size) {
    const auto size = parse_size(suffix);
    if (!size) return std::unexpected(size.error());
    directory.limit = *size;
  }
  if (suffix == "ro") directory.access = wasi::Access::read_only;
  if (is_size || suffix == "ro" || suffix == "rw") text = text.substr(0, colon);
  directory.host = text.substr(0, separator);
  directory.guest = has_guest ? text.substr(separator + 2) : text;
  if (directory.host.empty() || directory.guest.empty()) {
    return std::unexpected(
        fmt::format("\"{}\" is not HOST[::GUEST][:ro] or HOST::GUEST:SIZE, like data::/data:ro", given));
  }
  if (has_guest && directory.host == kMemory) {
    if (directory.access == wasi::Access::read_only) {
      return std::unexpected(
          fmt::format("\"{}\": a directory in memory begins empty, so it is of no use read-only", given));
    }
    directory.host.clear();
  }
  return directory;
}

namespace {

// As Value::to_string prints it: up to 32 hexadecimal digits, the last lane first.
std::optional<wasi::Value> parse_vector(std::string_view text) {
  constexpr std::size_t kHalf = 16;
  if (!text.starts_with("0x") || text.size() > 2 + 2 * kHalf) return std::nullopt;
  text.remove_prefix(2);
  const std::size_t high_digits = text.size() > kHalf ? text.size() - kHalf : 0;
  const auto half = [](std::string_view digits) { return parse_unsigned("0x" + std::string(digits)); };
  const auto high = high_digits == 0 ? std::optional<std::uint64_t>(0) : half(text.substr(0, high_digits));
  const auto low = half(text.substr(high_digits));
  if (!high || !low) return std::nullopt;
  return wasi::Value::from_bits(wasi::ValueType::v128(), {*low, *high});
}

// Types that an i31 belongs to and that no other number could be meant for.
bool takes_i31(wasi::ValueType type) {
  const wasi::ValueType nullable = type.as_nullable();
  return nullable == wasi::ValueType::i31ref() || nullable == wasi::ValueType::eqref() ||
         nullable == wasi::ValueType::anyref();
}

// Both readings of 31 bits, as of the wider integers.
std::optional<wasi::Value> parse_i31(std::string_view text) {
  const auto number = parse_integer<std::uint64_t>(text);
  constexpr std::int64_t kLeast = -(std::int64_t{1} << 30);
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 31) - 1;
  if (!number) return std::nullopt;
  const auto value = static_cast<std::int64_t>(*number);
  if (text.starts_with('-') ? value < kLeast || value > 0 : *number > kMost) return std::nullopt;
  return wasi::Value::from_i31(static_cast<std::int32_t>(value));
}

}  // namespace

Parsed<wasi::Value> parse_value(std::string_view text, wasi::ValueType type) {
  switch (type.kind()) {
    case wasi::ValueType::Kind::i32:
      return checked(parse_integer<std::uint32_t>(text), text, "an i32 (-2147483648 to 4294967295, or 0x...)");
    case wasi::ValueType::Kind::i64:
      return checked(parse_integer<std::uint64_t>(text), text, "an i64 (-2^63 to 2^64-1, or 0x...)");
    case wasi::ValueType::Kind::f32:
      return checked(parse_float<float>(text), text, "an f32");
    case wasi::ValueType::Kind::f64:
      return checked(parse_float<double>(text), text, "an f64");
    case wasi::ValueType::Kind::v128:
      if (const auto value = parse_vector(text)) return *value;
      return std::unexpected(fmt::format("\"{}\" is not a v128 (0x and up to 32 hexadecimal digits)", text));
    case wasi::ValueType::Kind::ref:
    case wasi::ValueType::Kind::ref_null:
      break;
  }
  const bool is_nullable = type.kind() == wasi::ValueType::Kind::ref_null;
  if (is_nullable && text == "null") return wasi::Value::zero_of(type);
  if (takes_i31(type)) {
    if (const auto value = parse_i31(text)) return *value;
    return std::unexpected(fmt::format("\"{}\" is not {}a number of 31 bits, which is what can be given as {}", text,
                                       is_nullable ? "null or " : "", type.to_string()));
  }
  if (is_nullable) {
    return std::unexpected(
        fmt::format("\"{}\": only null can be given on the command line as {}", text, type.to_string()));
  }
  return std::unexpected(
      fmt::format("\"{}\": a value of type {} cannot be given on the command line", text, type.to_string()));
}

}  // namespace wasirun

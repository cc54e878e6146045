// Values in JSON are decimals of the unsigned bits (spec-tests/README.md), so comparing is comparing bits.
// Source of the NaN patterns: https://webassembly.github.io/spec/core/exec/numerics.html#nan-propagation
#include "patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace wasi::spec {

namespace {

// How many bits a lane of a shape has, and whether it holds floats.
struct Lane {
  unsigned bits;
  bool is_float;
};

std::optional<Lane> lane_of(std::string_view shape) {
  if (shape == "i8x16") return Lane{8, false};
  if (shape == "i16x8") return Lane{16, false};
  if (shape == "i32x4") return Lane{32, false};
  if (shape == "i64x2") return Lane{64, false};
  if (shape == "f32x4") return Lane{32, true};
  if (shape == "f64x2") return Lane{64, true};
  return std::nullopt;
}

std::optional<std::uint64_t> bits_of(std::string_view text) {
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return bits;
}

std::uint64_t lane_bits(const Value& value, unsigned width, std::size_t lane) {
  const std::size_t first = lane * width;
  const std::uint64_t word = value.bits()[first / 64];
  return width == 64 ? word : (word >> (first % 64)) & ((1ULL << width) - 1);
}

// `pattern` is a number or one of the two NaN patterns; `width` is 32 or 64 for the latter.
bool matches_bits(std::string_view pattern, std::uint64_t bits, unsigned width) {
  const unsigned mantissa = width == 32 ? 23 : 52;
  const std::uint64_t sign = 1ULL << (width - 1);
  const std::uint64_t quiet = 1ULL << (mantissa - 1);
  const std::uint64_t exponent = (sign - 1) & ~((1ULL << mantissa) - 1);
  if (pattern == "nan:canonical") return (bits & ~sign) == (exponent | quiet);
  if (pattern == "nan:arithmetic") return (bits & (exponent | quiet)) == (exponent | quiet);
  return bits_of(pattern) == bits;
}

std::string text_of(const Json& json, const char* key) {
  const auto member = json.find(key);
  return member != json.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// Patterns that name what a reference refers to and nothing more.
struct KindPattern {
  std::string_view type;
  std::vector<ReferenceKind> kinds;
};
const KindPattern kKindPatterns[] = {
    {"ref.func", {ReferenceKind::function}},
    {"ref.i31", {ReferenceKind::i31}},
    {"ref.struct", {ReferenceKind::structure}},
    {"ref.array", {ReferenceKind::array}},
    {"ref.exn", {ReferenceKind::exception}},
    {"ref.eq", {ReferenceKind::i31, ReferenceKind::structure, ReferenceKind::array}},
    {"ref.any", {ReferenceKind::i31, ReferenceKind::structure, ReferenceKind::array, ReferenceKind::host}},
};

bool matches(const Json& pattern, const Value& value, std::string& unknown) {
  const std::string type = text_of(pattern, "type");
  const std::string expected = text_of(pattern, "value");
  using Kind = ValueType::Kind;
  const Kind kind = value.type().kind();
  if (type == "i32" || type == "f32") {
    return kind == (type == "i32" ? Kind::i32 : Kind::f32) &&
           matches_bits(expected, static_cast<std::uint32_t>(value.bits()[0]), 32);
  }
  if (type == "i64" || type == "f64") {
    return kind == (type == "i64" ? Kind::i64 : Kind::f64) && matches_bits(expected, value.bits()[0], 64);
  }
  if (type == "v128") {
    const auto lane = lane_of(text_of(pattern, "shape"));
    const auto lanes = pattern.find("value");
    if (!lane || lanes == pattern.end() || lanes->size() != 128 / lane->bits) {
      unknown = pattern.dump();
      return false;
    }
    if (kind != Kind::v128) return false;
    for (std::size_t i = 0; i < lanes->size(); ++i) {
      if (!matches_bits((*lanes)[i].get<std::string>(), lane_bits(value, lane->bits, i), lane->bits)) return false;
    }
    return true;
  }
  if (type == "either") {
    for (const Json& one : pattern.at("value")) {
      if (matches(one, value, unknown)) return true;
    }
    return false;
  }
  const auto found = value.reference_kind();
  if (type == "ref.null") return found == ReferenceKind::null;
  if (type == "ref.extern" || type == "ref.host") {
    const bool is_extern = value.type().as_nullable() == ValueType::externref();
    if (is_extern != (type == "ref.extern") || found == ReferenceKind::null) return false;
    const auto reference = value.as_host();
    return expected.empty() ||
           (reference && bits_of(expected) == std::bit_cast<std::uintptr_t>(reference->pointer) - 1);
  }
  for (const KindPattern& row : kKindPatterns) {
    if (row.type == type) return std::ranges::find(row.kinds, found) != row.kinds.end();
  }
  unknown = pattern.dump();
  return false;
}

}  // namespace

std::expected<Value, std::string> argument_of(const Json& json) {
  const std::string type = text_of(json, "type");
  if (type == "v128") {
    V128 vector;
    const auto lanes = json.find("value");
    if (lanes == json.end() || lanes->size() != vector.bytes.size() || text_of(json, "shape") != "i8x16") {
      return std::unexpected(fmt::format("a v128 argument that is no i8x16: {}", json.dump()));
    }
    for (std::size_t i = 0; i < vector.bytes.size(); ++i) {
      vector.bytes[i] = static_cast<std::uint8_t>(bits_of((*lanes)[i].get<std::string>()).value_or(0));
    }
    return Value(vector);
  }
  if (type == "ref.null") {
    const std::string heap = text_of(json, "value");
    if (heap == "func" || heap == "nofunc") return Value::zero_of(ValueType::funcref());
    if (heap == "extern" || heap == "noextern") return Value::zero_of(ValueType::externref());
    if (heap == "any" || heap == "none") return Value::zero_of(ValueType::anyref());
    if (heap == "eq") return Value::zero_of(ValueType::eqref());
    if (heap == "i31") return Value::zero_of(ValueType::i31ref());
    if (heap == "struct") return Value::zero_of(ValueType::structref());
    if (heap == "array") return Value::zero_of(ValueType::arrayref());
    return std::unexpected(fmt::format("a null argument of the type {}", heap));
  }
  const auto bits = bits_of(text_of(json, "value"));
  if (!bits) return std::unexpected(fmt::format("an argument without a number: {}", json.dump()));
  if (type == "i32") return Value::from_bits(ValueType::i32(), {*bits, 0});
  if (type == "i64") return Value::from_bits(ValueType::i64(), {*bits, 0});
  if (type == "f32") return Value::from_bits(ValueType::f32(), {*bits, 0});
  if (type == "f64") return Value::from_bits(ValueType::f64(), {*bits, 0});
  // Reference N is the address N + 1, since the address 0 is null.
  const ExternRef host{std::bit_cast<void*>(static_cast<std::uintptr_t>(*bits + 1))};
  if (type == "ref.extern") return Value(host);
  if (type == "ref.host") return Value::any_from_extern(host);
  return std::unexpected(fmt::format("an argument of the type {}", type));
}

std::expected<void, std::string> match_results(const Json& patterns, std::span<const Value> results) {
  if (patterns.size() != results.size()) {
    return std::unexpected(fmt::format("expected {} results, got {}", patterns.size(), results.size()));
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::string unknown;
    if (matches(patterns[i], results[i], unknown)) continue;
    if (!unknown.empty()) return std::unexpected(fmt::format("the runner has no such pattern: {}", unknown));
    const auto& bits = results[i].bits();
    return std::unexpected(fmt::format("result {}: expected {}, got {} {} (bits {:#x}, {:#x})", i, patterns[i].dump(),
                                       results[i].type().to_string(), results[i].to_string(), bits[0], bits[1]));
  }
  return {};
}

}  // namespace wasi::spec

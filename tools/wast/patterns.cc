// Numbers are compared bit by bit, lane by lane.
// Source of the NaN patterns: https://webassembly.github.io/spec/core/exec/numerics.html#nan-propagation
#include "tools/wast/patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <initializer_list>

namespace wasi::spec {

namespace {

using text::NanPattern;
using text::ScriptLane;
using text::ScriptValue;
using text::ValueKind;

std::uint64_t lane_bits(const Value& value, unsigned width, std::size_t lane) {
  const std::size_t first = lane * width;
  const std::uint64_t word = value.bits()[first / 64];
  return width == 64 ? word : (word >> (first % 64)) & ((1ULL << width) - 1);
}

// `width` is 32 or 64 where the pattern is one of NaNs.
bool matches_bits(const ScriptLane& pattern, std::uint64_t bits, unsigned width) {
  const unsigned mantissa = width == 32 ? 23 : 52;
  const std::uint64_t sign = 1ULL << (width - 1);
  const std::uint64_t quiet = 1ULL << (mantissa - 1);
  const std::uint64_t exponent = (sign - 1) & ~((1ULL << mantissa) - 1);
  switch (pattern.nan) {
    case NanPattern::canonical:
      return (bits & ~sign) == (exponent | quiet);
    case NanPattern::arithmetic:
      return (bits & (exponent | quiet)) == (exponent | quiet);
    case NanPattern::none:
      return pattern.bits == bits;
  }
  return false;
}

bool matches_lanes(const ScriptValue& pattern, const Value& value, unsigned bits) {
  const unsigned width = bits / static_cast<unsigned>(pattern.lanes.size());
  for (std::size_t i = 0; i < pattern.lanes.size(); ++i) {
    if (!matches_bits(pattern.lanes[i], lane_bits(value, width, i), width)) return false;
  }
  return true;
}

// What a reference refers to, and for the host's references which it is.
bool matches_reference(const ScriptValue& pattern, const Value& value) {
  const auto found = value.reference_kind();
  const auto is_one_of = [&](std::initializer_list<ReferenceKind> kinds) {
    return std::ranges::find(kinds, found) != kinds.end();
  };
  switch (pattern.kind) {
    case ValueKind::ref_null:
      return found == ReferenceKind::null;
    case ValueKind::ref_extern:
    case ValueKind::ref_host: {
      const bool is_extern = value.type().as_nullable() == ValueType::externref();
      if (is_extern != (pattern.kind == ValueKind::ref_extern) || found == ReferenceKind::null) return false;
      const auto reference = value.as_host();
      return !pattern.number || (reference && *pattern.number == std::bit_cast<std::uintptr_t>(reference->pointer) - 1);
    }
    case ValueKind::ref_func:
      return is_one_of({ReferenceKind::function});
    case ValueKind::ref_i31:
      return is_one_of({ReferenceKind::i31});
    case ValueKind::ref_struct:
      return is_one_of({ReferenceKind::structure});
    case ValueKind::ref_array:
      return is_one_of({ReferenceKind::array});
    case ValueKind::ref_exn:
      return is_one_of({ReferenceKind::exception});
    case ValueKind::ref_eq:
      return is_one_of({ReferenceKind::i31, ReferenceKind::structure, ReferenceKind::array});
    case ValueKind::ref_any:
      return is_one_of({ReferenceKind::i31, ReferenceKind::structure, ReferenceKind::array, ReferenceKind::host});
    default:
      return false;
  }
}

bool matches(const ScriptValue& pattern, const Value& value) {
  using Kind = ValueType::Kind;
  const Kind kind = value.type().kind();
  switch (pattern.kind) {
    case ValueKind::i32:
      return kind == Kind::i32 && matches_lanes(pattern, value, 32);
    case ValueKind::i64:
      return kind == Kind::i64 && matches_lanes(pattern, value, 64);
    case ValueKind::f32:
      return kind == Kind::f32 && matches_lanes(pattern, value, 32);
    case ValueKind::f64:
      return kind == Kind::f64 && matches_lanes(pattern, value, 64);
    case ValueKind::v128:
      return kind == Kind::v128 && matches_lanes(pattern, value, 128);
    case ValueKind::either:
      for (const ScriptValue& one : pattern.alternatives) {
        if (matches(one, value)) return true;
      }
      return false;
    default:
      return matches_reference(pattern, value);
  }
}

}  // namespace

std::expected<Value, std::string> argument_of(const ScriptValue& argument) {
  const auto lanes = [&](unsigned width) {
    std::array<std::uint64_t, 2> bits{};
    for (std::size_t i = 0; i < argument.lanes.size(); ++i) {
      bits[i * width / 64] |= argument.lanes[i].bits << (i * width % 64);
    }
    return bits;
  };
  switch (argument.kind) {
    case ValueKind::i32:
      return Value::from_bits(ValueType::i32(), lanes(32));
    case ValueKind::i64:
      return Value::from_bits(ValueType::i64(), lanes(64));
    case ValueKind::f32:
      return Value::from_bits(ValueType::f32(), lanes(32));
    case ValueKind::f64:
      return Value::from_bits(ValueType::f64(), lanes(64));
    case ValueKind::v128:
      return Value::from_bits(ValueType::v128(), lanes(128 / static_cast<unsigned>(argument.lanes.size())));
    case ValueKind::ref_null:
      if (argument.heap) return Value::zero_of(ValueType::from_bits(wasm::ValType::ref(*argument.heap, true).bits()));
      break;
    case ValueKind::ref_extern:
    case ValueKind::ref_host:
      // Reference N is the address N + 1, since the address 0 is null.
      if (argument.number) {
        const ExternRef host{std::bit_cast<void*>(static_cast<std::uintptr_t>(*argument.number + 1))};
        return argument.kind == ValueKind::ref_extern ? Value(host) : Value::any_from_extern(host);
      }
      break;
    default:
      break;
  }
  return std::unexpected(fmt::format("the runner has no such argument: {}", argument.text));
}

std::expected<void, std::string> match_results(std::span<const ScriptValue> patterns, std::span<const Value> results) {
  if (patterns.size() != results.size()) {
    return std::unexpected(fmt::format("expected {} results, got {}", patterns.size(), results.size()));
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (matches(patterns[i], results[i])) continue;
    const auto& bits = results[i].bits();
    return std::unexpected(fmt::format("result {}: expected {}, got {} {} (bits {:#x}, {:#x})", i, patterns[i].text,
                                       results[i].type().to_string(), results[i].to_string(), bits[0], bits[1]));
  }
  return {};
}

}  // namespace wasi::spec

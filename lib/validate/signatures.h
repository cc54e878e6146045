// The fixed signatures of opcodes.def, parsed at compile time: what an instruction takes and gives where
// context plays no part. The function walk (function_walk.h) types all of these with one piece of code.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "wasm/opcodes.h"
#include "wasm/types.h"

namespace wasi::validate {

// One row. Addresses are entered as i32, which most memories have; `addresses` says where they are.
struct Signature {
  static constexpr std::uint8_t kMaxParams = 4;
  static constexpr std::uint8_t kMaxResults = 2;
  static constexpr std::uint8_t kResultAddress = 1U << kMaxParams;

  std::array<wasm::ValType, kMaxParams> params{};  // the last one is on top
  std::array<wasm::ValType, kMaxResults> results{};
  std::uint8_t count = 0;
  std::uint8_t result_count = 0;
  std::uint8_t addresses = 0;  // bit i: params[i] is an address; kResultAddress: the first result is
  std::uint8_t align = 0;      // log2 of the bytes accessed
  bool is_fixed = false;
};

// The same, laid out for the walk's common path: at most two operands, compared at one go under masks, and at most one
// result.
struct alignas(32) ShortSignature {
  // More operands than there ever are.
  static constexpr std::uint32_t kNotShort = UINT32_MAX;

  std::uint32_t top = 0;  // type bits of the uppermost operand
  std::uint32_t top_mask = 0;
  std::uint32_t below = 0;  // and of the one below
  std::uint32_t below_mask = 0;
  wasm::ValType result;
  wasm::FeatureSet features;        // of the instruction, whatever its signature
  std::uint32_t count = kNotShort;  // operands
  std::uint8_t results = 0;
  std::uint8_t result_slots = 0;
  std::uint8_t align = 0;  // log2 of the bytes accessed
};

namespace detail {

consteval wasm::ValType type_of_letter(char letter) {
  switch (letter) {
    case 'i':
    case 'a':
      return wasm::kI32;
    case 'l':
      return wasm::kI64;
    case 'f':
      return wasm::kF32;
    case 'd':
      return wasm::kF64;
    case 'v':
      return wasm::kV128;
    default:
      throw "a letter that is no type in a signature of opcodes.def";
  }
}

consteval Signature parse_signature(std::string_view text, std::uint8_t access) {
  Signature signature;
  signature.align = access == 0 ? 0 : static_cast<std::uint8_t>(std::countr_zero(access));
  if (text == "*") return signature;
  const std::size_t colon = text.find(':');
  const std::size_t results = text.size() - colon - 1;
  if (colon > Signature::kMaxParams || results > Signature::kMaxResults) throw "a signature that does not fit";
  signature.is_fixed = true;
  signature.count = static_cast<std::uint8_t>(colon);
  for (std::size_t i = 0; i < colon; ++i) {
    signature.params[i] = type_of_letter(text[i]);
    if (text[i] == 'a') signature.addresses |= static_cast<std::uint8_t>(1U << i);
  }
  signature.result_count = static_cast<std::uint8_t>(results);
  for (std::size_t i = 0; i < results; ++i) signature.results[i] = type_of_letter(text[colon + 1 + i]);
  if (results > 0 && text[colon + 1] == 'a') signature.addresses |= Signature::kResultAddress;
  return signature;
}

}  // namespace detail

inline constexpr auto kSignatures = [] {
  std::array<Signature, wasm::kOpCount> rows{};
  std::size_t next = 0;
#define WASM_OP(name, prefix, code, text, immediate, signature, feature, access) \
  rows[next++] = detail::parse_signature(signature, access);
#include "wasm/opcodes.def"
#undef WASM_OP
  return rows;
}();

constexpr const Signature& signature_of(wasm::Op op) { return kSignatures[static_cast<std::uint16_t>(op)]; }

inline constexpr auto kShortSignatures = [] {
  std::array<ShortSignature, wasm::kOpCount> rows{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Signature& full = kSignatures[i];
    ShortSignature& row = rows[i];
    row.features.add(wasm::kOps[i].feature);
    row.align = full.align;
    if (!full.is_fixed || full.count > 2 || full.result_count > 1) continue;
    row.count = full.count;
    if (full.count >= 1) {
      row.top = full.params[full.count - 1U].bits();
      row.top_mask = UINT32_MAX;
    }
    if (full.count == 2) {
      row.below = full.params[0].bits();
      row.below_mask = UINT32_MAX;
    }
    row.results = full.result_count;
    if (full.result_count == 0) continue;
    row.result = full.results[0];
    row.result_slots = static_cast<std::uint8_t>(row.result.slots());
  }
  return rows;
}();

constexpr const ShortSignature& short_signature_of(wasm::Op op) {
  return kShortSignatures[static_cast<std::uint16_t>(op)];
}

}  // namespace wasi::validate

// The fixed signatures of opcodes.def, parsed at compile time: what an instruction takes and gives where
// context plays no part. The function walk (function_walk.h) types all of these with one piece of code.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wasm/opcodes.h"
#include "wasm/types.h"

namespace wasi::validate {

// One row. `count` is kNotFixed for instructions whose types depend on context. Types that are the
// memory's address type hold kAddress.
struct Signature {
  static constexpr std::uint8_t kMaxParams = 4;
  static constexpr std::uint8_t kNotFixed = 0xFF;
  // No value type has these bits: the heap part of a numeric type is zero.
  static constexpr wasm::ValType kAddress = wasm::ValType::ref(wasm::HeapType::in_group(1), false);

  std::array<wasm::ValType, kMaxParams> params{};
  wasm::ValType result;  // bottom: none
  std::uint8_t count = kNotFixed;
  bool has_address = false;

  [[nodiscard]] constexpr bool is_fixed() const { return count != kNotFixed; }
  [[nodiscard]] constexpr bool has_result() const { return !result.is_bottom(); }
};

namespace detail {

consteval wasm::ValType type_of_letter(char letter) {
  switch (letter) {
    case 'i':
      return wasm::kI32;
    case 'l':
      return wasm::kI64;
    case 'f':
      return wasm::kF32;
    case 'd':
      return wasm::kF64;
    case 'v':
      return wasm::kV128;
    case 'a':
      return Signature::kAddress;
    default:
      throw "a letter that is no type in a signature of opcodes.def";
  }
}

consteval Signature parse_signature(std::string_view text) {
  Signature signature;
  if (text == "*") return signature;
  const std::size_t colon = text.find(':');
  if (colon > Signature::kMaxParams || text.size() > colon + 2) throw "a signature that does not fit";
  signature.count = static_cast<std::uint8_t>(colon);
  for (std::size_t i = 0; i < colon; ++i) signature.params[i] = type_of_letter(text[i]);
  if (text.size() == colon + 2) signature.result = type_of_letter(text[colon + 1]);
  signature.has_address = text.contains('a');
  return signature;
}

}  // namespace detail

inline constexpr auto kSignatures = [] {
  std::array<Signature, wasm::kOpCount> rows{};
  std::size_t next = 0;
#define WASM_OP(name, prefix, code, text, immediate, signature, feature, access) \
  rows[next++] = detail::parse_signature(signature);
#include "wasm/opcodes.def"
#undef WASM_OP
  return rows;
}();

constexpr const Signature& signature_of(wasm::Op op) { return kSignatures[static_cast<std::uint16_t>(op)]; }

}  // namespace wasi::validate

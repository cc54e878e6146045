// How compilers handle values: their width, and the kind of register that they go to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wasm/types.h"

namespace wasi::jit {

enum class Type : std::uint8_t { i32, i64, f32, f64, v128, ref };
inline constexpr std::size_t kTypeCount = 6;

constexpr Type type_of(wasm::ValType type) {
  switch (type.kind()) {
    case wasm::ValType::Kind::i32:
      return Type::i32;
    case wasm::ValType::Kind::i64:
      return Type::i64;
    case wasm::ValType::Kind::f32:
      return Type::f32;
    case wasm::ValType::Kind::f64:
      return Type::f64;
    case wasm::ValType::Kind::v128:
      return Type::v128;
    default:
      return Type::ref;
  }
}
constexpr std::uint32_t slots_of(Type type) { return type == Type::v128 ? 2 : 1; }
// Of the letters that signatures have in lib/wasm/opcodes.def.
constexpr Type type_of_letter(char letter) {
  switch (letter) {
    case 'i':
      return Type::i32;
    case 'l':
      return Type::i64;
    case 'f':
      return Type::f32;
    case 'd':
      return Type::f64;
    default:
      return Type::v128;
  }
}
constexpr bool is_float(Type type) { return type == Type::f32 || type == Type::f64; }

}  // namespace wasi::jit

// Machine code of a few bytes, for tests of what holds machine code.
#pragma once

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <span>

#include "jit/common/code_arena.h"

namespace wasi::jit::test {

// mov eax, value; ret
inline std::array<std::uint8_t, 6> returning(int value) {
  const auto bits = static_cast<std::uint32_t>(value);
  return {0xB8,
          static_cast<std::uint8_t>(bits),
          static_cast<std::uint8_t>(bits >> 8),
          static_cast<std::uint8_t>(bits >> 16),
          static_cast<std::uint8_t>(bits >> 24),
          0xC3};
}

// Writes code to the piece's begin and publishes it. The second is for threads, in which the framework does not work.
inline bool write_unchecked(CodePiece& piece, std::span<const std::uint8_t> code) {
  std::copy(code.begin(), code.end(), piece.writable().begin());
  return piece.publish().has_value();
}
inline void write(CodePiece& piece, std::span<const std::uint8_t> code) {
  REQUIRE(piece.writable().size() >= code.size());
  REQUIRE(write_unchecked(piece, code));
}

inline int call(const CodePiece& piece) {
  return reinterpret_cast<int (*)()>(reinterpret_cast<std::uintptr_t>(piece.code().data()))();
}

}  // namespace wasi::jit::test

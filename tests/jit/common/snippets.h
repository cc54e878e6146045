// Pieces of an arena with code in them.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <span>

#include "jit/common/code_arena.h"
#include "support/machine_code.h"

namespace wasi::jit::test {

// Writes code to the piece's begin and publishes it. The second is for threads, in which the framework does not work.
inline bool write_unchecked(CodePiece& piece, std::span<const std::uint8_t> code) {
  std::copy(code.begin(), code.end(), piece.writable().begin());
  return piece.publish().has_value();
}
inline void write(CodePiece& piece, std::span<const std::uint8_t> code) {
  REQUIRE(piece.writable().size() >= code.size());
  REQUIRE(write_unchecked(piece, code));
}

inline int call(const CodePiece& piece) { return wasi::test::call(piece.code().data()); }

}  // namespace wasi::jit::test

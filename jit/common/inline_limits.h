// What compilers write out instead of asking the runtime for it, and how a few bytes are covered by accesses.
#pragma once

#include <cstdint>
#include <vector>

namespace wasi::jit {

// memory.copy and memory.fill of a constant number of bytes.
inline constexpr std::uint64_t kMostInlineBytes = 128;

// New objects: of so many operands, and of so many bytes to clear.
inline constexpr std::uint32_t kMostOperands = 64;
inline constexpr std::uint64_t kMostCleared = 256;

struct Piece {
  std::uint32_t offset;
  std::uint32_t bytes;  // a power of two
};

// Accesses that cover `bytes`, of 16 bytes at most; they overlap where that saves some.
std::vector<Piece> pieces_of(std::uint32_t bytes);

}  // namespace wasi::jit

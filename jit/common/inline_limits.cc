#include "jit/common/inline_limits.h"

#include <algorithm>
#include <bit>

namespace wasi::jit {

std::vector<Piece> pieces_of(std::uint32_t bytes) {
  std::vector<Piece> pieces;
  const std::uint32_t widest = std::min(std::bit_floor(bytes), 16U);
  std::uint32_t from = 0;
  for (; bytes - from >= widest; from += widest) pieces.push_back({from, widest});
  if (from != bytes) {
    const std::uint32_t last = std::bit_ceil(bytes - from);
    pieces.push_back({bytes - last, last});
  }
  return pieces;
}

}  // namespace wasi::jit

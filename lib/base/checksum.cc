#include "base/checksum.h"

// Compiled in from its header, so that there is no library to link.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace wasi::base {

std::uint64_t checksum(std::initializer_list<std::span<const std::uint8_t>> pieces) {
  if (pieces.size() == 1) return XXH3_64bits(pieces.begin()->data(), pieces.begin()->size());
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (const auto piece : pieces) XXH3_64bits_update(&state, piece.data(), piece.size());
  return XXH3_64bits_digest(&state);
}

std::array<std::uint64_t, 2> wide_checksum(std::initializer_list<std::span<const std::uint8_t>> pieces) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  for (const auto piece : pieces) XXH3_128bits_update(&state, piece.data(), piece.size());
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.high64, hash.low64};
}

}  // namespace wasi::base

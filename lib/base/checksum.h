// Checksums against damage, by xxHash (XXH3), at the speed of memory. None against malice: whoever wants to can make
// other bytes of the same checksum.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace wasi::base {

// Of the pieces one after the other.
std::uint64_t checksum(std::initializer_list<std::span<const std::uint8_t>> pieces);
inline std::uint64_t checksum(std::span<const std::uint8_t> bytes) { return checksum({bytes}); }

// The same with 128 bits, for names.
std::array<std::uint64_t, 2> wide_checksum(std::initializer_list<std::span<const std::uint8_t>> pieces);

}  // namespace wasi::base

#include "mutation/mutate.h"

#include <algorithm>
#include <array>

namespace wasi::test {

namespace {

using Bytes = std::vector<std::uint8_t>;

// Mostly near the beginning, where the sections are that say how large everything is.
std::size_t position(const Bytes& bytes, Random& random) {
  const std::size_t range = random.below(3) == 0 ? std::min<std::size_t>(bytes.size(), 2000) : bytes.size();
  return random.below(range);
}

void flip_bits(Bytes& bytes, Random& random) {
  const std::uint64_t count = 1 + random.below(8);
  for (std::uint64_t i = 0; i < count; ++i) {
    bytes[position(bytes, random)] ^= static_cast<std::uint8_t>(1U << random.below(8));
  }
}

void set_byte(Bytes& bytes, Random& random) {
  static constexpr std::array<std::uint8_t, 12> kTelling = {0x00, 0x01, 0x0B, 0x0F, 0x20, 0x40,
                                                            0x41, 0x7F, 0x80, 0xFC, 0xFD, 0xFF};
  const std::size_t at = position(bytes, random);
  bytes[at] = random.below(2) == 0 ? kTelling[random.below(kTelling.size())] : static_cast<std::uint8_t>(random.next());
}

void insert(Bytes& bytes, Random& random) {
  Bytes piece(1 + random.below(12));
  for (std::uint8_t& byte : piece) byte = static_cast<std::uint8_t>(random.next());
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(position(bytes, random)), piece.begin(), piece.end());
}

void remove(Bytes& bytes, Random& random) {
  const std::size_t at = position(bytes, random);
  const std::size_t count = std::min<std::size_t>(1 + random.below(12), bytes.size() - at);
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(at + count));
}

// A piece of the module itself over another: well-formed instructions in the wrong place.
void move(Bytes& bytes, Random& random) {
  const std::size_t count = std::min<std::size_t>(1 + random.below(64), bytes.size());
  const std::size_t from = random.below(bytes.size() - count + 1);
  const std::size_t to = random.below(bytes.size() - count + 1);
  const Bytes piece(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                    bytes.begin() + static_cast<std::ptrdiff_t>(from + count));
  std::ranges::copy(piece, bytes.begin() + static_cast<std::ptrdiff_t>(to));
}

// A number of the largest size: counts, sizes and indices that promise gigabytes.
void make_huge(Bytes& bytes, Random& random) {
  static constexpr std::array<std::uint8_t, 5> kHuge = {0xFF, 0xFF, 0xFF, 0xFF, 0x0F};
  const std::size_t at = position(bytes, random);
  if (random.below(2) == 0) {
    for (std::size_t i = 0; i < kHuge.size() && at + i < bytes.size(); ++i) bytes[at + i] = kHuge[i];
  } else {
    bytes[at] = kHuge[0];
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 1, kHuge.begin() + 1, kHuge.end());
  }
}

}  // namespace

std::vector<std::uint8_t> mutate(std::span<const std::uint8_t> module, Random& random) {
  Bytes bytes(module.begin(), module.end());
  if (bytes.empty()) return bytes;
  // One bit is often not noticed before the module runs.
  if (random.below(2) == 0) {
    bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
    return bytes;
  }
  if (random.below(8) == 0) {
    bytes.resize(random.below(bytes.size() + 1));
    return bytes;
  }
  static constexpr std::array kWays = {flip_bits, flip_bits, set_byte, set_byte, insert, remove, move, make_huge};
  const std::uint64_t count = 1 + random.below(3);
  for (std::uint64_t i = 0; i < count && !bytes.empty(); ++i) kWays[random.below(kWays.size())](bytes, random);
  return bytes;
}

}  // namespace wasi::test

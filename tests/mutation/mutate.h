// Seeded damage to modules. The same seed gives the same bytes on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wasi::test {

// A generator whose sequence is ours, so that a seed in a message reproduces its case anywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 0x1234567) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // Below `bound`, which is not 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

// A damaged copy of `module`: cut off, bits flipped, bytes changed, inserted, removed, moved, or numbers made huge.
std::vector<std::uint8_t> mutate(std::span<const std::uint8_t> module, Random& random);

}  // namespace wasi::test

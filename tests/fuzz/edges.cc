#include "fuzz/edges.h"

#include <bit>
#include <cmath>
#include <limits>

namespace wasi::test::fuzz {

namespace {

// An integer of `bits` bits around a power of two, a small one, or any.
std::uint64_t edge_integer(Entropy& entropy, unsigned bits) {
  const std::uint64_t mask = bits == 64 ? UINT64_MAX : (std::uint64_t{1} << bits) - 1;
  switch (entropy.below(8)) {
    case 0:
      return entropy.below(20);
    case 1:
      return (std::uint64_t{0} - entropy.below(10)) & mask;
    case 2:
    case 3: {
      const std::uint64_t power = std::uint64_t{1} << entropy.below(bits);
      return (power + entropy.below(4) - 2) & mask;
    }
    case 4:
      return std::uint64_t{1} << (bits - 1);
    case 5:
      return mask >> 1;
    case 6:
      return entropy.byte();
    default:
      return entropy.number(bits / 8);
  }
}

template <class F>
F edge_number(Entropy& entropy) {
  using Limits = std::numeric_limits<F>;
  // Where integers begin and end, and where conversions to them begin to trap.
  const F power = std::ldexp(F{1}, entropy.pick({0, 7, 8, 15, 16, 23, 24, 31, 32, 52, 53, 62, 63, 64}));
  const F numbers[] = {0,
                       F{-0.0},
                       1,
                       -1,
                       F{0.5},
                       F{-0.5},
                       F{1.5},
                       F{2.5},
                       F{-0.9999999},
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::max(),
                       Limits::lowest(),
                       Limits::min(),
                       Limits::denorm_min(),
                       -Limits::denorm_min(),
                       power,
                       -power,
                       std::nextafter(power, F{0}),
                       -std::nextafter(power, Limits::infinity()),
                       power + F{0.5},
                       static_cast<F>(entropy.byte()),
                       static_cast<F>(static_cast<std::int32_t>(entropy.number(3)) - 0x800000) / 3};
  return entropy.pick(numbers);
}

template <class F, class Bits>
Bits edge_float(Entropy& entropy, bool is_number) {
  constexpr Bits kInfinity = std::bit_cast<Bits>(std::numeric_limits<F>::infinity());
  constexpr Bits kQuiet = Bits{1} << (std::numeric_limits<F>::digits - 2);
  constexpr Bits kSign = Bits{1} << (sizeof(F) * 8 - 1);
  if (is_number || !entropy.chance(60)) return std::bit_cast<Bits>(edge_number<F>(entropy));
  const Bits sign = entropy.chance(128) ? kSign : 0;
  switch (entropy.below(5)) {
    case 0:
      return sign | kInfinity | kQuiet;
    case 1:
      return sign | kInfinity | 1;  // signalling
    case 2:
      return sign | kInfinity | kQuiet | entropy.byte();
    case 3:
      return sign | kInfinity | (kQuiet >> 1);
    default:
      return static_cast<Bits>(entropy.number(sizeof(F)));
  }
}

}  // namespace

std::uint32_t edge_i32(Entropy& entropy) { return static_cast<std::uint32_t>(edge_integer(entropy, 32)); }
std::uint64_t edge_i64(Entropy& entropy) { return edge_integer(entropy, 64); }
std::uint32_t edge_f32(Entropy& entropy, bool is_number) {
  return edge_float<float, std::uint32_t>(entropy, is_number);
}
std::uint64_t edge_f64(Entropy& entropy, bool is_number) {
  return edge_float<double, std::uint64_t>(entropy, is_number);
}

std::array<std::uint64_t, 2> edge_v128(Entropy& entropy) {
  std::array<std::uint64_t, 2> halves{};
  switch (entropy.below(6)) {
    case 0:
      break;
    case 1:
      halves = {edge_i64(entropy), edge_i64(entropy)};
      break;
    case 2:
      halves = {edge_f64(entropy), edge_f64(entropy)};
      break;
    case 3:
      for (auto& half : halves) {
        half = edge_f32(entropy);
        half |= std::uint64_t{edge_f32(entropy)} << 32;
      }
      break;
    case 4: {
      // One lane, everywhere.
      const unsigned bits = entropy.pick({8U, 16U, 32U});
      const std::uint64_t lane = edge_integer(entropy, bits);
      for (unsigned at = 0; at < 64; at += bits) halves[0] |= lane << at;
      halves[1] = halves[0];
      break;
    }
    default:
      halves = {entropy.number(8), entropy.number(8)};
  }
  return halves;
}

}  // namespace wasi::test::fuzz

// Vectors to test with: the edges of every type of lane, and bits of any kind.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "runtime/simd.h"

namespace wasi::runtime::simd {
namespace {

template <class T>
using Lanes = std::array<T, 16 / sizeof(T)>;

template <class T>
Lanes<T> lanes(V128 vector) {
  Lanes<T> result;
  std::memcpy(result.data(), &vector, sizeof vector);
  return result;
}
template <class T>
V128 vector_of(const Lanes<T>& lanes) {
  V128 vector;
  std::memcpy(&vector, lanes.data(), sizeof vector);
  return vector;
}

template <class T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    constexpr T kWhole = T{1} / Limits::epsilon();  // all larger numbers are integers
    std::vector<T> list = {
        0,       T{0.5},        T{0.49999997},      1,          T{1.5},          T{2.5},
        T{3.5},  T{1e10},       T{2147483520},      2147483648, T{2147483647.5}, 4294967296,
        kWhole,  kWhole - T{1}, kWhole / 2 + T{.5}, T{0.99},    Limits::min(),   Limits::denorm_min(),
        T{1e-9}, Limits::max(), Limits::infinity()};
    for (std::size_t i = list.size(); i-- > 0;) list.push_back(-list[i]);
    const auto nan = [](Bits<T> payload) { return std::bit_cast<T>(numeric::kCanonicalNan<T> | payload); };
    list.insert(list.end(), {nan(0), nan(numeric::kSignBit<T>), nan(5)});
    list.push_back(std::bit_cast<T>(std::bit_cast<Bits<T>>(Limits::infinity()) | 9));  // signalling
    return list;
  } else {
    constexpr auto kHalf = static_cast<T>(T{1} << (kBits<T> / 2));
    return {0,
            1,
            2,
            Limits::max(),
            static_cast<T>(Limits::max() - 1),
            Limits::min(),
            static_cast<T>(Limits::min() + 1),
            static_cast<T>(-1),
            static_cast<T>(-2),
            static_cast<T>(Limits::max() / 2 + 1),
            kHalf,
            static_cast<T>(kHalf - 1),
            static_cast<T>(-kHalf),
            static_cast<T>(0x5A5A'5A5A'5A5A'5A5A)};
  }
}

// Vectors that have each edge in each lane, and some of any bits.
template <class T>
std::vector<V128> samples() {
  const std::vector<T> values = edges<T>();
  std::vector<V128> list;
  for (std::size_t first = 0; first < values.size(); ++first) {
    Lanes<T> each;
    for (std::size_t i = 0; i < each.size(); ++i) each[i] = values[(first + i * 5) % values.size()];
    list.push_back(vector_of<T>(each));
  }
  std::uint64_t state = 0x9E37'79B9'7F4A'7C15;
  for (int i = 0; i < 20; ++i) {
    Lanes<std::uint64_t> each;
    for (std::uint64_t& lane : each) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      lane = state;
    }
    list.push_back(vector_of<std::uint64_t>(each));
  }
  return list;
}

}  // namespace
}  // namespace wasi::runtime::simd

// The numeric semantics of vectors, once, as numeric.h has them for numbers: interpreter handlers and tests
// call these functions.
//
// Written with the vector types that clang and gcc have in common, and with SSE2's instructions where those
// make better code than compilers find; WASI_SIMD_PORTABLE leaves the latter out (tests compare the two).
// Functions are templates over the type of a lane, whose signedness says how its bits are read: the shape
// i8x16 is std::uint8_t or std::int8_t. Lane 0 is the one at the lowest address.
//
// NaNs as in numeric.h: what computes returns one of its NaN operands, quiet; abs, neg, pmin, pmax only move
// bits. Relaxed instructions give the results that their strict counterparts give, and relaxed_madd rounds
// twice, so that no result depends on the machine.
// Source: https://webassembly.github.io/spec/core/exec/numerics.html
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "runtime/numeric.h"

#if defined(__SSE2__) && !defined(WASI_SIMD_PORTABLE)
#define WASI_SIMD_SSE2 1
#endif

namespace wasi::runtime::simd {

// A vector of any shape.
using V128 [[gnu::vector_size(16)]] = std::uint8_t;

#if defined(WASI_SIMD_SSE2)
inline namespace sse2 {
#else
inline namespace portable {
#endif

template <class T>
inline constexpr std::size_t kLanes = 16 / sizeof(T);

template <class T>
struct VectorOf {
  using Type [[gnu::vector_size(16)]] = T;
};
// A vector as lanes of a type.
template <class T>
using Vec = typename VectorOf<T>::Type;

template <class T>
Vec<T> as(V128 vector) {
  return reinterpret_cast<Vec<T>>(vector);
}
template <class V>
V128 raw(V vector) {
  static_assert(sizeof(V) == 16);
  return reinterpret_cast<V128>(vector);
}

#if defined(WASI_SIMD_SSE2)
inline V128 raw(__m128i vector) { return reinterpret_cast<V128>(vector); }
inline V128 raw(__m128 vector) { return reinterpret_cast<V128>(vector); }
inline V128 raw(__m128d vector) { return reinterpret_cast<V128>(vector); }
#endif

template <std::size_t size>
using UnsignedOf = std::conditional_t<
    size == 1, std::uint8_t,
    std::conditional_t<size == 2, std::uint16_t, std::conditional_t<size == 4, std::uint32_t, std::uint64_t>>>;
// The unsigned integer with the bits of a lane; the integer of twice the width and the same signedness.
template <class T>
using Bits = UnsignedOf<sizeof(T)>;
template <class T>
using Wide =
    std::conditional_t<std::is_signed_v<T>, std::make_signed_t<UnsignedOf<sizeof(T) * 2>>, UnsignedOf<sizeof(T) * 2>>;
template <class T>
inline constexpr unsigned kBits = sizeof(T) * 8;

template <class T>
V128 splat(T value) {
  return [value]<std::size_t... i>(std::index_sequence<i...>) {
    return raw(Vec<T>{(static_cast<void>(i), value)...});
  }(std::make_index_sequence<kLanes<T>>());
}

// `map` on each lane of type From, to a lane of type To of the same width. In an array, since gcc takes a vector that
// is filled lane by lane for one that is not initialised.
template <class From, class To, class Map>
V128 map_lanes(V128 a, Map map) {
  const Vec<From> x = as<From>(a);
  To lanes[kLanes<To>];
  for (std::size_t i = 0; i < kLanes<To>; ++i) lanes[i] = map(x[i]);
  return std::bit_cast<V128>(lanes);
}
template <class T, class Map>
V128 map_lanes(V128 a, V128 b, Map map) {
  const Vec<T> x = as<T>(a);
  const Vec<T> y = as<T>(b);
  T lanes[kLanes<T>];
  for (std::size_t i = 0; i < kLanes<T>; ++i) lanes[i] = map(x[i], y[i]);
  return std::bit_cast<V128>(lanes);
}

template <class To, class From>
constexpr To saturate(From value) {
  using Limits = std::numeric_limits<To>;
  return value < static_cast<From>(Limits::min())   ? Limits::min()
         : value > static_cast<From>(Limits::max()) ? Limits::max()
                                                    : static_cast<To>(value);
}

// Bits.

inline V128 bit_not(V128 a) { return ~a; }
inline V128 bit_and(V128 a, V128 b) { return a & b; }
inline V128 bit_andnot(V128 a, V128 b) { return a & ~b; }
inline V128 bit_or(V128 a, V128 b) { return a | b; }
inline V128 bit_xor(V128 a, V128 b) { return a ^ b; }
inline V128 bitselect(V128 a, V128 b, V128 mask) { return (a & mask) | (b & ~mask); }

// Whether bits are set: in the whole vector, in every lane, in the highest place of each lane.
inline bool any_true(V128 a) {
#if defined(WASI_SIMD_SSE2)
  return _mm_movemask_epi8(reinterpret_cast<__m128i>(a == V128{})) != 0xFFFF;
#else
  const Vec<std::uint64_t> x = as<std::uint64_t>(a);
  return (x[0] | x[1]) != 0;
#endif
}
template <class T>
bool all_true(V128 a) {
  return !any_true(raw(as<Bits<T>>(a) == Vec<Bits<T>>{}));
}
template <class T>
std::uint32_t bitmask(V128 a) {
#if defined(WASI_SIMD_SSE2)
  if constexpr (sizeof(T) == 1) return static_cast<std::uint32_t>(_mm_movemask_epi8(reinterpret_cast<__m128i>(a)));
  if constexpr (sizeof(T) == 2) {
    const __m128i narrow = _mm_packs_epi16(reinterpret_cast<__m128i>(a), _mm_setzero_si128());
    return static_cast<std::uint32_t>(_mm_movemask_epi8(narrow));
  }
  if constexpr (sizeof(T) == 4) return static_cast<std::uint32_t>(_mm_movemask_ps(reinterpret_cast<__m128>(a)));
  if constexpr (sizeof(T) == 8) return static_cast<std::uint32_t>(_mm_movemask_pd(reinterpret_cast<__m128d>(a)));
#else
  const Vec<Bits<T>> x = as<Bits<T>>(a);
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < kLanes<T>; ++i) mask |= static_cast<std::uint32_t>(x[i] >> (kBits<T> - 1)) << i;
  return mask;
#endif
}

// Comparisons: all bits of a lane or none.

template <class T>
V128 eq(V128 a, V128 b) {
  return raw(as<T>(a) == as<T>(b));
}
template <class T>
V128 ne(V128 a, V128 b) {
  return raw(as<T>(a) != as<T>(b));
}
template <class T>
V128 lt(V128 a, V128 b) {
  return raw(as<T>(a) < as<T>(b));
}
template <class T>
V128 gt(V128 a, V128 b) {
  return raw(as<T>(a) > as<T>(b));
}
template <class T>
V128 le(V128 a, V128 b) {
  return raw(as<T>(a) <= as<T>(b));
}
template <class T>
V128 ge(V128 a, V128 b) {
  return raw(as<T>(a) >= as<T>(b));
}

// Arithmetic: integers (unsigned lanes, which wrap) and floats.

template <class T>
V128 add(V128 a, V128 b) {
  return raw(as<T>(a) + as<T>(b));
}
template <class T>
V128 sub(V128 a, V128 b) {
  return raw(as<T>(a) - as<T>(b));
}
template <class T>
V128 mul(V128 a, V128 b) {
  return raw(as<T>(a) * as<T>(b));
}
template <class T>
V128 div(V128 a, V128 b) {
  return raw(as<T>(a) / as<T>(b));
}

// Integers.

template <class T>
V128 neg(V128 a) {
  return raw(Vec<T>{} - as<T>(a));
}
template <class T>
V128 abs(V128 a) {
  return raw(as<std::make_signed_t<T>>(a) < Vec<std::make_signed_t<T>>{} ? Vec<T>{} - as<T>(a) : as<T>(a));
}
template <class T>
V128 min(V128 a, V128 b) {
  return raw(as<T>(a) < as<T>(b) ? as<T>(a) : as<T>(b));
}
template <class T>
V128 max(V128 a, V128 b) {
  return raw(as<T>(a) > as<T>(b) ? as<T>(a) : as<T>(b));
}

// Saturating, of lanes of 8 and 16 bits.
template <class T>
V128 add_sat(V128 a, V128 b) {
#if defined(WASI_SIMD_SSE2)
  const auto x = reinterpret_cast<__m128i>(a);
  const auto y = reinterpret_cast<__m128i>(b);
  if constexpr (std::is_same_v<T, std::int8_t>) return raw(_mm_adds_epi8(x, y));
  if constexpr (std::is_same_v<T, std::uint8_t>) return raw(_mm_adds_epu8(x, y));
  if constexpr (std::is_same_v<T, std::int16_t>) return raw(_mm_adds_epi16(x, y));
  if constexpr (std::is_same_v<T, std::uint16_t>) return raw(_mm_adds_epu16(x, y));
#else
  return map_lanes<T>(a, b, [](int x, int y) { return saturate<T>(x + y); });
#endif
}
template <class T>
V128 sub_sat(V128 a, V128 b) {
#if defined(WASI_SIMD_SSE2)
  const auto x = reinterpret_cast<__m128i>(a);
  const auto y = reinterpret_cast<__m128i>(b);
  if constexpr (std::is_same_v<T, std::int8_t>) return raw(_mm_subs_epi8(x, y));
  if constexpr (std::is_same_v<T, std::uint8_t>) return raw(_mm_subs_epu8(x, y));
  if constexpr (std::is_same_v<T, std::int16_t>) return raw(_mm_subs_epi16(x, y));
  if constexpr (std::is_same_v<T, std::uint16_t>) return raw(_mm_subs_epu16(x, y));
#else
  return map_lanes<T>(a, b, [](int x, int y) { return saturate<T>(x - y); });
#endif
}
// The average, rounded up.
template <class T>
V128 avgr(V128 a, V128 b) {
#if defined(WASI_SIMD_SSE2)
  const auto x = reinterpret_cast<__m128i>(a);
  const auto y = reinterpret_cast<__m128i>(b);
  if constexpr (sizeof(T) == 1) return raw(_mm_avg_epu8(x, y));
  if constexpr (sizeof(T) == 2) return raw(_mm_avg_epu16(x, y));
#else
  return map_lanes<T>(a, b, [](unsigned x, unsigned y) { return static_cast<T>((x + y + 1) / 2); });
#endif
}

// Shift counts are taken modulo the width of a lane. There are no shifts of bytes, and none of signed 64-bit
// lanes: both are made of others.
template <class T>
V128 shl(V128 a, std::uint32_t count) {
  count %= kBits<T>;
  if constexpr (sizeof(T) == 1) {
    const auto mask = static_cast<std::uint8_t>(0xFFU << count);
    return raw(as<std::uint16_t>(a) << static_cast<std::uint16_t>(count)) & splat(mask);
  } else {
    return raw(as<T>(a) << static_cast<T>(count));
  }
}
template <class T>
V128 shr_u(V128 a, std::uint32_t count) {
  count %= kBits<T>;
  if constexpr (sizeof(T) == 1) {
    const auto mask = static_cast<std::uint8_t>(0xFFU >> count);
    return raw(as<std::uint16_t>(a) >> static_cast<std::uint16_t>(count)) & splat(mask);
  } else {
    return raw(as<T>(a) >> static_cast<T>(count));
  }
}
template <class T>
V128 shr_s(V128 a, std::uint32_t count) {
  count %= kBits<T>;
  if constexpr (sizeof(T) == 1 || sizeof(T) == 8) {
    constexpr T kSign = T{1} << (kBits<T> - 1);
    const Vec<T> sign = as<T>(splat(static_cast<T>(kSign >> count)));
    return raw((as<T>(shr_u<T>(a, count)) ^ sign) - sign);
  } else {
    using S = std::make_signed_t<T>;
    return raw(as<S>(a) >> static_cast<S>(count));
  }
}

inline V128 popcnt(V128 a) {
  const V128 pairs = a - ((a >> 1) & 0x55);
  const V128 quads = (pairs & 0x33) + ((pairs >> 2) & 0x33);
  return (quads + (quads >> 4)) & 0x0F;
}

// The lanes of two vectors in turn, of their lower or upper halves.
template <class T, bool high>
V128 interleave(V128 a, V128 b) {
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    constexpr std::size_t kFirst = high ? kLanes<T> / 2 : 0;
    return raw(__builtin_shufflevector(as<T>(a), as<T>(b), (kFirst + i / 2 + (i % 2) * kLanes<T>)...));
  }(std::make_index_sequence<kLanes<T>>());
}

// Lanes of type T to lanes of twice the width: the lower or upper half of them.
template <class T, bool high>
V128 extend(V128 a) {
  if constexpr (std::is_unsigned_v<T>) return interleave<T, high>(a, V128{});
  if constexpr (sizeof(T) == 4) return interleave<T, high>(a, raw(as<T>(a) >> 31));
  if constexpr (std::is_signed_v<T> && sizeof(T) < 4) {
    return raw(as<Wide<T>>(interleave<T, high>(a, a)) >> static_cast<Wide<T>>(kBits<T>));
  }
}
template <class T>
V128 extend_low(V128 a) {
  return extend<T, false>(a);
}
template <class T>
V128 extend_high(V128 a) {
  return extend<T, true>(a);
}

// Products of twice the width.
template <class T>
V128 extmul_low(V128 a, V128 b) {
  return mul<Bits<Wide<T>>>(extend_low<T>(a), extend_low<T>(b));
}
template <class T>
V128 extmul_high(V128 a, V128 b) {
  return mul<Bits<Wide<T>>>(extend_high<T>(a), extend_high<T>(b));
}

// Lanes of type T, the even and the odd ones, to lanes of twice the width.
template <class T>
V128 extend_even(V128 a) {
  constexpr auto kHalf = static_cast<Wide<T>>(kBits<T>);
  const Vec<Wide<T>> shifted = as<Wide<T>>(raw(as<Bits<Wide<T>>>(a) << static_cast<Bits<Wide<T>>>(kHalf)));
  return raw(shifted >> kHalf);
}
template <class T>
V128 extend_odd(V128 a) {
  return raw(as<Wide<T>>(a) >> static_cast<Wide<T>>(kBits<T>));
}

template <class T>
V128 extadd_pairwise(V128 a) {
  return add<Bits<Wide<T>>>(extend_even<T>(a), extend_odd<T>(a));
}
// Sums of the products of neighbours.
template <class T>
V128 dot(V128 a, V128 b) {
#if defined(WASI_SIMD_SSE2)
  if constexpr (std::is_same_v<T, std::int16_t>) {
    return raw(_mm_madd_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
  }
#endif
  using Sum = Bits<Wide<T>>;
  return add<Sum>(mul<Sum>(extend_even<T>(a), extend_even<T>(b)), mul<Sum>(extend_odd<T>(a), extend_odd<T>(b)));
}
// The products' sums of neighbours once more, added to a third vector.
inline V128 dot_add(V128 a, V128 b, V128 c) {
  return add<std::uint32_t>(extadd_pairwise<std::int16_t>(dot<std::int8_t>(a, b)), c);
}

// Signed lanes of twice T's width to lanes of type T, saturating; `a` makes the lower half.
template <class T>
V128 narrow(V128 a, V128 b) {
#if defined(WASI_SIMD_SSE2)
  const auto x = reinterpret_cast<__m128i>(a);
  const auto y = reinterpret_cast<__m128i>(b);
  if constexpr (std::is_same_v<T, std::int8_t>) return raw(_mm_packs_epi16(x, y));
  if constexpr (std::is_same_v<T, std::uint8_t>) return raw(_mm_packus_epi16(x, y));
  if constexpr (std::is_same_v<T, std::int16_t>) return raw(_mm_packs_epi32(x, y));
  if constexpr (std::is_same_v<T, std::uint16_t>) {
    // The instruction for it is younger than SSE2: saturate below zero, then as signed numbers around zero.
    const auto centered = [](V128 vector) {
      const Vec<std::int32_t> lanes = as<std::int32_t>(vector);
      return reinterpret_cast<__m128i>((lanes > Vec<std::int32_t>{} ? lanes : Vec<std::int32_t>{}) - 0x8000);
    };
    return raw(as<std::uint16_t>(raw(_mm_packs_epi32(centered(a), centered(b)))) ^ std::uint16_t{0x8000});
  }
#else
  using From = std::make_signed_t<UnsignedOf<sizeof(T) * 2>>;
  const Vec<From> x = as<From>(a);
  const Vec<From> y = as<From>(b);
  Vec<T> result = {};
  for (std::size_t i = 0; i < kLanes<From>; ++i) {
    result[i] = saturate<T>(x[i]);
    result[i + kLanes<From>] = saturate<T>(y[i]);
  }
  return raw(result);
#endif
}

// Products of fixed-point numbers with 15 fractional bits, rounded and saturated.
inline V128 q15mulr_sat(V128 a, V128 b) {
  const auto round = [](V128 product) { return raw((as<std::int32_t>(product) + 0x4000) >> 15); };
  return narrow<std::int16_t>(round(extmul_low<std::int16_t>(a, b)), round(extmul_high<std::int16_t>(a, b)));
}

// Lanes and bytes.

// The lane of a vector in memory: `lane` is known at run time only, and memory is where lanes can be indexed.
template <class T>
T lane_at(const void* vector, std::uint32_t lane) {
  T value;
  std::memcpy(&value, static_cast<const std::uint8_t*>(vector) + lane * sizeof(T), sizeof(T));
  return value;
}
template <class T>
V128 replace_lane(V128 a, std::uint32_t lane, T value) {
  using Index = Bits<T>;
  const auto mask = [lane]<std::size_t... i>(std::index_sequence<i...>) {
    return raw(Vec<Index>{i...} == as<Index>(splat(static_cast<Index>(lane))));
  }(std::make_index_sequence<kLanes<T>>());
  return bitselect(splat(value), a, mask);
}
// The value in lane 0, and zeros.
template <class T>
V128 zero_extend(T value) {
  return raw(Vec<T>{value});
}

#if defined(WASI_SIMD_SSE2)
// pshufb makes one instruction of what takes sixteen without it. By name, so that it can stand between others
// in a program that also runs where it is missing.
inline const bool has_pshufb = __builtin_cpu_supports("ssse3") != 0;
inline V128 pshufb(V128 bytes, V128 indices) {
  asm("pshufb %1, %0" : "+x"(bytes) : "x"(indices));
  return bytes;
}
#endif

// The bytes of `a` that `indices` name; 0 for those outside of 0 to 15.
inline V128 swizzle(V128 a, V128 indices) {
#if defined(WASI_SIMD_SSE2)
  // It reads four bits of an index, and gives 0 where the highest one is set.
  if (has_pshufb) [[likely]]
    return pshufb(a, add_sat<std::uint8_t>(indices, splat(std::uint8_t{0x70})));
#endif
  std::uint8_t bytes[16];
  std::memcpy(bytes, &a, sizeof a);
  return map_lanes<std::uint8_t, std::uint8_t>(
      indices, [&bytes](std::uint8_t index) -> std::uint8_t { return index < 16 ? bytes[index] : 0; });
}
// The bytes of `a` and `b` together that `indices`, all below 32, name.
inline V128 shuffle(V128 a, V128 b, V128 indices) {
#if defined(WASI_SIMD_SSE2)
  if (has_pshufb) [[likely]]
    return pshufb(a, indices + 0x70) | pshufb(b, indices - 0x10);
#endif
  std::uint8_t bytes[32];
  std::memcpy(bytes, &a, sizeof a);
  std::memcpy(bytes + sizeof a, &b, sizeof b);
  return map_lanes<std::uint8_t, std::uint8_t>(indices, [&bytes](std::uint8_t index) { return bytes[index & 31]; });
}

// Floats.

template <class F>
V128 float_abs(V128 a) {
  return raw(as<Bits<F>>(a) & ~numeric::kSignBit<F>);
}
template <class F>
V128 float_neg(V128 a) {
  return raw(as<Bits<F>>(a) ^ numeric::kSignBit<F>);
}
template <class F>
V128 sqrt(V128 a) {
#if defined(WASI_SIMD_SSE2)
  if constexpr (sizeof(F) == 4) return raw(_mm_sqrt_ps(reinterpret_cast<__m128>(a)));
  if constexpr (sizeof(F) == 8) return raw(_mm_sqrt_pd(reinterpret_cast<__m128d>(a)));
#else
  return map_lanes<F, F>(a, [](F lane) { return numeric::sqrt(lane); });
#endif
}

// The operand that is smaller as `<` sees it, bit by bit; else the first.
template <class F>
V128 pmin(V128 a, V128 b) {
  return raw(as<F>(b) < as<F>(a) ? as<F>(b) : as<F>(a));
}
template <class F>
V128 pmax(V128 a, V128 b) {
  return raw(as<F>(a) < as<F>(b) ? as<F>(b) : as<F>(a));
}
// Whichever operand comes first, zeros of both signs make the negative (positive) one; an addition makes a NaN
// quiet.
template <class F>
V128 float_min(V128 a, V128 b) {
  const V128 number = pmin<F>(a, b) | pmin<F>(b, a);
  const V128 nan = ne<F>(a, a) | ne<F>(b, b);
  return bitselect(add<F>(a, b), number, nan);
}
template <class F>
V128 float_max(V128 a, V128 b) {
  const V128 number = pmax<F>(a, b) & pmax<F>(b, a);
  const V128 nan = ne<F>(a, a) | ne<F>(b, b);
  return bitselect(add<F>(a, b), number, nan);
}

// To the nearest integer, as numeric::nearest does it; then `adjust` gets the result and the operand, both
// smaller than the numbers that are all integers. The sign is always the operand's.
template <class F, class Adjust>
V128 round_with(V128 a, Adjust adjust) {
  constexpr F kAllIntegers = numeric::detail::kAllIntegers<F>;
  const V128 sign = a & splat(numeric::kSignBit<F>);
  const Vec<F> magnitude = as<F>(float_abs<F>(a));
  const Vec<F> rounded = (magnitude + kAllIntegers) - kAllIntegers;
  const V128 result = float_abs<F>(raw(adjust(as<F>(raw(rounded) | sign), as<F>(a)))) | sign;
  const V128 is_small = raw(magnitude < as<F>(splat(kAllIntegers)));
  return bitselect(result, raw(as<F>(a) + F{0}), is_small);
}
template <class F>
V128 nearest(V128 a) {
  return round_with<F>(a, [](Vec<F> whole, Vec<F>) { return whole; });
}
template <class F>
V128 floor(V128 a) {
  return round_with<F>(a, [](Vec<F> whole, Vec<F> x) { return whole - as<F>(raw(whole > x) & splat(F{1})); });
}
template <class F>
V128 ceil(V128 a) {
  return round_with<F>(a, [](Vec<F> whole, Vec<F> x) { return whole + as<F>(raw(whole < x) & splat(F{1})); });
}
template <class F>
V128 trunc(V128 a) {
  return round_with<F>(a, [](Vec<F> whole, Vec<F> x) {
    const Vec<F> magnitude = as<F>(float_abs<F>(raw(whole)));
    return magnitude - as<F>(raw(magnitude > as<F>(float_abs<F>(raw(x)))) & splat(F{1}));
  });
}

// Rounded twice: a machine's fused instruction would give other results than those without it.
template <class F>
V128 madd(V128 a, V128 b, V128 c) {
  return add<F>(mul<F>(a, b), c);
}
template <class F>
V128 nmadd(V128 a, V128 b, V128 c) {
  return sub<F>(c, mul<F>(a, b));
}

// Conversions. Int says how a lane's bits are read.

template <class Int>
V128 convert_to_f32(V128 a) {
  return raw(__builtin_convertvector(as<Int>(a), Vec<float>));
}
// Of the lower two lanes.
template <class Int>
V128 convert_low_to_f64(V128 a) {
  const Vec<Int> x = as<Int>(a);
  return raw(Vec<double>{static_cast<double>(x[0]), static_cast<double>(x[1])});
}
inline V128 promote_low(V128 a) {
#if defined(WASI_SIMD_SSE2)
  return raw(_mm_cvtps_pd(reinterpret_cast<__m128>(a)));
#else
  const Vec<float> x = as<float>(a);
  return raw(Vec<double>{numeric::promote(x[0]), numeric::promote(x[1])});
#endif
}
// To the lower two lanes; the others are zero.
inline V128 demote_zero(V128 a) {
#if defined(WASI_SIMD_SSE2)
  return raw(_mm_cvtpd_ps(reinterpret_cast<__m128d>(a)));
#else
  const Vec<double> x = as<double>(a);
  return raw(Vec<float>{numeric::demote(x[0]), numeric::demote(x[1])});
#endif
}
template <class Int>
V128 trunc_sat_zero(V128 a) {
  const Vec<double> x = as<double>(a);
  return raw(Vec<std::uint32_t>{numeric::trunc_sat_to<Int>(x[0]), numeric::trunc_sat_to<Int>(x[1])});
}
template <class Int>
V128 trunc_sat(V128 a) {
#if defined(WASI_SIMD_SSE2)
  // The instruction gives 0x80000000 for whatever does not fit an i32.
  const auto truncate = [](V128 lanes) { return raw(_mm_cvttps_epi32(reinterpret_cast<__m128>(lanes))); };
  const V128 two_to_31 = splat(0x1p31F);
  if constexpr (std::is_signed_v<Int>) {
    const V128 number = a & eq<float>(a, a);
    return truncate(number) ^ ge<float>(number, two_to_31);
  } else {
    const V128 positive = a & gt<float>(a, V128{});
    const V128 is_large = ge<float>(positive, two_to_31);
    const V128 low = truncate(sub<float>(positive, is_large & two_to_31));
    return (low ^ (is_large & splat(std::uint32_t{0x8000'0000}))) | ge<float>(positive, splat(0x1p32F));
  }
#else
  return map_lanes<float, std::uint32_t>(a, [](float lane) { return numeric::trunc_sat_to<Int>(lane); });
#endif
}

}  // namespace sse2 or portable
}  // namespace wasi::runtime::simd

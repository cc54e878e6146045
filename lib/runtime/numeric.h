// The numeric semantics, once: interpreter handlers, constant folding, slow paths of machine code and
// tests all call these functions.
//
// Integers are unsigned (u32, u64) and carry signed values as two's complement. What can trap returns
// std::expected<T, TrapCode>. Every function is constexpr but sqrt and the operations that may yield a
// NaN (add, sub, mul, div, demote, promote with a NaN), which compilers refuse in constant expressions.
//
// NaNs: an operation that computes returns a quiet NaN, namely one of its NaN operands with the quiet bit
// set, so a canonical NaN stays canonical; neg, abs, copysign and reinterpretations only move bits.
// Rounding is nearest-even; nobody changes the floating-point environment.
// Source: https://webassembly.github.io/spec/core/exec/numerics.html
#pragma once

#include <wasi/trap.h>

#include <bit>
#include <concepts>
#include <cstdint>
#include <expected>
#include <limits>
#include <type_traits>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace wasi::runtime::numeric {

template <class T>
using Checked = std::expected<T, TrapCode>;

template <class T>
concept Unsigned = std::same_as<T, std::uint32_t> || std::same_as<T, std::uint64_t>;
template <class T>
concept Integer = Unsigned<T> || std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>;
template <class T>
concept Float = std::same_as<T, float> || std::same_as<T, double>;

// The unsigned integer with the bits of a float.
template <Float F>
using BitsOf = std::conditional_t<sizeof(F) == 4, std::uint32_t, std::uint64_t>;

template <Unsigned T>
constexpr std::make_signed_t<T> as_signed(T value) {
  return static_cast<std::make_signed_t<T>>(value);
}

// Integers.

template <Unsigned T>
constexpr Checked<T> div_s(T a, T b) {
  using S = std::make_signed_t<T>;
  if (b == 0) [[unlikely]]
    return std::unexpected(TrapCode::integer_divide_by_zero);
  if (as_signed(a) == std::numeric_limits<S>::min() && as_signed(b) == -1) [[unlikely]]
    return std::unexpected(TrapCode::integer_overflow);
  return static_cast<T>(as_signed(a) / as_signed(b));
}

template <Unsigned T>
constexpr Checked<T> div_u(T a, T b) {
  if (b == 0) [[unlikely]]
    return std::unexpected(TrapCode::integer_divide_by_zero);
  return a / b;
}

template <Unsigned T>
constexpr Checked<T> rem_s(T a, T b) {
  if (b == 0) [[unlikely]]
    return std::unexpected(TrapCode::integer_divide_by_zero);
  // The quotient of the smallest number by -1 overflows (and faults on x86); the remainder does not.
  if (as_signed(b) == -1) [[unlikely]]
    return T{0};
  return static_cast<T>(as_signed(a) % as_signed(b));
}

template <Unsigned T>
constexpr Checked<T> rem_u(T a, T b) {
  if (b == 0) [[unlikely]]
    return std::unexpected(TrapCode::integer_divide_by_zero);
  return a % b;
}

// Shift counts are taken modulo the width.
template <Unsigned T>
constexpr T shl(T a, T count) {
  return a << (count & (sizeof(T) * 8 - 1));
}
template <Unsigned T>
constexpr T shr_u(T a, T count) {
  return a >> (count & (sizeof(T) * 8 - 1));
}
template <Unsigned T>
constexpr T shr_s(T a, T count) {
  return static_cast<T>(as_signed(a) >> (count & (sizeof(T) * 8 - 1)));
}
template <Unsigned T>
constexpr T rotl(T a, T count) {
  return std::rotl(a, static_cast<int>(count & (sizeof(T) * 8 - 1)));
}
template <Unsigned T>
constexpr T rotr(T a, T count) {
  return std::rotr(a, static_cast<int>(count & (sizeof(T) * 8 - 1)));
}

// 128 bits as two words.
struct Wide {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  constexpr bool operator==(const Wide&) const = default;
};

// Sums, differences and products wrap.
// Source: https://github.com/WebAssembly/wide-arithmetic/blob/main/proposals/wide-arithmetic/Overview.md
constexpr Wide add128(Wide a, Wide b) {
  const std::uint64_t low = a.low + b.low;
  return {low, a.high + b.high + (low < a.low ? 1 : 0)};
}
constexpr Wide sub128(Wide a, Wide b) { return {a.low - b.low, a.high - b.high - (a.low < b.low ? 1 : 0)}; }
constexpr Wide mul_wide_u(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return {static_cast<std::uint64_t>(product), static_cast<std::uint64_t>(product >> 64)};
}
constexpr Wide mul_wide_s(std::uint64_t a, std::uint64_t b) {
  // A negative operand stands for itself minus 2^64.
  const Wide product = mul_wide_u(a, b);
  return {product.low, product.high - (as_signed(a) < 0 ? b : 0) - (as_signed(b) < 0 ? a : 0)};
}

template <Unsigned T>
constexpr T clz(T a) {
  return static_cast<T>(std::countl_zero(a));
}
template <Unsigned T>
constexpr T ctz(T a) {
  return static_cast<T>(std::countr_zero(a));
}
// Written out, since gcc calls a library function where the target has no popcnt; compilers recognise
// the pattern where it has.
template <Unsigned T>
constexpr T popcnt(T a) {
  constexpr T kOnes = ~T{0};
  a -= (a >> 1) & (kOnes / 3);
  a = (a & (kOnes / 5)) + ((a >> 2) & (kOnes / 5));
  a = (a + (a >> 4)) & (kOnes / 17);
  return static_cast<T>(a * (kOnes / 255)) >> (sizeof(T) * 8 - 8);
}

// Sign extension of the low bits: extend_s<std::int8_t>(x).
template <class Narrow, Unsigned T>
constexpr T extend_s(T a) {
  return static_cast<T>(static_cast<std::make_signed_t<T>>(static_cast<Narrow>(a)));
}
constexpr std::uint64_t extend_i32_s(std::uint32_t a) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(a)));
}
constexpr std::uint64_t extend_i32_u(std::uint32_t a) { return a; }
constexpr std::uint32_t wrap(std::uint64_t a) { return static_cast<std::uint32_t>(a); }

// Floats: bits.

template <Float F>
constexpr BitsOf<F> to_bits(F value) {
  return std::bit_cast<BitsOf<F>>(value);
}
template <Float F>
constexpr F from_bits(BitsOf<F> bits) {
  return std::bit_cast<F>(bits);
}

template <Float F>
inline constexpr BitsOf<F> kSignBit = BitsOf<F>{1} << (sizeof(F) * 8 - 1);
template <Float F>
inline constexpr BitsOf<F> kQuietBit = BitsOf<F>{1} << (std::numeric_limits<F>::digits - 2);
template <Float F>
inline constexpr BitsOf<F> kCanonicalNan = std::bit_cast<BitsOf<F>>(std::numeric_limits<F>::infinity()) | kQuietBit<F>;

template <Float F>
constexpr bool is_nan(F a) {
  return a != a;
}
// A NaN with its quiet bit set, as an instruction that computes would return it.
template <Float F>
constexpr F quiet(F nan) {
  return from_bits<F>(to_bits(nan) | kQuietBit<F>);
}

template <Float F>
constexpr F neg(F a) {
  return from_bits<F>(to_bits(a) ^ kSignBit<F>);
}
template <Float F>
constexpr F abs(F a) {
  return from_bits<F>(to_bits(a) & ~kSignBit<F>);
}
template <Float F>
constexpr F copysign(F magnitude, F sign) {
  return from_bits<F>((to_bits(magnitude) & ~kSignBit<F>) | (to_bits(sign) & kSignBit<F>));
}

// Floats: arithmetic. The hardware's instructions are the semantics.

template <Float F>
constexpr F add(F a, F b) {
  return a + b;
}
template <Float F>
constexpr F sub(F a, F b) {
  return a - b;
}
template <Float F>
constexpr F mul(F a, F b) {
  return a * b;
}
template <Float F>
constexpr F div(F a, F b) {
  return a / b;
}
// The instruction itself: the builtins test for negative arguments, to set errno.
template <Float F>
inline F sqrt(F a) {
#if defined(__SSE2__)
  if constexpr (sizeof(F) == 4) {
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a)));
  } else {
    const __m128d value = _mm_set_sd(a);
    return _mm_cvtsd_f64(_mm_sqrt_sd(value, value));
  }
#else
  if constexpr (sizeof(F) == 4) {
    return __builtin_sqrtf(a);
  } else {
    return __builtin_sqrt(a);
  }
#endif
}

template <Float F>
constexpr F min(F a, F b) {
  if (a == b) [[unlikely]]
    return from_bits<F>(to_bits(a) | to_bits(b));  // of two zeros, the negative one
  if (is_nan(a)) [[unlikely]]
    return quiet(a);
  if (is_nan(b)) [[unlikely]]
    return quiet(b);
  return a < b ? a : b;
}
template <Float F>
constexpr F max(F a, F b) {
  if (a == b) [[unlikely]]
    return from_bits<F>(to_bits(a) & to_bits(b));  // of two zeros, the positive one
  if (is_nan(a)) [[unlikely]]
    return quiet(a);
  if (is_nan(b)) [[unlikely]]
    return quiet(b);
  return a > b ? a : b;
}

namespace detail {

// From this magnitude on every float is an integer.
template <Float F>
inline constexpr F kAllIntegers = static_cast<F>(std::uint64_t{1} << (std::numeric_limits<F>::digits - 1));

// Rounds through integers, which needs no library call without SSE4.1; `adjust` corrects the truncated
// value of a number smaller than kAllIntegers.
template <Float F, class Adjust>
constexpr F round_with(F a, Adjust adjust) {
  using Int = std::make_signed_t<BitsOf<F>>;
  if (!(abs(a) < kAllIntegers<F>)) [[unlikely]]
    return is_nan(a) ? quiet(a) : a;
  return copysign(adjust(static_cast<F>(static_cast<Int>(a))), a);
}

}  // namespace detail

template <Float F>
constexpr F trunc(F a) {
  return detail::round_with(a, [](F whole) { return whole; });
}
template <Float F>
constexpr F floor(F a) {
  return detail::round_with(a, [a](F whole) { return whole > a ? whole - 1 : whole; });
}
template <Float F>
constexpr F ceil(F a) {
  return detail::round_with(a, [a](F whole) { return whole < a ? whole + 1 : whole; });
}
// To the nearest integer, ties to even: the sum leaves no room for a fraction, so the addition rounds.
template <Float F>
constexpr F nearest(F a) {
  if (!(abs(a) < detail::kAllIntegers<F>)) [[unlikely]]
    return is_nan(a) ? quiet(a) : a;
  const F magnitude = (abs(a) + detail::kAllIntegers<F>)-detail::kAllIntegers<F>;
  return copysign(magnitude, a);
}

// Conversions.

namespace detail {

// The open interval of floats whose truncation fits into Int. The lower bound is inclusive where
// min - 1 is no float.
template <Integer Int, Float F>
constexpr bool fits(F a) {
  constexpr int kBits = std::numeric_limits<Int>::digits;
  constexpr F kUpper = static_cast<F>(std::uint64_t{1} << (kBits - 1)) * 2;
  if constexpr (std::unsigned_integral<Int>) {
    return a > F{-1} && a < kUpper;
  } else if constexpr (kBits < std::numeric_limits<F>::digits) {
    return a > -kUpper - 1 && a < kUpper;
  } else {
    return a >= -kUpper && a < kUpper;
  }
}

}  // namespace detail

// Truncation; Int says how the result's bits are read: trunc_to<std::int32_t>(f64).
template <Integer Int, Float F>
constexpr Checked<std::make_unsigned_t<Int>> trunc_to(F a) {
  if (!detail::fits<Int>(a)) [[unlikely]]
    return std::unexpected(is_nan(a) ? TrapCode::invalid_conversion_to_integer : TrapCode::integer_overflow);
  return static_cast<std::make_unsigned_t<Int>>(static_cast<Int>(a));
}
template <Integer Int, Float F>
constexpr std::make_unsigned_t<Int> trunc_sat_to(F a) {
  using U = std::make_unsigned_t<Int>;
  if (detail::fits<Int>(a)) [[likely]]
    return static_cast<U>(static_cast<Int>(a));
  if (is_nan(a)) return 0;
  return static_cast<U>(a < 0 ? std::numeric_limits<Int>::min() : std::numeric_limits<Int>::max());
}

// Integer to float, correctly rounded (compilers round u64 correctly too); Int says how `a` is read.
template <Float F, Integer Int>
constexpr F convert(std::make_unsigned_t<Int> a) {
  return static_cast<F>(static_cast<Int>(a));
}

constexpr float demote(double a) { return static_cast<float>(a); }
constexpr double promote(float a) { return static_cast<double>(a); }

}  // namespace wasi::runtime::numeric

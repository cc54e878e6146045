// The numeric semantics: edges, signed zeros, NaN payloads, trap conditions; compared with independent
// definitions (128-bit integers, bit loops, the C library) where those exist.
#include "runtime/numeric.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace wasi::runtime::numeric {
namespace {

using std::int16_t, std::int32_t, std::int64_t, std::int8_t, std::uint32_t, std::uint64_t;

// What holds at compile time holds in constant folding too.
static_assert(*div_s<uint32_t>(0x80000001U, 0xFFFFFFFFU) == 0x7FFFFFFFU);
static_assert(div_s<uint32_t>(0x80000000U, 0xFFFFFFFFU).error() == TrapCode::integer_overflow);
static_assert(div_s<uint64_t>(1U << 31, 0).error() == TrapCode::integer_divide_by_zero);
static_assert(*rem_s<uint64_t>(0x8000000000000000U, 0xFFFFFFFFFFFFFFFFU) == 0);
static_assert(rem_u<uint32_t>(1, 0).error() == TrapCode::integer_divide_by_zero);
static_assert(shl<uint32_t>(1, 33) == 2 && shr_s<uint32_t>(0x80000000U, 63) == 0xFFFFFFFFU);
static_assert(rotl<uint64_t>(0x8000000000000001U, 65) == 3 && rotr<uint32_t>(1, 32) == 1);
static_assert(clz<uint32_t>(0) == 32 && ctz<uint64_t>(0) == 64 && clz<uint64_t>(1) == 63);
static_assert(extend_s<int8_t>(0xFFFFFF7FU) == 0x7F && extend_s<int16_t>(uint64_t{0x8000}) == 0xFFFFFFFFFFFF8000U);
static_assert(to_bits(nearest(-0.5)) == kSignBit<double> && nearest(4503599627370497.5) == 4503599627370498.0);
static_assert(to_bits(min(0.0F, -0.0F)) == kSignBit<float> && to_bits(max(-0.0F, 0.0F)) == 0);
static_assert(to_bits(neg(from_bits<float>(0x7FA00000U))) == 0xFFA00000U);
static_assert(trunc_sat_to<int32_t>(from_bits<double>(kCanonicalNan<double>)) == 0);

template <class T>
std::vector<T> interesting_integers() {
  std::vector<T> values;
  for (unsigned bit = 0; bit < sizeof(T) * 8; ++bit) {
    for (const T offset : {T{0}, T{1}, ~T{0}}) {
      values.push_back(static_cast<T>((T{1} << bit) + offset));
      values.push_back(static_cast<T>(~(T{1} << bit) + offset));
    }
  }
  std::mt19937_64 random(17);
  for (int i = 0; i < 100; ++i) values.push_back(static_cast<T>(random()));
  return values;
}

TEST_CASE("wide arithmetic is that of 128-bit integers") {
  using U = unsigned __int128;
  using S = __int128;
  const auto join = [](Wide wide) { return static_cast<U>(wide.high) << 64 | wide.low; };
  const std::vector<uint64_t> values = interesting_integers<uint64_t>();
  std::mt19937_64 random(23);
  const auto any = [&] { return values[random() % values.size()]; };
  for (const uint64_t a : values) {
    for (const uint64_t b : values) {
      CHECK(join(mul_wide_u(a, b)) == static_cast<U>(a) * b);
      CHECK(join(mul_wide_s(a, b)) == static_cast<U>(static_cast<S>(as_signed(a)) * as_signed(b)));
      const Wide x{a, any()};
      const Wide y{b, any()};
      CHECK(join(add128(x, y)) == join(x) + join(y));
      CHECK(join(sub128(x, y)) == join(x) - join(y));
    }
  }
}

template <class F>
std::vector<F> interesting_floats() {
  using Bits = BitsOf<F>;
  std::vector<F> values;
  const auto add_both = [&](F value) {
    values.push_back(value);
    values.push_back(neg(value));
  };
  for (const F value : {F{0}, F{0.25}, F{0.5}, F{0.75}, F{1}, F{1.5}, F{2.5}, F{3.5}, F{1e10}}) add_both(value);
  add_both(std::numeric_limits<F>::infinity());
  add_both(std::numeric_limits<F>::denorm_min());
  add_both(std::numeric_limits<F>::min());
  add_both(std::numeric_limits<F>::max());
  // Around every power of two: that is where integers stop having fractions and ranges end.
  for (int exponent = -2; exponent <= 66; ++exponent) {
    const F power = std::ldexp(F{1}, exponent);
    add_both(power);
    add_both(power + F{0.5});
    add_both(power - F{0.5});
    add_both(power + 1);
    add_both(power - 1);
    add_both(from_bits<F>(to_bits(power) + 1));
    add_both(from_bits<F>(to_bits(power) - 1));
  }
  std::mt19937_64 random(23);
  for (int i = 0; i < 200; ++i) {
    const F value = from_bits<F>(static_cast<Bits>(random()));
    if (!is_nan(value)) values.push_back(value);
  }
  return values;
}

template <class F>
std::vector<F> interesting_nans() {
  const BitsOf<F> canonical = kCanonicalNan<F>;
  const BitsOf<F> signaling = (canonical & ~kQuietBit<F>) | 1;
  std::vector<F> nans;
  for (const BitsOf<F> bits : {canonical, canonical | 1, signaling, signaling | (kQuietBit<F> >> 1)}) {
    nans.push_back(from_bits<F>(bits));
    nans.push_back(from_bits<F>(bits | kSignBit<F>));
  }
  return nans;
}

TEMPLATE_TEST_CASE("integer division agrees with wider arithmetic", "[numeric]", uint32_t, uint64_t) {
  using T = TestType;
  __extension__ using Wide = __int128;
  const auto values = interesting_integers<T>();
  for (const T a : values) {
    for (const T b : values) {
      const auto quotient_s = div_s(a, b);
      const auto quotient_u = div_u(a, b);
      const auto rest_s = rem_s(a, b);
      const auto rest_u = rem_u(a, b);
      if (b == 0) {
        REQUIRE(quotient_s.error() == TrapCode::integer_divide_by_zero);
        REQUIRE(quotient_u.error() == TrapCode::integer_divide_by_zero);
        REQUIRE(rest_s.error() == TrapCode::integer_divide_by_zero);
        REQUIRE(rest_u.error() == TrapCode::integer_divide_by_zero);
        continue;
      }
      const Wide quotient = Wide{as_signed(a)} / as_signed(b);
      if (quotient > std::numeric_limits<std::make_signed_t<T>>::max()) {
        REQUIRE(quotient_s.error() == TrapCode::integer_overflow);
      } else {
        REQUIRE(*quotient_s == static_cast<T>(quotient));
      }
      REQUIRE(*quotient_u == static_cast<T>(Wide{a} / b));
      REQUIRE(*rest_s == static_cast<T>(Wide{as_signed(a)} % as_signed(b)));
      REQUIRE(*rest_u == static_cast<T>(Wide{a} % b));
    }
  }
}

TEMPLATE_TEST_CASE("shifts, rotations and bit counts agree with loops over bits", "[numeric]", uint32_t, uint64_t) {
  using T = TestType;
  constexpr unsigned kWidth = sizeof(T) * 8;
  const auto bit = [](T value, unsigned i) { return (value >> i) & 1; };
  for (const T a : interesting_integers<T>()) {
    for (unsigned count = 0; count < 2 * kWidth; ++count) {
      const unsigned n = count % kWidth;
      T left = 0;
      T right_u = 0;
      T right_s = 0;
      T rotated_left = 0;
      T rotated_right = 0;
      for (unsigned i = 0; i < kWidth; ++i) {
        if (i >= n) left |= bit(a, i - n) << i;
        if (i + n < kWidth) right_u |= bit(a, i + n) << i;
        right_s |= bit(a, std::min(i + n, kWidth - 1)) << i;
        rotated_left |= bit(a, i) << ((i + n) % kWidth);
        rotated_right |= bit(a, (i + n) % kWidth) << i;
      }
      REQUIRE(shl(a, T{count}) == left);
      REQUIRE(shr_u(a, T{count}) == right_u);
      REQUIRE(shr_s(a, T{count}) == right_s);
      REQUIRE(rotl(a, T{count}) == rotated_left);
      REQUIRE(rotr(a, T{count}) == rotated_right);
    }
    unsigned ones = 0;
    unsigned leading = 0;
    unsigned trailing = 0;
    for (unsigned i = 0; i < kWidth; ++i) ones += static_cast<unsigned>(bit(a, i));
    while (leading < kWidth && bit(a, kWidth - 1 - leading) == 0) ++leading;
    while (trailing < kWidth && bit(a, trailing) == 0) ++trailing;
    REQUIRE(popcnt(a) == ones);
    REQUIRE(clz(a) == leading);
    REQUIRE(ctz(a) == trailing);
  }
}

TEST_CASE("sign extension keeps the low bits", "[numeric]") {
  for (const uint64_t a : interesting_integers<uint64_t>()) {
    const auto low = static_cast<uint32_t>(a);
    CHECK(extend_s<int8_t>(low) == static_cast<uint32_t>(int32_t{static_cast<int8_t>(a)}));
    CHECK(extend_s<int16_t>(low) == static_cast<uint32_t>(int32_t{static_cast<int16_t>(a)}));
    CHECK(extend_s<int8_t>(a) == static_cast<uint64_t>(int64_t{static_cast<int8_t>(a)}));
    CHECK(extend_s<int16_t>(a) == static_cast<uint64_t>(int64_t{static_cast<int16_t>(a)}));
    CHECK(extend_s<int32_t>(a) == static_cast<uint64_t>(int64_t{static_cast<int32_t>(a)}));
    CHECK(extend_i32_s(low) == extend_s<int32_t>(a));
    CHECK(extend_i32_u(low) == (a & 0xFFFFFFFFU));
    CHECK(wrap(a) == low);
  }
}

TEMPLATE_TEST_CASE("rounding agrees with the C library, the sign of zero included", "[numeric]", float, double) {
  using F = TestType;
  for (const F a : interesting_floats<F>()) {
    INFO(a);
    REQUIRE(to_bits(trunc(a)) == to_bits(std::trunc(a)));
    REQUIRE(to_bits(floor(a)) == to_bits(std::floor(a)));
    REQUIRE(to_bits(ceil(a)) == to_bits(std::ceil(a)));
    REQUIRE(to_bits(nearest(a)) == to_bits(std::nearbyint(a)));
    REQUIRE(to_bits(numeric::abs(a)) == to_bits(std::fabs(a)));
    if (a >= 0) REQUIRE(to_bits(numeric::sqrt(a)) == to_bits(std::sqrt(a)));
  }
  CHECK(to_bits(numeric::sqrt(F{-0.0})) == kSignBit<F>);
  CHECK((to_bits(numeric::sqrt(F{-1})) & ~kSignBit<F>) == kCanonicalNan<F>);
}

TEMPLATE_TEST_CASE("operations that compute quiet a NaN and keep its payload", "[numeric]", float, double) {
  using F = TestType;
  const auto bits = [](F value) { return to_bits(value); };
  for (const F nan : interesting_nans<F>()) {
    const BitsOf<F> quieted = bits(nan) | kQuietBit<F>;
    REQUIRE(is_nan(nan));
    CHECK(bits(trunc(nan)) == quieted);
    CHECK(bits(floor(nan)) == quieted);
    CHECK(bits(ceil(nan)) == quieted);
    CHECK(bits(nearest(nan)) == quieted);
    CHECK(bits(numeric::sqrt(nan)) == quieted);
    for (const F other : {F{0}, F{-1}, std::numeric_limits<F>::infinity()}) {
      CHECK(bits(numeric::min(nan, other)) == quieted);
      CHECK(bits(numeric::min(other, nan)) == quieted);
      CHECK(bits(numeric::max(nan, other)) == quieted);
      CHECK(bits(numeric::max(other, nan)) == quieted);
      CHECK(bits(add(nan, other)) == quieted);
      CHECK(bits(sub(other, nan)) == quieted);
      CHECK(bits(mul(nan, other)) == quieted);
      CHECK(bits(numeric::div(other, nan)) == quieted);
    }
    // Those that only move bits do not.
    CHECK(bits(neg(nan)) == (bits(nan) ^ kSignBit<F>));
    CHECK(bits(numeric::abs(nan)) == (bits(nan) & ~kSignBit<F>));
    CHECK(bits(numeric::copysign(nan, F{-1})) == (bits(nan) | kSignBit<F>));
    CHECK(bits(from_bits<F>(bits(nan))) == bits(nan));
  }
  const F canonical = from_bits<F>(kCanonicalNan<F>);
  CHECK(bits(numeric::min(canonical, from_bits<F>(kCanonicalNan<F> | kSignBit<F>))) == kCanonicalNan<F>);
}

TEMPLATE_TEST_CASE("min and max order numbers and zeros", "[numeric]", float, double) {
  using F = TestType;
  const auto values = interesting_floats<F>();
  for (const F a : values) {
    for (const F b : {F{0}, -F{0}, F{1}, -F{1}, std::numeric_limits<F>::infinity(), values.back()}) {
      if (a == 0 && b == 0) {
        const bool any_negative = std::signbit(a) || std::signbit(b);
        const bool both_negative = std::signbit(a) && std::signbit(b);
        REQUIRE(std::signbit(numeric::min(a, b)) == any_negative);
        REQUIRE(std::signbit(numeric::max(a, b)) == both_negative);
        continue;
      }
      REQUIRE(to_bits(numeric::min(a, b)) == to_bits(std::fmin(a, b)));
      REQUIRE(to_bits(numeric::max(a, b)) == to_bits(std::fmax(a, b)));
    }
  }
}

TEMPLATE_TEST_CASE("promotion and demotion quiet NaNs and move the payload", "[numeric]", float) {
  for (const float nan : interesting_nans<float>()) {
    const uint64_t payload = uint64_t{to_bits(nan) & 0x7FFFFFU} << 29;
    const uint64_t sign = uint64_t{to_bits(nan) & kSignBit<float>} << 32;
    CHECK(to_bits(promote(nan)) == (sign | kCanonicalNan<double> | payload));
  }
  for (const double nan : interesting_nans<double>()) {
    const auto payload = static_cast<uint32_t>((to_bits(nan) & 0xFFFFFFFFFFFFFU) >> 29);
    const auto sign = static_cast<uint32_t>(to_bits(nan) >> 32) & kSignBit<float>;
    CHECK(to_bits(demote(nan)) == (sign | kCanonicalNan<float> | payload));
  }
  CHECK(demote(3.4028235677973366e38) == std::numeric_limits<float>::infinity());
  CHECK(demote(3.4028235677973362e38) == std::numeric_limits<float>::max());
  CHECK(to_bits(demote(-1e-46)) == kSignBit<float>);
}

// The definition: truncate, then ask whether the integer fits.
template <class Int, class F>
void check_truncation(F a) {
  using U = std::make_unsigned_t<Int>;
  const auto result = trunc_to<Int>(a);
  const U saturated = trunc_sat_to<Int>(a);
  INFO("value " << a);
  if (is_nan(a)) {
    REQUIRE(result.error() == TrapCode::invalid_conversion_to_integer);
    REQUIRE(saturated == 0);
    return;
  }
  // long double has 64 bits of precision here, so every bound and every truncated value is exact.
  static_assert(std::numeric_limits<long double>::digits >= 64);
  const long double whole = std::trunc(static_cast<long double>(a));
  if (whole < static_cast<long double>(std::numeric_limits<Int>::min())) {
    REQUIRE(result.error() == TrapCode::integer_overflow);
    REQUIRE(saturated == static_cast<U>(std::numeric_limits<Int>::min()));
  } else if (whole > static_cast<long double>(std::numeric_limits<Int>::max())) {
    REQUIRE(result.error() == TrapCode::integer_overflow);
    REQUIRE(saturated == static_cast<U>(std::numeric_limits<Int>::max()));
  } else {
    REQUIRE(*result == static_cast<U>(static_cast<Int>(whole)));
    REQUIRE(saturated == *result);
  }
}

TEMPLATE_TEST_CASE("truncation to integers traps and saturates at the exact bounds", "[numeric]", float, double) {
  using F = TestType;
  auto values = interesting_floats<F>();
  for (const F nan : interesting_nans<F>()) values.push_back(nan);
  for (const F a : values) {
    check_truncation<int32_t>(a);
    check_truncation<uint32_t>(a);
    check_truncation<int64_t>(a);
    check_truncation<uint64_t>(a);
  }
}

// Rounds a 64-bit magnitude to `digits` bits, ties to even, with integers only.
template <class F>
F round_magnitude(uint64_t magnitude) {
  constexpr int kDigits = std::numeric_limits<F>::digits;
  const int width = std::bit_width(magnitude);
  if (width <= kDigits) return static_cast<F>(static_cast<int64_t>(magnitude));
  const int shift = width - kDigits;
  uint64_t kept = magnitude >> shift;
  const uint64_t rest = magnitude & ((uint64_t{1} << shift) - 1);
  const uint64_t half = uint64_t{1} << (shift - 1);
  if (rest > half || (rest == half && (kept & 1) != 0)) ++kept;
  return std::ldexp(static_cast<F>(static_cast<int64_t>(kept)), shift);
}

TEMPLATE_TEST_CASE("integers become floats correctly rounded", "[numeric]", float, double) {
  using F = TestType;
  auto values = interesting_integers<uint64_t>();
  // Halfway cases at each width, and their neighbours.
  for (int width = 25; width <= 64; ++width) {
    const uint64_t top = uint64_t{1} << (width - 1);
    for (const int digits : {24, 53}) {
      if (width <= digits) continue;
      const uint64_t half = uint64_t{1} << (width - digits - 1);
      for (const uint64_t value : {top | half, top | (half * 3), top | (half - 1), top | (half + 1)}) {
        values.push_back(value);
      }
    }
  }
  for (const uint64_t a : values) {
    INFO(a);
    const auto magnitude = [](uint64_t value, bool negative) {
      return negative ? -round_magnitude<F>(-value) : round_magnitude<F>(value);
    };
    REQUIRE(convert<F, uint64_t>(a) == round_magnitude<F>(a));
    REQUIRE(convert<F, int64_t>(a) == magnitude(a, as_signed(a) < 0));
    const auto low = static_cast<uint32_t>(a);
    REQUIRE(convert<F, uint32_t>(low) == round_magnitude<F>(low));
    REQUIRE(convert<F, int32_t>(low) == magnitude(extend_i32_s(low), as_signed(low) < 0));
  }
}

}  // namespace
}  // namespace wasi::runtime::numeric

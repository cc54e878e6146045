// What vectors compute, lane by lane against scalar definitions that know nothing of vectors. A part of simd_test.cc
// and of simd_portable_test.cc, which leaves out the code for SSE2.
#pragma once

#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "runtime/simd.h"
#include "support/vector_samples.h"

#if defined(WASI_SIMD_PORTABLE)
#define WASI_SIMD_TEST(name) TEST_CASE(name " (portable)", "[simd]")
#else
#define WASI_SIMD_TEST(name) TEST_CASE(name, "[simd]")
#endif

namespace wasi::runtime::simd {
namespace {

// NaNs are compared as the spec does: what is computed from canonical ones is canonical, else any quiet one will do.
enum class Nans : std::uint8_t { exact, computed };

template <class T>
bool is_canonical_nan(T value) {
  return (std::bit_cast<Bits<T>>(value) & ~numeric::kSignBit<T>) == numeric::kCanonicalNan<T>;
}
template <class T, class... Operands>
bool agrees(T expected, T actual, Nans nans, Operands... operands) {
  if constexpr (std::is_floating_point_v<T>) {
    if (nans == Nans::computed && std::isnan(expected)) {
      const bool canonical = ((!std::isnan(operands) || is_canonical_nan(operands)) && ...);
      return std::isnan(actual) && (std::bit_cast<Bits<T>>(actual) & numeric::kQuietBit<T>) != 0 &&
             (!canonical || is_canonical_nan(actual));
    }
  }
  return std::bit_cast<Bits<T>>(expected) == std::bit_cast<Bits<T>>(actual);
}

// `vectors` does in every lane what `scalar` does: from lanes of type From to as many of type To.
template <class From, class To = From, class Vectors, class Scalar>
void check_unary(Vectors vectors, Scalar scalar, Nans nans = Nans::exact) {
  static_assert(sizeof(From) == sizeof(To));
  for (const V128 a : samples<From>()) {
    const auto x = lanes<From>(a);
    const auto actual = lanes<To>(vectors(a));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const To expected = static_cast<To>(scalar(x[i]));
      if constexpr (std::is_floating_point_v<To> && std::is_floating_point_v<From>) {
        if (agrees(expected, actual[i], nans, x[i])) continue;
      } else if (agrees(expected, actual[i], nans)) {
        continue;
      }
      FAIL_CHECK("lane " << i << ": " << +x[i] << " gave " << +actual[i] << ", expected " << +expected);
      return;
    }
  }
  SUCCEED();
}
template <class From, class To = From, class Vectors, class Scalar>
void check_binary(Vectors vectors, Scalar scalar, Nans nans = Nans::exact) {
  static_assert(sizeof(From) == sizeof(To));
  const std::vector<V128> all = samples<From>();
  for (const V128 a : all) {
    for (const V128 b : all) {
      const auto x = lanes<From>(a);
      const auto y = lanes<From>(b);
      const auto actual = lanes<To>(vectors(a, b));
      for (std::size_t i = 0; i < x.size(); ++i) {
        const To expected = static_cast<To>(scalar(x[i], y[i]));
        if constexpr (std::is_floating_point_v<To>) {
          if (agrees(expected, actual[i], nans, x[i], y[i])) continue;
        } else if (agrees(expected, actual[i], nans)) {
          continue;
        }
        FAIL_CHECK("lane " << i << ": " << +x[i] << ", " << +y[i] << " gave " << +actual[i] << ", expected "
                           << +expected);
        return;
      }
    }
  }
  SUCCEED();
}
// `result(x, i)` is lane i of type To, computed from all lanes of type From.
template <class From, class To, class Vectors, class Result>
void check_shape(Vectors vectors, Result result) {
  for (const V128 a : samples<From>()) {
    const auto x = lanes<From>(a);
    const auto actual = lanes<To>(vectors(a));
    for (std::size_t i = 0; i < actual.size(); ++i) {
      const auto expected = static_cast<To>(result(x, i));
      if (agrees(expected, actual[i], Nans::exact)) continue;
      FAIL_CHECK("lane " << i << " is " << +actual[i] << ", expected " << +expected);
      return;
    }
  }
  SUCCEED();
}
template <class From, class To, class Vectors, class Result>
void check_shape2(Vectors vectors, Result result) {
  const std::vector<V128> all = samples<From>();
  for (const V128 b : all) {
    check_shape<From, To>([&](V128 a) { return vectors(a, b); },
                          [&](const Lanes<From>& x, std::size_t i) { return result(x, lanes<From>(b), i); });
  }
}

template <class To>
To clamp_to(std::int64_t value) {
  if (value < std::numeric_limits<To>::min()) return std::numeric_limits<To>::min();
  if (value > std::numeric_limits<To>::max()) return std::numeric_limits<To>::max();
  return static_cast<To>(value);
}
template <class Int, class F>
std::uint32_t trunc_sat_definition(F value) {
  if (std::isnan(value)) return 0;
  const F whole = std::trunc(value);
  if (whole < static_cast<F>(std::numeric_limits<Int>::min())) {
    return static_cast<std::uint32_t>(std::numeric_limits<Int>::min());
  }
  if (static_cast<double>(whole) > static_cast<double>(std::numeric_limits<Int>::max())) {
    return static_cast<std::uint32_t>(std::numeric_limits<Int>::max());
  }
  return static_cast<std::uint32_t>(static_cast<std::int64_t>(whole));
}

WASI_SIMD_TEST("vectors: bits") {
  using T = std::uint64_t;
  check_unary<T>(bit_not, [](T x) { return ~x; });
  check_binary<T>(bit_and, [](T x, T y) { return x & y; });
  check_binary<T>(bit_andnot, [](T x, T y) { return x & ~y; });
  check_binary<T>(bit_or, [](T x, T y) { return x | y; });
  check_binary<T>(bit_xor, [](T x, T y) { return x ^ y; });
  const V128 mask = samples<T>().back();
  const T m = lanes<T>(mask)[0];
  check_binary<T>([&](V128 a, V128 b) { return bitselect(a, b, splat(m)); },
                  [&](T x, T y) { return (x & m) | (y & ~m); });
}

template <class T>
void check_comparisons() {
  using To = std::make_signed_t<Bits<T>>;
  check_binary<T, To>(eq<T>, [](T x, T y) { return x == y ? -1 : 0; });
  check_binary<T, To>(ne<T>, [](T x, T y) { return x != y ? -1 : 0; });
  check_binary<T, To>(lt<T>, [](T x, T y) { return x < y ? -1 : 0; });
  check_binary<T, To>(gt<T>, [](T x, T y) { return x > y ? -1 : 0; });
  check_binary<T, To>(le<T>, [](T x, T y) { return x <= y ? -1 : 0; });
  check_binary<T, To>(ge<T>, [](T x, T y) { return x >= y ? -1 : 0; });
}

WASI_SIMD_TEST("vectors: comparisons") {
  check_comparisons<std::int8_t>();
  check_comparisons<std::uint8_t>();
  check_comparisons<std::int16_t>();
  check_comparisons<std::uint16_t>();
  check_comparisons<std::int32_t>();
  check_comparisons<std::uint32_t>();
  check_comparisons<std::int64_t>();
  check_comparisons<float>();
  check_comparisons<double>();
}

template <class T>
void check_integers() {
  using S = std::make_signed_t<T>;
  using W = unsigned __int128;
  check_binary<T>(add<T>, [](T x, T y) { return static_cast<T>(W{x} + y); });
  check_binary<T>(sub<T>, [](T x, T y) { return static_cast<T>(W{x} - y); });
  check_binary<T>(mul<T>, [](T x, T y) { return static_cast<T>(W{x} * y); });
  check_unary<T>(neg<T>, [](T x) { return static_cast<T>(W{0} - x); });
  check_unary<T>(abs<T>, [](T x) { return static_cast<S>(x) < 0 ? static_cast<T>(W{0} - x) : x; });
  check_binary<T>(min<T>, [](T x, T y) { return x < y ? x : y; });
  check_binary<T>(max<T>, [](T x, T y) { return x > y ? x : y; });
  check_binary<S>(min<S>, [](S x, S y) { return x < y ? x : y; });
  check_binary<S>(max<S>, [](S x, S y) { return x > y ? x : y; });
  for (const std::uint32_t count : {0U, 1U, 3U, 7U, 8U, 15U, 16U, 31U, 32U, 63U, 64U, 0xFFFF'FFFFU}) {
    const unsigned k = count % (sizeof(T) * 8);
    check_unary<T>([&](V128 a) { return shl<T>(a, count); }, [&](T x) { return static_cast<T>(W{x} << k); });
    check_unary<T>([&](V128 a) { return shr_u<T>(a, count); }, [&](T x) { return static_cast<T>(x >> k); });
    check_unary<T>([&](V128 a) { return shr_s<T>(a, count); },
                   [&](T x) { return static_cast<T>(static_cast<S>(x) >> k); });
  }
  for (const V128 a : samples<T>()) {
    bool any = false;
    bool all = true;
    std::uint32_t mask = 0;
    const auto x = lanes<T>(a);
    for (std::size_t i = 0; i < x.size(); ++i) {
      any |= x[i] != 0;
      all &= x[i] != 0;
      if (static_cast<S>(x[i]) < 0) mask |= 1U << i;
    }
    CHECK(any_true(a) == any);
    CHECK(all_true<T>(a) == all);
    CHECK(bitmask<T>(a) == mask);
  }
  CHECK_FALSE(any_true(V128{}));
  CHECK(all_true<T>(splat(T{1})));
}

WASI_SIMD_TEST("vectors: integers") {
  check_integers<std::uint8_t>();
  check_integers<std::uint16_t>();
  check_integers<std::uint32_t>();
  check_integers<std::uint64_t>();
  check_unary<std::uint8_t>(popcnt, [](std::uint8_t x) { return std::popcount(x); });
}

template <class T>
void check_saturating() {
  check_binary<T>(add_sat<T>, [](int x, int y) { return clamp_to<T>(x + y); });
  check_binary<T>(sub_sat<T>, [](int x, int y) { return clamp_to<T>(x - y); });
}

WASI_SIMD_TEST("vectors: saturation and averages") {
  check_saturating<std::int8_t>();
  check_saturating<std::uint8_t>();
  check_saturating<std::int16_t>();
  check_saturating<std::uint16_t>();
  check_binary<std::uint8_t>(avgr<std::uint8_t>, [](int x, int y) { return (x + y + 1) / 2; });
  check_binary<std::uint16_t>(avgr<std::uint16_t>, [](int x, int y) { return (x + y + 1) / 2; });
  check_binary<std::int16_t>(q15mulr_sat,
                             [](int x, int y) { return clamp_to<std::int16_t>((std::int64_t{x} * y + 0x4000) >> 15); });
}

// Everything is computed in 64 bits, of which the lower ones are the result.
template <class T>
void check_widening() {
  using To = Wide<T>;
  constexpr std::size_t kHalf = kLanes<T> / 2;
  using X = const Lanes<T>&;
  const auto product = [](T x, T y) { return static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(y); };
  check_shape<T, To>(extend_low<T>, [](X x, std::size_t i) { return x[i]; });
  check_shape<T, To>(extend_high<T>, [](X x, std::size_t i) { return x[i + kHalf]; });
  check_shape2<T, To>(extmul_low<T>, [&](X x, X y, std::size_t i) { return product(x[i], y[i]); });
  check_shape2<T, To>(extmul_high<T>, [&](X x, X y, std::size_t i) { return product(x[i + kHalf], y[i + kHalf]); });
  if constexpr (sizeof(T) < 4) {
    check_shape<T, To>(extadd_pairwise<T>, [](X x, std::size_t i) { return x[2 * i] + x[2 * i + 1]; });
  }
}
template <class T>
void check_dot() {
  using X = const Lanes<T>&;
  check_shape2<T, Wide<T>>(dot<T>, [](X x, X y, std::size_t i) {
    return std::int64_t{x[2 * i]} * y[2 * i] + std::int64_t{x[2 * i + 1]} * y[2 * i + 1];
  });
}
template <class From, class To>
void check_narrow() {
  using X = const Lanes<From>&;
  check_shape2<From, To>(narrow<To>,
                         [](X x, X y, std::size_t i) { return clamp_to<To>(i < x.size() ? x[i] : y[i - x.size()]); });
}

WASI_SIMD_TEST("vectors: lanes of other widths") {
  check_widening<std::int8_t>();
  check_widening<std::uint8_t>();
  check_widening<std::int16_t>();
  check_widening<std::uint16_t>();
  check_widening<std::int32_t>();
  check_widening<std::uint32_t>();
  check_dot<std::int8_t>();
  check_dot<std::int16_t>();
  check_narrow<std::int16_t, std::int8_t>();
  check_narrow<std::int16_t, std::uint8_t>();
  check_narrow<std::int32_t, std::int16_t>();
  check_narrow<std::int32_t, std::uint16_t>();
  const V128 c = samples<std::uint32_t>().back();
  using X = const Lanes<std::int8_t>&;
  check_shape2<std::int8_t, std::int32_t>([&](V128 a, V128 b) { return dot_add(a, b, c); },
                                          [&](X x, X y, std::size_t i) {
                                            std::int64_t sum = lanes<std::int32_t>(c)[i];
                                            for (std::size_t k = 4 * i; k < 4 * i + 4; k += 2) {
                                              sum += static_cast<std::int16_t>(x[k] * y[k] + x[k + 1] * y[k + 1]);
                                            }
                                            return sum;
                                          });
}

template <class T>
void check_lanes() {
  const auto before = lanes<T>(samples<T>().back());
  const T value = edges<T>()[4];
  for (std::uint32_t lane = 0; lane < before.size(); ++lane) {
    auto expected = before;
    expected[lane] = value;
    const V128 replaced = replace_lane<T>(vector_of<T>(before), lane, value);
    CHECK(lanes<std::uint8_t>(replaced) == lanes<std::uint8_t>(vector_of<T>(expected)));
    CHECK(std::bit_cast<Bits<T>>(lane_at<T>(&replaced, lane)) == std::bit_cast<Bits<T>>(value));
  }
  for (const T each : edges<T>()) {
    Lanes<T> all;
    all.fill(each);
    CHECK(lanes<std::uint8_t>(splat(each)) == lanes<std::uint8_t>(vector_of<T>(all)));
  }
  Lanes<T> first = {};
  first[0] = value;
  CHECK(lanes<std::uint8_t>(zero_extend(value)) == lanes<std::uint8_t>(vector_of<T>(first)));
}

WASI_SIMD_TEST("vectors: single lanes") {
  check_lanes<std::uint8_t>();
  check_lanes<std::uint16_t>();
  check_lanes<std::uint32_t>();
  check_lanes<std::uint64_t>();
  check_lanes<float>();
  check_lanes<double>();
}

WASI_SIMD_TEST("vectors: bytes in another order") {
  using X = const Lanes<std::uint8_t>&;
  check_shape2<std::uint8_t, std::uint8_t>(swizzle, [](X x, X y, std::size_t i) { return y[i] < 16 ? x[y[i]] : 0; });
  const std::vector<V128> all = samples<std::uint8_t>();
  for (const V128 pattern : all) {
    const V128 indices = pattern & 31;
    check_shape2<std::uint8_t, std::uint8_t>([&](V128 a, V128 b) { return shuffle(a, b, indices); },
                                             [&](X x, X y, std::size_t i) {
                                               const std::uint8_t index = lanes<std::uint8_t>(indices)[i];
                                               return index < 16 ? x[index] : y[index - 16];
                                             });
  }
}

template <class F>
void check_floats() {
  check_unary<F>(float_abs<F>, [](F x) { return std::bit_cast<F>(std::bit_cast<Bits<F>>(x) & ~numeric::kSignBit<F>); });
  check_unary<F>(float_neg<F>, [](F x) { return std::bit_cast<F>(std::bit_cast<Bits<F>>(x) ^ numeric::kSignBit<F>); });
  check_unary<F>(sqrt<F>, [](F x) { return std::sqrt(x); }, Nans::computed);
  check_unary<F>(ceil<F>, [](F x) { return std::ceil(x); }, Nans::computed);
  check_unary<F>(floor<F>, [](F x) { return std::floor(x); }, Nans::computed);
  check_unary<F>(trunc<F>, [](F x) { return std::trunc(x); }, Nans::computed);
  check_unary<F>(nearest<F>, [](F x) { return std::nearbyint(x); }, Nans::computed);
  check_binary<F>(add<F>, [](F x, F y) { return x + y; }, Nans::computed);
  check_binary<F>(sub<F>, [](F x, F y) { return x - y; }, Nans::computed);
  check_binary<F>(mul<F>, [](F x, F y) { return x * y; }, Nans::computed);
  check_binary<F>(div<F>, [](F x, F y) { return x / y; }, Nans::computed);
  const auto pick = [](F x, F y, bool smaller) {
    if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<F>::quiet_NaN();
    if (x == y) return std::signbit(x) == smaller ? x : y;
    return (x < y) == smaller ? x : y;
  };
  check_binary<F>(float_min<F>, [&](F x, F y) { return pick(x, y, true); }, Nans::computed);
  check_binary<F>(float_max<F>, [&](F x, F y) { return pick(x, y, false); }, Nans::computed);
  check_binary<F>(pmin<F>, [](F x, F y) { return y < x ? y : x; });
  check_binary<F>(pmax<F>, [](F x, F y) { return x < y ? y : x; });
  for (const F c : {F{0}, F{1.5}, std::numeric_limits<F>::infinity()}) {
    const auto twice = [](F product) {
      volatile F rounded = product;
      return F{rounded};
    };
    check_binary<F>([&](V128 a, V128 b) { return madd<F>(a, b, splat(c)); }, [&](F x, F y) { return twice(x * y) + c; },
                    Nans::computed);
    check_binary<F>([&](V128 a, V128 b) { return nmadd<F>(a, b, splat(c)); },
                    [&](F x, F y) { return twice(-x * y) + c; }, Nans::computed);
  }
}

WASI_SIMD_TEST("vectors: floats") {
  check_floats<float>();
  check_floats<double>();
}

WASI_SIMD_TEST("vectors: between integers and floats") {
  using std::int32_t, std::uint32_t;
  check_unary<float, uint32_t>(trunc_sat<int32_t>, trunc_sat_definition<int32_t, float>);
  check_unary<float, uint32_t>(trunc_sat<uint32_t>, trunc_sat_definition<uint32_t, float>);
  const auto low = []<class Int>(Lanes<double> x, std::size_t i) {
    return i < 2 ? trunc_sat_definition<Int>(x[i]) : 0;
  };
  check_shape<double, uint32_t>(trunc_sat_zero<int32_t>,
                                [&](Lanes<double> x, std::size_t i) { return low.operator()<int32_t>(x, i); });
  check_shape<double, uint32_t>(trunc_sat_zero<uint32_t>,
                                [&](Lanes<double> x, std::size_t i) { return low.operator()<uint32_t>(x, i); });
  check_unary<int32_t, float>(convert_to_f32<int32_t>, [](int32_t x) { return static_cast<float>(x); });
  check_unary<uint32_t, float>(convert_to_f32<uint32_t>, [](uint32_t x) { return static_cast<float>(x); });
  check_shape<int32_t, double>(convert_low_to_f64<int32_t>, [](Lanes<int32_t> x, std::size_t i) { return x[i]; });
  check_shape<uint32_t, double>(convert_low_to_f64<uint32_t>, [](Lanes<uint32_t> x, std::size_t i) { return x[i]; });
  for (const V128 a : samples<float>()) {
    const auto promoted = lanes<double>(promote_low(a));
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(agrees(static_cast<double>(lanes<float>(a)[i]), promoted[i], Nans::computed, lanes<float>(a)[i]));
    }
  }
  for (const V128 a : samples<double>()) {
    const auto demoted = lanes<float>(demote_zero(a));
    for (std::size_t i = 0; i < 4; ++i) {
      const double x = i < 2 ? lanes<double>(a)[i] : 0;
      CHECK(agrees(static_cast<float>(x), demoted[i], Nans::computed, x));
    }
  }
}

}  // namespace
}  // namespace wasi::runtime::simd

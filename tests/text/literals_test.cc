#include "text/literals.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "mutation/mutate.h"

using namespace wasi;
using text::Literal;

namespace {

std::uint32_t f32(std::string_view text) {
  std::uint32_t bits = 0;
  INFO(text);
  REQUIRE(text::parse_f32(text, bits) == Literal::ok);
  return bits;
}
std::uint64_t f64(std::string_view text) {
  std::uint64_t bits = 0;
  INFO(text);
  REQUIRE(text::parse_f64(text, bits) == Literal::ok);
  return bits;
}
Literal f32_fails(std::string_view text) {
  std::uint32_t bits = 0;
  return text::parse_f32(text, bits);
}
Literal integer(std::string_view text, unsigned bits, std::uint64_t expected = 0) {
  std::uint64_t value = 0;
  const Literal result = text::parse_integer(text, bits, value);
  if (result == Literal::ok) CHECK(value == expected);
  return result;
}
std::string decode(std::string_view quoted) {
  std::string out;
  const char* problem = text::decode_string({quoted.data(), quoted.data() + quoted.size()}, out);
  return problem != nullptr ? std::string("! ") + problem : out;
}

}  // namespace

TEST_CASE("integers of both signs, with underscores, up to their limits") {
  CHECK(integer("0", 32, 0) == Literal::ok);
  CHECK(integer("-1", 32, ~std::uint64_t{0}) == Literal::ok);
  CHECK(integer("4294967295", 32, 0xFFFFFFFF) == Literal::ok);
  CHECK(integer("0xffff_FFFF", 32, 0xFFFFFFFF) == Literal::ok);
  CHECK(integer("-2147483648", 32, static_cast<std::uint64_t>(INT32_MIN)) == Literal::ok);
  CHECK(integer("1_000", 32, 1000) == Literal::ok);
  CHECK(integer("18446744073709551615", 64, ~std::uint64_t{0}) == Literal::ok);
  CHECK(integer("-0x8000000000000000", 64, std::uint64_t{1} << 63) == Literal::ok);
  for (const char* text : {"4294967296", "-2147483649", "0x100000000"}) CHECK(integer(text, 32) == Literal::range);
  for (const char* text :
       {"18446744073709551616", "-9223372036854775809", "0x10000000000000000", "99999999999999999999999"}) {
    CHECK(integer(text, 64) == Literal::range);
  }
  for (const char* text : {"", "-", "+", "_1", "1_", "1__0", "0x", "0x_1", "1x", "0xg", "--1", "1.0", "a", "0X1"}) {
    INFO(text);
    CHECK(integer(text, 64) == Literal::syntax);
  }
}

TEST_CASE("floats round to the nearest, ties to even, at every border") {
  CHECK(f32("1") == std::bit_cast<std::uint32_t>(1.0F));
  CHECK(f32("-0") == 0x80000000);
  CHECK(f32("1.") == 0x3f800000);
  CHECK(f32("1.e1") == std::bit_cast<std::uint32_t>(10.0F));
  CHECK(f32("1_0.2_5e0_1") == std::bit_cast<std::uint32_t>(102.5F));
  CHECK(f32("inf") == 0x7f800000);
  CHECK(f32("-inf") == 0xff800000);
  CHECK(f32("nan") == 0x7fc00000);
  CHECK(f32("-nan") == 0xffc00000);
  CHECK(f32("nan:0x1") == 0x7f800001);
  CHECK(f32("+nan:0x7f_ffff") == 0x7fffffff);
  CHECK(f64("nan:0xfffffffffffff") == 0x7fffffffffffffff);
  // The largest, and what rounds down to it.
  CHECK(f32("340282346638528859811704183484516925440") == 0x7f7fffff);
  CHECK(f32("340282356779733661637539395458142568447.9999") == 0x7f7fffff);
  CHECK(f32("0x1.fffffeffffffffffffp127") == 0x7f7fffff);
  CHECK(f32_fails("340282356779733661637539395458142568448") == Literal::range);
  CHECK(f32_fails("0x1.ffffffp127") == Literal::range);
  CHECK(f32_fails("0x1p128") == Literal::range);
  CHECK(f32_fails("1e999999999999999999999") == Literal::range);
  CHECK(f32_fails("0x1p999999999999999999999") == Literal::range);
  // The smallest, half of it (to even: zero), and a little more than half.
  CHECK(f32("0x1p-149") == 1);
  CHECK(f32("0x1p-150") == 0);
  CHECK(f32("0x1.000001p-150") == 1);
  CHECK(f32("0x1.00000000000000000000000000000001p-150") == 1);
  CHECK(f32("0x1.8p-149") == 2);
  CHECK(f32("0x1p-151") == 0);
  CHECK(f32("-0x1p-151") == 0x80000000);
  CHECK(f32("1e-50") == 0);
  CHECK(f32("-1e-999999999999999999") == 0x80000000);
  CHECK(f32("0x1p-999999999999999999999") == 0);
  CHECK(f64("1e-400") == 0);
  CHECK(f64("0x1p-1074") == 1);
  CHECK(f64("0x1p-1075") == 0);
  CHECK(f64("0x1.0000000000001p-1075") == 1);
  CHECK(f64("0x0.0000000000001p-1022") == 1);
  CHECK(f64("0x1.fffffffffffff7ffp1023") == 0x7fefffffffffffff);
  // The largest denormal, and what rounds up to the smallest normal number.
  CHECK(f32("0x1.fffffcp-127") == 0x007fffff);
  CHECK(f32("0x1.fffffep-127") == 0x00800000);
  // Not by way of a double: that would round twice.
  CHECK(f32("0x1.00000100000000001p0") == 0x3f800001);
  CHECK(f32("1.00000005960464477539062500000000000000001") == 0x3f800001);
  CHECK(f32("1.000000059604644775390625") == 0x3f800000);
  CHECK(f32("0x0") == 0);
  for (const char* text :
       {"",     ".",    ".5",    "1e",     "1e+",      "1p1", "0x1e+",   "0xp1",  "0x.1",          "1._0", "1_.0",
        "1e_1", "nan:", "nan:1", "nan:0x", "infinity", "Inf", "0x1.8.8", "1e1.0", "nan:canonical", "- 1",  "1 "}) {
    INFO(text);
    CHECK(f32_fails(text) == Literal::syntax);
  }
  CHECK(f32_fails("nan:0x800000") == Literal::range);
  CHECK(f32_fails("nan:0x0") == Literal::range);
}

TEST_CASE("decimal and hexadecimal floats agree with the C library on random numbers") {
  test::Random random(7);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random.next();
    const auto value = std::bit_cast<double>(bits);
    if (!std::isfinite(value)) continue;
    char text[64];
    std::snprintf(text, sizeof(text), i % 2 == 0 ? "%.17g" : "%a", value);
    INFO(text);
    REQUIRE(f64(text) == bits);
    const float nearest = std::strtof(text, nullptr);
    if (std::isinf(nearest)) {
      REQUIRE(f32_fails(text) == Literal::range);
    } else {
      REQUIRE(f32(text) == std::bit_cast<std::uint32_t>(nearest));
    }
  }
}

TEST_CASE("strings and their escapes") {
  CHECK(decode(R"("plain")") == "plain");
  CHECK(decode(R"("\n\t\r\"\'\\")") == "\n\t\r\"'\\");
  CHECK(decode(R"("\00\ff\4a")") == std::string("\0\xff\x4a", 3));
  CHECK(decode(R"("\u{41}\u{e9}\u{20ac}\u{1_F6_00}")") == "A\u00e9\u20ac\U0001F600");
  for (const char* text : {R"("\x")", R"("\4")", R"("\4g")", R"("\u41")", R"("\u{}")", R"("\u{d800}")",
                           R"("\u{110000}")", R"("\u{ffffffffffffffffff41}")", R"("\u{4_}")", R"("\u{41")"}) {
    INFO(text);
    CHECK(decode(text).starts_with("! illegal escape"));
  }
}

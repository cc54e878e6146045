// Every pattern has to refuse what it does not describe: a runner that accepts too much proves nothing.
#include "tools/wast/patterns.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cstring>
#include <deque>

using namespace wasi;
using spec::argument_of;
using spec::match_results;

namespace {

// Values point into the script that they come from.
const std::string& keep(std::string script) {
  static std::deque<std::string> scripts;
  return scripts.emplace_back(std::move(script));
}

text::ScriptValue pattern(std::string_view text) {
  const auto commands = text::parse_script(keep("(assert_return (invoke \"f\") " + std::string(text) + ")"));
  REQUIRE(commands);
  return commands->at(0).expected.at(0);
}
text::ScriptValue argument(std::string_view text) {
  const auto commands = text::parse_script(keep("(invoke \"f\" " + std::string(text) + ")"));
  REQUIRE(commands);
  return commands->at(0).action.arguments.at(0);
}
bool matches(std::string_view text, const Value& value) {
  return match_results(std::vector{pattern(text)}, std::vector{value}).has_value();
}
Value f32_bits(std::uint32_t bits) { return Value(std::bit_cast<float>(bits)); }
Value f64_bits(std::uint64_t bits) { return Value(std::bit_cast<double>(bits)); }

}  // namespace

TEST_CASE("integers match bit by bit and by type") {
  CHECK(matches("(i32.const 4294967295)", std::int32_t{-1}));
  CHECK(matches("(i32.const -1)", std::int32_t{-1}));
  CHECK_FALSE(matches("(i32.const 0xffff_ffff)", std::int32_t{1}));
  CHECK_FALSE(matches("(i32.const 1)", std::int64_t{1}));
  CHECK_FALSE(matches("(i64.const 1)", std::int32_t{1}));
  CHECK(matches("(i64.const 18446744073709551615)", std::int64_t{-1}));
}

TEST_CASE("floats match bit by bit: the sign of zero and NaN payloads count") {
  CHECK(matches("(f32.const -0)", -0.0F));
  CHECK_FALSE(matches("(f32.const 0)", -0.0F));
  CHECK(matches("(f64.const nan:0x1)", f64_bits(0x7ff0000000000001)));
  CHECK_FALSE(matches("(f64.const nan:0x1)", f64_bits(0x7ff8000000000001)));
}

TEST_CASE("nan:canonical is the one quiet NaN of either sign") {
  const char* f32 = "(f32.const nan:canonical)";
  CHECK(matches(f32, f32_bits(0x7fc00000)));
  CHECK(matches(f32, f32_bits(0xffc00000)));
  CHECK_FALSE(matches(f32, f32_bits(0x7fc00001)));
  CHECK_FALSE(matches(f32, f32_bits(0x7f800000)));
  CHECK_FALSE(matches(f32, 1.0F));
  const char* f64 = "(f64.const nan:canonical)";
  CHECK(matches(f64, f64_bits(0xfff8000000000000)));
  CHECK_FALSE(matches(f64, f64_bits(0x7ff8000000000001)));
}

TEST_CASE("nan:arithmetic is any quiet NaN, never a signalling one") {
  const char* f32 = "(f32.const nan:arithmetic)";
  CHECK(matches(f32, f32_bits(0x7fc00001)));
  CHECK_FALSE(matches(f32, f32_bits(0x7fa00000)));
  CHECK_FALSE(matches(f32, f32_bits(0x7f800000)));
  const char* f64 = "(f64.const nan:arithmetic)";
  CHECK(matches(f64, f64_bits(0xfff8000000000005)));
  CHECK_FALSE(matches(f64, f64_bits(0x7ff4000000000000)));
}

TEST_CASE("v128 lanes match one by one, with NaN patterns per lane") {
  V128 vector;
  const std::uint32_t lanes[] = {1, 0x7fc00000, 3, 4};
  std::memcpy(vector.bytes.data(), lanes, sizeof(lanes));
  CHECK(matches("(v128.const i32x4 1 0x7fc00000 3 4)", vector));
  CHECK(matches("(v128.const f32x4 0x1p-149 nan:canonical 0x3p-149 0x1p-147)", vector));
  CHECK_FALSE(matches("(v128.const f32x4 0x1p-149 nan:canonical 0x3p-149 0x5p-149)", vector));
  CHECK_FALSE(matches("(v128.const f32x4 nan:arithmetic 0x1p-148 0x3p-149 0x1p-147)", vector));
  CHECK(matches("(v128.const i64x2 0x7fc00000_00000001 0x4_00000003)", vector));
  CHECK_FALSE(matches("(v128.const i64x2 1 0x4_00000003)", vector));
  CHECK(matches("(v128.const i8x16 1 0 0 0 0 0 -64 127 3 0 0 0 4 0 0 0)", vector));
}

TEST_CASE("references match by nullness, kind and number") {
  const Value null_func = Value::zero_of(ValueType::funcref());
  const Value one = argument_of(argument("(ref.extern 1)")).value();
  CHECK(matches("(ref.null)", null_func));
  CHECK_FALSE(matches("(ref.func)", null_func));
  CHECK_FALSE(matches("(ref.extern)", Value::zero_of(ValueType::externref())));
  CHECK(matches("(ref.extern 1)", one));
  CHECK_FALSE(matches("(ref.extern 0)", one));
  CHECK_FALSE(matches("(ref.null)", one));
  CHECK_FALSE(matches("(ref.func)", one));
}

TEST_CASE("either matches one of its patterns") {
  CHECK(matches("(either (i32.const 1) (i32.const 2))", std::int32_t{2}));
  CHECK_FALSE(matches("(either (i32.const 1) (i32.const 2))", std::int32_t{3}));
}

TEST_CASE("a wrong number of results is a failure that says so") {
  const auto none = match_results(std::vector{pattern("(i32.const 1)")}, {});
  REQUIRE_FALSE(none);
  CHECK(none.error() == "expected 1 results, got 0");
}

TEST_CASE("arguments keep every bit") {
  CHECK(argument_of(argument("(f32.const nan:0x1)")).value().bits()[0] == 0x7f800001);
  CHECK(argument_of(argument("(i64.const -1)")).value() == Value(std::int64_t{-1}));
  CHECK(argument_of(argument("(ref.null extern)")).value() == Value::zero_of(ValueType::externref()));
  const Value vector = argument_of(argument("(v128.const i16x8 1 2 3 4 5 6 7 -1)")).value();
  CHECK(vector.bits()[0] == 0x0004'0003'0002'0001);
  CHECK(vector.bits()[1] == 0xffff'0007'0006'0005);
}

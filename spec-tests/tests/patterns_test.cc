// Every pattern has to refuse what it does not describe: a runner that accepts too much proves nothing.
#include "patterns.h"

#include <bit>
#include <catch2/catch.hpp>

using namespace wasi;
using spec::argument_of;
using spec::Json;
using spec::match_results;

namespace {

bool matches(const char* pattern, const Value& value) {
  return match_results(Json::array({Json::parse(pattern)}), std::vector{value}).has_value();
}
Value f32_bits(std::uint32_t bits) { return Value(std::bit_cast<float>(bits)); }
Value f64_bits(std::uint64_t bits) { return Value(std::bit_cast<double>(bits)); }

}  // namespace

TEST_CASE("integers match bit by bit and by type") {
  CHECK(matches(R"({"type": "i32", "value": "4294967295"})", std::int32_t{-1}));
  CHECK_FALSE(matches(R"({"type": "i32", "value": "4294967295"})", std::int32_t{1}));
  CHECK_FALSE(matches(R"({"type": "i32", "value": "1"})", std::int64_t{1}));
  CHECK_FALSE(matches(R"({"type": "i64", "value": "1"})", std::int32_t{1}));
  CHECK(matches(R"({"type": "i64", "value": "18446744073709551615"})", std::int64_t{-1}));
}

TEST_CASE("floats match bit by bit: the sign of zero and NaN payloads count") {
  CHECK(matches(R"({"type": "f32", "value": "2147483648"})", -0.0F));
  CHECK_FALSE(matches(R"({"type": "f32", "value": "0"})", -0.0F));
  CHECK(matches(R"({"type": "f64", "value": "9218868437227405313"})", f64_bits(0x7ff0000000000001)));
  CHECK_FALSE(matches(R"({"type": "f64", "value": "9218868437227405313"})", f64_bits(0x7ff8000000000001)));
}

TEST_CASE("nan:canonical is the one quiet NaN of either sign") {
  const char* f32 = R"({"type": "f32", "value": "nan:canonical"})";
  CHECK(matches(f32, f32_bits(0x7fc00000)));
  CHECK(matches(f32, f32_bits(0xffc00000)));
  CHECK_FALSE(matches(f32, f32_bits(0x7fc00001)));
  CHECK_FALSE(matches(f32, f32_bits(0x7f800000)));
  CHECK_FALSE(matches(f32, 1.0F));
  const char* f64 = R"({"type": "f64", "value": "nan:canonical"})";
  CHECK(matches(f64, f64_bits(0xfff8000000000000)));
  CHECK_FALSE(matches(f64, f64_bits(0x7ff8000000000001)));
}

TEST_CASE("nan:arithmetic is any quiet NaN, never a signalling one") {
  const char* f32 = R"({"type": "f32", "value": "nan:arithmetic"})";
  CHECK(matches(f32, f32_bits(0x7fc00001)));
  CHECK_FALSE(matches(f32, f32_bits(0x7fa00000)));
  CHECK_FALSE(matches(f32, f32_bits(0x7f800000)));
  const char* f64 = R"({"type": "f64", "value": "nan:arithmetic"})";
  CHECK(matches(f64, f64_bits(0xfff8000000000005)));
  CHECK_FALSE(matches(f64, f64_bits(0x7ff4000000000000)));
}

TEST_CASE("v128 lanes match one by one, with NaN patterns per lane") {
  V128 vector;
  const std::uint32_t lanes[] = {1, 0x7fc00000, 3, 4};
  std::memcpy(vector.bytes.data(), lanes, sizeof(lanes));
  CHECK(matches(R"({"type": "v128", "shape": "i32x4", "value": ["1", "2143289344", "3", "4"]})", vector));
  CHECK(matches(R"({"type": "v128", "shape": "f32x4", "value": ["1", "nan:canonical", "3", "4"]})", vector));
  CHECK_FALSE(matches(R"({"type": "v128", "shape": "f32x4", "value": ["1", "nan:canonical", "3", "5"]})", vector));
  CHECK_FALSE(matches(R"({"type": "v128", "shape": "f32x4", "value": ["nan:arithmetic", "2", "3", "4"]})", vector));
  CHECK(matches(R"({"type": "v128", "shape": "i64x2", "value": ["9205357638345293825", "17179869187"]})", vector));
  CHECK_FALSE(matches(R"({"type": "v128", "shape": "i64x2", "value": ["1", "17179869187"]})", vector));
}

TEST_CASE("references match by nullness, kind and number") {
  const Value null_func = Value::zero_of(ValueType::funcref());
  const Value one = argument_of(Json::parse(R"({"type": "ref.extern", "value": "1"})")).value();
  CHECK(matches(R"({"type": "ref.null"})", null_func));
  CHECK_FALSE(matches(R"({"type": "ref.func"})", null_func));
  CHECK_FALSE(matches(R"({"type": "ref.extern"})", Value::zero_of(ValueType::externref())));
  CHECK(matches(R"({"type": "ref.extern", "value": "1"})", one));
  CHECK_FALSE(matches(R"({"type": "ref.extern", "value": "0"})", one));
  CHECK_FALSE(matches(R"({"type": "ref.null"})", one));
  CHECK_FALSE(matches(R"({"type": "ref.func"})", one));
}

TEST_CASE("either matches one of its patterns") {
  const char* pattern =
      R"({"type": "either", "value": [{"type": "i32", "value": "1"}, {"type": "i32", "value": "2"}]})";
  CHECK(matches(pattern, std::int32_t{2}));
  CHECK_FALSE(matches(pattern, std::int32_t{3}));
}

TEST_CASE("a wrong number of results and an unknown pattern are failures that say so") {
  const Json one = Json::array({{{"type", "i32"}, {"value", "1"}}});
  const auto none = match_results(one, {});
  REQUIRE_FALSE(none);
  CHECK(none.error() == "expected 1 results, got 0");
  const auto unknown = match_results(Json::array({{{"type", "ref.shiny"}}}), std::vector{Value(std::int32_t{1})});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error() == R"(the runner has no such pattern: {"type":"ref.shiny"})");
}

TEST_CASE("arguments keep every bit") {
  CHECK(argument_of(Json::parse(R"({"type": "f32", "value": "2139095041"})")).value().bits()[0] == 0x7f800001);
  CHECK(argument_of(Json::parse(R"({"type": "i64", "value": "18446744073709551615"})")).value() ==
        Value(std::int64_t{-1}));
  CHECK_FALSE(argument_of(Json::parse(R"({"type": "i32"})")));
}

// Values and types as plain data.
#include <wasi/values.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using namespace wasi;

TEST_CASE("A value knows its type and reads back as it only") {
  CHECK(Value(std::int32_t{-1}).as<std::int32_t>() == -1);
  CHECK(Value(std::int32_t{-1}).as<std::uint32_t>() == 0xffffffffU);
  CHECK(Value(std::int32_t{-1}).as<std::int64_t>() == std::nullopt);
  CHECK(Value(std::int64_t{-5}).as<std::int64_t>() == -5);
  CHECK(Value(1.5F).as<float>() == 1.5F);
  CHECK(Value(1.5F).as<double>() == std::nullopt);
  CHECK(Value(-0.0).as<double>() == 0.0);
  CHECK(std::signbit(*Value(-0.0).as<double>()));
  int object = 0;
  CHECK(Value(ExternRef{&object}).as<ExternRef>() == ExternRef{&object});
  const V128 vector{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  CHECK(Value(vector).as<V128>() == vector);
  CHECK(Value(vector).type() == ValueType::v128());
}

TEST_CASE("NaN payloads survive") {
  const auto payload = std::bit_cast<float>(0x7fa00001U);
  CHECK(std::bit_cast<std::uint32_t>(*Value(payload).as<float>()) == 0x7fa00001U);
}

TEST_CASE("Values are equal bit by bit") {
  CHECK(Value(0.0) != Value(-0.0));
  CHECK(Value(std::numeric_limits<double>::quiet_NaN()) == Value(std::numeric_limits<double>::quiet_NaN()));
  CHECK(Value(std::int32_t{1}) != Value(std::int64_t{1}));
  CHECK(Value::zero_of(ValueType::externref()).is_null());
  CHECK_FALSE(Value(std::int32_t{0}).is_null());
}

TEST_CASE("Values print by type") {
  CHECK(Value(std::uint32_t{0xffffffff}).to_string() == "-1");
  CHECK(Value(std::numeric_limits<std::int64_t>::min()).to_string() == "-9223372036854775808");
  CHECK(Value(0.1F).to_string() == "0.1");
  CHECK(Value(0.1).to_string() == "0.1");
  CHECK(Value(-0.0).to_string() == "-0");
  CHECK(Value(std::numeric_limits<double>::infinity()).to_string() == "inf");
  CHECK(Value(std::bit_cast<double>(0x7ff8000000000000U)).to_string() == "nan");
  CHECK(Value(std::bit_cast<double>(0xfff8000000000000U)).to_string() == "-nan");
  CHECK(Value(std::bit_cast<float>(0x7fa00001U)).to_string() == "nan:0x200001");
  CHECK(Value(V128{{1}}).to_string() == "0x00000000000000000000000000000001");
  CHECK(Value(ExternRef{}).to_string() == "null");
}

TEST_CASE("Types print as the text format writes them") {
  CHECK(ValueType::i32().to_string() == "i32");
  CHECK(ValueType::funcref().to_string() == "funcref");
  CHECK(FunctionType{{ValueType::i32(), ValueType::externref()}, {ValueType::f64()}}.to_string() ==
        "(i32, externref) -> (f64)");
  CHECK(ExternType{MemoryType{.limits = {1, 2}}}.to_string() == "memory 1 2");
  CHECK(ExternType{GlobalType{ValueType::i64(), true}}.kind() == ExternKind::global);
}

// C++ types map to Wasm types at compile time.
static_assert(value_type_of<long>() == ValueType::i64());
static_assert(value_type_of<unsigned>() == ValueType::i32());
static_assert(value_type_of<bool>() == ValueType::i32());
enum class Wide : std::uint64_t {};
static_assert(value_type_of<Wide>() == ValueType::i64());
static_assert(!WasmValue<short> && !WasmValue<char> && !WasmValue<long double>);

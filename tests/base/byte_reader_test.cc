// The binary format's numbers and names: edges, and the messages of what is wrong.
#include "base/byte_reader.h"

#include <catch2/catch.hpp>
#include <limits>
#include <random>

#include "support/module_builder.h"

namespace wasi::base {
namespace {

using test::Bytes;
using test::hex;

// The reader has a fast path while ten bytes are left and a checked one near the end. Both must agree, so each
// number is read twice: alone, and with padding behind it.
template <class Read>
auto read_both(const Bytes& bytes, Read read) {
  ByteReader alone(bytes, 0);
  const auto value = read(alone);
  const std::size_t consumed = bytes.size() - alone.remaining();
  const Bytes padded = test::join(bytes, Bytes(16, 0xAA));
  ByteReader reader(padded, 0);
  const auto again = read(reader);
  INFO("with padding behind it");
  CHECK(value == again);
  CHECK(alone.ok() == reader.ok());
  if (alone.ok()) CHECK(consumed == padded.size() - reader.remaining());
  return value;
}

std::uint32_t u32(std::string_view text) {
  return read_both(hex(text), [](ByteReader& r) { return r.u32("number"); });
}
std::uint64_t u64(std::string_view text) {
  return read_both(hex(text), [](ByteReader& r) { return r.u64("number"); });
}
std::int32_t s32(std::string_view text) {
  return read_both(hex(text), [](ByteReader& r) { return r.s32("number"); });
}
std::int64_t s33(std::string_view text) {
  return read_both(hex(text), [](ByteReader& r) { return r.s33("number"); });
}
std::int64_t s64(std::string_view text) {
  return read_both(hex(text), [](ByteReader& r) { return r.s64("number"); });
}

// The message for bytes that no number of this kind has.
template <class Read>
std::string failure(std::string_view text, Read read) {
  const Bytes bytes = hex(text);
  ByteReader reader(bytes, 0x100);
  CHECK(read(reader) == 0);
  REQUIRE_FALSE(reader.ok());
  CHECK(reader.at_end());
  const Error error = reader.take_error();
  CHECK(error.kind == ErrorKind::malformed);
  REQUIRE(error.offset.has_value());
  return std::to_string(*error.offset - 0x100) + ": " + error.message;
}
const auto read_u32 = [](ByteReader& r) { return r.u32("count"); };
const auto read_u64 = [](ByteReader& r) { return r.u64("count"); };
const auto read_s32 = [](ByteReader& r) { return r.s32("constant"); };
const auto read_s33 = [](ByteReader& r) { return r.s33("block type"); };
const auto read_s64 = [](ByteReader& r) { return r.s64("constant"); };

TEST_CASE("unsigned numbers at their edges") {
  CHECK(u32("00") == 0);
  CHECK(u32("7f") == 127);
  CHECK(u32("80 01") == 128);
  CHECK(u32("80 80 80 80 00") == 0);
  CHECK(u32("ff ff ff ff 0f") == 0xFFFFFFFF);
  CHECK(u64("ff ff ff ff ff ff ff ff ff 01") == std::numeric_limits<std::uint64_t>::max());
  CHECK(u64("80 80 80 80 80 80 80 80 80 00") == 0);
}

TEST_CASE("signed numbers at their edges") {
  CHECK(s32("7f") == -1);
  CHECK(s32("3f") == 63);
  CHECK(s32("40") == -64);
  CHECK(s32("c0 00") == 64);
  CHECK(s32("80 7f") == -128);
  CHECK(s32("ff ff ff ff 07") == std::numeric_limits<std::int32_t>::max());
  CHECK(s32("80 80 80 80 78") == std::numeric_limits<std::int32_t>::min());
  CHECK(s32("ff ff ff ff 7f") == -1);
  CHECK(s33("ff ff ff ff 0f") == 0xFFFFFFFFLL);
  CHECK(s33("80 80 80 80 70") == -0x100000000LL);
  CHECK(s64("ff ff ff ff ff ff ff ff ff 00") == std::numeric_limits<std::int64_t>::max());
  CHECK(s64("80 80 80 80 80 80 80 80 80 7f") == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("numbers that are too long") {
  CHECK(failure("80 80 80 80 80 00", read_u32) == "0: integer representation too long: expected count of 32 bits");
  CHECK(failure("80 80 80 80 80 80 80 80 80 80 00", read_u64) ==
        "0: integer representation too long: expected count of 64 bits");
  CHECK(failure("80 80 80 80 80 00", read_s32) == "0: integer representation too long: expected constant of 32 bits");
  CHECK(failure("ff ff ff ff ff 7f", read_s33) == "0: integer representation too long: expected block type of 33 bits");
  CHECK(failure("ff ff ff ff ff ff ff ff ff ff 7f", read_s64) ==
        "0: integer representation too long: expected constant of 64 bits");
}

TEST_CASE("numbers with bits beyond their size") {
  CHECK(failure("80 80 80 80 10", read_u32) == "0: integer too large: expected count of 32 bits");
  CHECK(failure("ff ff ff ff ff ff ff ff ff 02", read_u64) == "0: integer too large: expected count of 64 bits");
  CHECK(failure("80 80 80 80 08", read_s32) == "0: integer too large: expected constant of 32 bits");
  CHECK(failure("ff ff ff ff 77", read_s32) == "0: integer too large: expected constant of 32 bits");
  CHECK(failure("80 80 80 80 10", read_s33) == "0: integer too large: expected block type of 33 bits");
  CHECK(failure("80 80 80 80 80 80 80 80 80 01", read_s64) == "0: integer too large: expected constant of 64 bits");
  CHECK(failure("80 80 80 80 80 80 80 80 80 7e", read_s64) == "0: integer too large: expected constant of 64 bits");
}

TEST_CASE("numbers that the end cuts off") {
  CHECK(failure("", read_u32) == "0: unexpected end of section or function: expected count");
  CHECK(failure("80", read_u32) == "1: unexpected end of section or function: expected count");
  CHECK(failure("ff ff", read_s64) == "2: unexpected end of section or function: expected constant");
}

TEST_CASE("every written number reads back") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t value = random() >> (random() % 64);
    const auto number = static_cast<std::int64_t>(value) * (random() % 2 == 0 ? 1 : -1);
    REQUIRE(read_both(test::leb(value), [](ByteReader& r) { return r.u64("number"); }) == value);
    REQUIRE(read_both(test::signed_leb(number), [](ByteReader& r) { return r.s64("number"); }) == number);
  }
}

TEST_CASE("fast and checked readers agree on random bytes") {
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes(1 + random() % 11);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() | (random() % 4 == 0 ? 0 : 0x80));
    bytes.back() &= 0x7F;
    read_both(bytes, read_u32);
    read_both(bytes, read_u64);
    read_both(bytes, read_s32);
    read_both(bytes, read_s33);
    read_both(bytes, read_s64);
  }
}

TEST_CASE("the first failure stays") {
  const Bytes bytes = hex("80 80 80 80 10 01 02");
  ByteReader reader(bytes, 8);
  CHECK(reader.u32("first") == 0);
  CHECK(reader.u8("second") == 0);
  CHECK(reader.fixed64("third") == 0);
  CHECK(reader.bytes(1, "fourth").empty());
  CHECK(reader.remaining() == 0);
  const Error error = reader.take_error();
  CHECK(error.to_string() == "malformed module at offset 0x8: integer too large: expected first of 32 bits");
}

TEST_CASE("fixed-size fields are little-endian and may stand anywhere") {
  const Bytes bytes = hex("00 78 56 34 12 ef cd ab 89 67 45 23 01");
  ByteReader reader(bytes, 0);
  reader.u8("padding");
  CHECK(reader.fixed32("bits") == 0x12345678);
  CHECK(reader.fixed64("bits") == 0x0123456789ABCDEF);
  CHECK(reader.at_end());
  CHECK(reader.ok());
}

TEST_CASE("byte strings cannot reach beyond the end") {
  const Bytes bytes = hex("01 02 03");
  ByteReader reader(bytes, 0x20, "module");
  CHECK(reader.bytes(2, "payload").size() == 2);
  CHECK(reader.bytes(0xFFFFFFFFFFFFFFFF, "payload").empty());
  CHECK(reader.take_error().to_string() ==
        "malformed module at offset 0x22: unexpected end of module: expected 18446744073709551615 bytes of payload, "
        "found 1");
}

TEST_CASE("names") {
  const Bytes good = hex("03 61 c3 a9 00");
  ByteReader reader(good, 0);
  CHECK(reader.name("import name") == "a\xC3\xA9");
  CHECK(reader.remaining() == 1);

  const Bytes broken = hex("02 61 ff");
  ByteReader bad(broken, 0x30);
  CHECK(bad.name("import name").empty());
  CHECK(bad.take_error().to_string() == "malformed module at offset 0x31: malformed UTF-8 encoding: import name");

  const Bytes cut = hex("7f 61 62");
  ByteReader claimed(cut, 0x30);
  CHECK(claimed.name("import name").empty());
  CHECK(claimed.take_error().to_string() ==
        "malformed module at offset 0x31: length out of bounds: import name of 127 bytes claimed, 2 are left");
}

std::string encode(std::uint32_t code_point) {
  const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) return {static_cast<char>(0xC0 | code_point >> 6), tail(code_point)};
  if (code_point < 0x10000) {
    return {static_cast<char>(0xE0 | code_point >> 12), tail(code_point >> 6), tail(code_point)};
  }
  return {static_cast<char>(0xF0 | code_point >> 18), tail(code_point >> 12), tail(code_point >> 6), tail(code_point)};
}

TEST_CASE("UTF-8: every code point, and no surrogate") {
  int wrong = 0;
  for (std::uint32_t c = 0; c < 0x110000; ++c) {
    const bool surrogate = c >= 0xD800 && c < 0xE000;
    if (is_utf8(encode(c)) == surrogate) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK_FALSE(is_utf8(encode(0x110000)));
}

TEST_CASE("UTF-8: overlong, cut and stray bytes") {
  for (const char* text :
       {"80", "bf", "c0 80", "c1 bf", "e0 80 80", "e0 9f bf", "f0 80 80 80", "f0 8f bf bf", "f4 90 80 80",
        "f5 80 80 80", "ff", "c3", "e2 82", "f0 9f 98", "c3 28", "e2 28 a1", "ed a0 80", "61 c3"}) {
    const Bytes bytes = hex(text);
    INFO(text);
    CHECK_FALSE(is_utf8({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  CHECK(is_utf8(""));
}

}  // namespace
}  // namespace wasi::base

// Type definitions: what a declared super type asks for, and bounds.
#include <catch2/catch.hpp>

#include "validate/support.h"

using namespace wasi;
using test::build;
using test::hex;
using test::join;
using test::leb;
using test::verdict;

namespace {
std::string types(std::string_view payload) { return verdict(build({.types = payload, .functions = ""})); }
}  // namespace

TEST_CASE("a super type is not final") {
  // (type (sub (struct))) (type (sub 0 (struct)))
  CHECK(types("02 50 00 5f 00 50 01 00 5f 00") == "ok");
  CHECK(types("02 5f 00 50 01 00 5f 00") == "invalid at 0xa: sub type 1 has a super type that is final");
  CHECK(types("02 4f 00 5f 00 50 01 00 5f 00") == "invalid at 0xa: sub type 1 has a super type that is final");
}

TEST_CASE("a structure keeps its super type's fields and may add to them") {
  // super: (struct i32 (mut i64))
  const std::string super = "02 50 00 5f 02 7f 00 7e 01 ";
  CHECK(types(super + "50 01 00 5f 03 7f 00 7e 01 7d 00") == "ok");
  CHECK(types(super + "50 01 00 5f 01 7f 00") == "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types(super + "50 01 00 5f 02 7d 00 7e 01") == "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types(super + "50 01 00 5f 02 7f 01 7e 01") == "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types(super + "50 01 00 5f 02 7f 00 7e 00") == "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types(super + "50 01 00 5e 7f 00") == "invalid at 0xa: sub type 1 does not match its super type");
}

TEST_CASE("fields that are only read may be narrower, those that are written not") {
  // super: (array anyref), (array (mut anyref)), (array i8)
  CHECK(types("02 50 00 5e 6e 00 50 01 00 5e 6c 00") == "ok");
  CHECK(types("02 50 00 5e 6c 00 50 01 00 5e 6e 00") == "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types("02 50 00 5e 6e 01 50 01 00 5e 6c 01") == "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types("02 50 00 5e 6e 01 50 01 00 5e 6e 01") == "ok");
  CHECK(types("02 50 00 5e 78 00 50 01 00 5e 77 00") == "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types("02 50 00 5e 78 00 50 01 00 5e 7f 00") == "invalid at 0xa: sub type 1 does not match its super type");
}

TEST_CASE("functions take more and give less") {
  // super: (func (param i31ref) (result anyref))
  const std::string super = "02 50 00 60 01 6c 01 6e ";
  CHECK(types(super + "50 01 00 60 01 6e 01 6c") == "ok");
  CHECK(types(super + "50 01 00 60 01 71 01 6e") == "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types("02 50 00 60 00 01 6c 50 01 00 60 00 01 6e") ==
        "invalid at 0xa: sub type 1 does not match its super type");
  CHECK(types(super + "50 01 00 60 00 01 6e") == "invalid at 0xa: sub type 1 does not match its super type");
}

TEST_CASE("types have bounded lists") {
  const auto with_params = [](std::uint32_t count) {
    return test::module({test::section(
        test::kTypeSection, join(hex("01 60"), leb(count), test::Bytes(count, std::uint8_t{0x7F}), hex("00")))});
  };
  CHECK(verdict(with_params(1000)) == "ok");
  CHECK(verdict(with_params(1001)) ==
        "limit at 0xb: type 0 has 1001 parameters and 0 results; at most 1000 and 1000 are supported");
}

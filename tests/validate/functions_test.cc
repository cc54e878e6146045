// validate_functions: the same verdict on any number of threads, and bodies that would cost more than their bytes.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "binary/decoder.h"
#include "support/shared.h"
#include "validate/support.h"
#include "validate/validator.h"

using namespace wasi;
using test::Bytes;
using test::hex;
using test::join;
using test::leb;
using test::section;
using test::sized;

namespace {

// A module of functions () -> (), whose bodies (local declarations and final end included) are given.
Bytes module_with(const std::vector<Bytes>& bodies) {
  Bytes functions = leb(bodies.size());
  Bytes code = leb(bodies.size());
  for (const Bytes& body : bodies) {
    functions.push_back(0);
    const Bytes entry = sized(body);
    code.insert(code.end(), entry.begin(), entry.end());
  }
  return test::module({section(test::kTypeSection, hex("01 60 00 00")), section(test::kFunctionSection, functions),
                       section(test::kCodeSection, code)});
}

Bytes repeat(std::string_view code, std::size_t times) {
  const Bytes bytes = hex(code);
  Bytes all;
  for (std::size_t i = 0; i < times; ++i) all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

std::string verdict_on(const Bytes& bytes, unsigned threads) {
  const auto module = test::decode(bytes);
  REQUIRE(validate::validate_module(*module));
  const auto result = validate::validate_functions(*module, threads);
  return result ? "ok" : result.error().to_string();
}

}  // namespace

TEST_CASE("the first wrong body is told, on any number of threads") {
  // Bodies of 100 nops make several chunks; those at 2999 and 7000 are wrong, each in its own way.
  const Bytes good = join(hex("00"), repeat("01", 100), hex("0b"));
  std::vector<Bytes> bodies(9000, good);
  CHECK(verdict_on(module_with(bodies), 1) == "ok");
  CHECK(verdict_on(module_with(bodies), 4) == "ok");
  bodies[7000] = hex("00 20 00 1a 0b");
  bodies[2999] = hex("00 1a 0b");
  const std::string expected = verdict_on(module_with(bodies), 1);
  CHECK(expected.find("in drop (in function 2999)") != std::string::npos);
  for (const unsigned threads : {2U, 3U, 8U, 1000U}) {
    for (int i = 0; i < 5; ++i) CHECK(verdict_on(module_with(bodies), threads) == expected);
  }
}

TEST_CASE("threads collect the same features") {
  std::vector<Bytes> bodies(5000, join(hex("00"), repeat("01", 100), hex("0b")));
  bodies[4999] = hex("00 41 00 c0 1a 0b");
  bodies[1] = hex("00 12 00 0b");
  for (const unsigned threads : {1U, 4U}) {
    const auto module = test::decode(module_with(bodies));
    REQUIRE(validate::validate_module(*module));
    REQUIRE(validate::validate_functions(*module, threads));
    CHECK(module->features ==
          wasm::FeatureSet{wasm::Feature::mvp, wasm::Feature::sign_extension, wasm::Feature::tail_calls});
  }
}

TEST_CASE("a module without bodies is valid on any number of threads") {
  CHECK(verdict_on(test::module({}), 1) == "ok");
  CHECK(verdict_on(test::module({}), 8) == "ok");
}

TEST_CASE("validate_function judges one body and says what it uses") {
  const auto module = test::decode(module_with({hex("00 41 00 c0 1a 0b"), hex("00 1a 0b")}));
  REQUIRE(validate::validate_module(*module));
  const auto first = validate::validate_function(*module, wasm::FuncIndex(0));
  REQUIRE(first);
  CHECK(*first == wasm::FeatureSet{wasm::Feature::sign_extension});
  CHECK_FALSE(validate::validate_function(*module, wasm::FuncIndex(1)));
}

TEST_CASE("a million nested blocks") {
  const Bytes deep = join(hex("00"), repeat("02 40", 1'000'000), repeat("0b", 1'000'001));
  CHECK(verdict_on(module_with({deep}), 1) == "ok");
  const Bytes open = join(hex("00"), repeat("02 40", 1'000'000), hex("0b"));
  CHECK(verdict_on(module_with({open}), 1).find("unexpected end of section or function") != std::string::npos);
}

TEST_CASE("a br_table of ten million labels, and one that only claims them") {
  const Bytes table = join(hex("00 41 00 0e"), leb(10'000'000), repeat("00", 10'000'001), hex("0b"));
  CHECK(verdict_on(module_with({table}), 1) == "ok");
  CHECK(verdict_on(module_with({hex("00 41 00 0e ff ff ff ff 0f 00 0b")}), 1).find("unknown label 11") !=
        std::string::npos);
}

TEST_CASE("operands that pile up are bounded") {
  // (type 0 (func)) (type 1 (func (result i32 x 1000))): calls whose results are left lying.
  const Bytes types = join(hex("02 60 00 00 60 00"), leb(1000), repeat("7f", 1000));
  const Bytes body = join(hex("00"), repeat("10 00", 2000), hex("0b"));
  const Bytes bytes = test::module({section(test::kTypeSection, types), section(test::kFunctionSection, hex("01 01")),
                                    section(test::kCodeSection, join(hex("01"), sized(body)))});
  CHECK(verdict_on(bytes, 1).find("too many operands: more than 1048576 on the stack") != std::string::npos);
}

TEST_CASE("instructions of three operands are checked on a high stack too") {
  // 300 times i64.const 0, then i32.atomic.rmw.cmpxchg: its operands are i64 all the same.
  const Bytes body = join(hex("00"), repeat("42 00", 300), hex("fe 48 02 00 00 0b"));
  const Bytes bytes = test::module(
      {section(test::kTypeSection, hex("01 60 00 00")), section(test::kFunctionSection, hex("01 00")),
       section(test::kMemorySection, hex("01 00 01")), section(test::kCodeSection, join(hex("01"), sized(body)))});
  CHECK(verdict_on(bytes, 1).find("instruction requires [i32 i32 i32] but stack has [i64 i64 i64]") !=
        std::string::npos);
}

TEST_CASE("many functions that each claim the most locals") {
  // 50000 locals in 3 + 1 bytes; what is not used is not expanded.
  const std::vector<Bytes> bodies(20'000, hex("01 d0 86 03 7f 20 cf 86 03 1a 0b"));
  CHECK(verdict_on(module_with(bodies), 1) == "ok");
}

TEST_CASE("the benchmark modules are valid, sequentially and in parallel") {
  for (const auto& path : test::shared_modules()) {
    INFO(path.string());
    const Bytes bytes = test::read_file(path);
    if (binary::kind_of(bytes) != binary::FileKind::module) continue;
    CHECK(verdict_on(bytes, 1) == "ok");
    CHECK(verdict_on(bytes, 3) == "ok");
  }
}

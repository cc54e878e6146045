// memory.copy and memory.fill of few bytes, which handlers move themselves, and of more, by a call.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "machine.h"

namespace wasi::interp::test {
namespace {

constexpr std::uint64_t kSize = 65536;
constexpr std::string_view kOutside = "out of bounds memory access";

// The same with both kinds of addresses.
constexpr std::string_view kNarrow = R"((module (memory (export "memory") 1) (memory $other (export "other") 1)
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy_other") (param i32 i32 i32) (memory.copy $other 0 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill_other") (param i32 i32 i32) (memory.fill $other (local.get 0) (local.get 1) (local.get 2)))))";
constexpr std::string_view kWide = R"((module (memory (export "memory") i64 1)
  (func (export "copy") (param i64 i64 i64) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i64 i32 i64) (memory.fill (local.get 0) (local.get 1) (local.get 2)))))";

std::span<std::uint8_t> bytes(runtime::Instance& instance, std::uint32_t memory = 0) {
  return instance.memory(memory)->bytes();
}

std::string trap_of(Machine& machine, std::string_view function, const Values& arguments) {
  const auto result = machine.call(function, arguments);
  return result ? "no trap" : result.error().message;
}

TEST_CASE("copies of any size move what memmove does, wherever they overlap", "[bulk]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    for (const std::string_view text : {kNarrow, kWide}) {
      Machine machine(mode);
      runtime::Instance& instance = machine.instantiate(text);
      std::vector<std::uint8_t> expected(256);
      for (std::uint64_t count = 0; count <= 70; ++count) {
        for (const int distance : {-33, -16, -7, -1, 0, 1, 3, 8, 17, 40, 90}) {
          std::iota(expected.begin(), expected.end(), static_cast<std::uint8_t>(count));
          std::ranges::copy(expected, bytes(instance).begin());
          const auto to = static_cast<std::uint64_t>(90 + distance);
          std::memmove(expected.data() + to, expected.data() + 90, count);
          REQUIRE(machine.call("copy", {to, 90, count}));
          if (!std::ranges::equal(expected, bytes(instance).first(256))) FAIL(count << " bytes by " << distance);
        }
      }
    }
  }
}

TEST_CASE("fills of any size set these bytes and no others", "[bulk]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    for (const std::string_view text : {kNarrow, kWide}) {
      Machine machine(mode);
      runtime::Instance& instance = machine.instantiate(text);
      for (std::uint64_t count = 0; count <= 70; ++count) {
        std::ranges::fill(bytes(instance).first(256), std::uint8_t{0x55});
        REQUIRE(machine.call("fill", {90, 0x1A7, count}));
        const auto all = bytes(instance).first(256);
        const auto filled = all.subspan(90, count);
        CHECK(std::ranges::count(filled, 0xA7) == static_cast<std::ptrdiff_t>(count));
        CHECK(std::ranges::count(all, 0x55) == static_cast<std::ptrdiff_t>(256 - count));
      }
    }
  }
}

TEST_CASE("few bytes that reach outside trap, and nothing is written", "[bulk]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    runtime::Instance& instance = machine.instantiate(kNarrow);
    std::ranges::fill(bytes(instance), std::uint8_t{1});
    for (const std::uint64_t count : {0, 1, 5, 16, 33, 64}) {
      REQUIRE(machine.call("copy", {kSize - count, 0, count}));
      REQUIRE(machine.call("copy", {0, kSize - count, count}));
      REQUIRE(machine.call("fill", {kSize - count, 1, count}));
      CHECK(trap_of(machine, "copy", {kSize - count + 1, 0, count}) == kOutside);
      CHECK(trap_of(machine, "copy", {0, kSize - count + 1, count}) == kOutside);
      CHECK(trap_of(machine, "fill", {kSize - count + 1, 2, count}) == kOutside);
      CHECK(trap_of(machine, "copy", {UINT32_MAX, 0, count}) == kOutside);
      CHECK(trap_of(machine, "fill", {UINT32_MAX, 2, count}) == kOutside);
    }
    CHECK(std::ranges::count(bytes(instance), 1) == static_cast<std::ptrdiff_t>(kSize));
  }
}

TEST_CASE("other memories are meant where they are named", "[bulk]") {
  for (const Mode mode : kModes) {
    INFO(describe(mode));
    Machine machine(mode);
    runtime::Instance& instance = machine.instantiate(kNarrow);
    std::ranges::fill(bytes(instance), std::uint8_t{7});
    REQUIRE(machine.call("copy_other", {8, 0, 4}));
    REQUIRE(machine.call("fill_other", {12, 9, 4}));
    const std::vector<std::uint8_t> expected = {0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 9, 9, 9, 9, 0};
    CHECK(std::ranges::equal(expected, bytes(instance, 1).first(expected.size())));
    CHECK(bytes(instance)[12] == 7);
  }
}

}  // namespace
}  // namespace wasi::interp::test

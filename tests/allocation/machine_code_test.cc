// What tiers of machine code share, where memory runs out: an Error, and what was there before is found.
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "allocation/failing_allocator.h"
#include "jit/common/code_arena.h"
#include "jit/common/gdb_jit.h"
#include "runtime/code_map.h"

using namespace wasi;
using namespace wasi::test;

namespace {

constexpr std::uint64_t kAll = std::uint64_t{1} << 40;
constexpr std::uint64_t kMostAllocations = 1000;  // of anything below

// Range i is [i * 100, i * 100 + 50).
runtime::CodeRange range(std::uint32_t i) {
  return {.begin = i * std::uintptr_t{100}, .end = i * std::uintptr_t{100} + 50, .function = i};
}

bool has(const runtime::CodeMap& map, std::uint32_t i) {
  const auto found = map.find(i * std::uintptr_t{100} + 20);
  return found && found->function == i;
}

}  // namespace

TEST_CASE("Code is added to the map, or memory has run out") {
  const std::uint64_t count = GENERATE(std::uint64_t{1}, kAll);
  // Into an empty map, into a leaf, and where a leaf has to be split, at its end and in its middle.
  const auto [others, added] =
      GENERATE(std::pair(0U, 5U), std::pair(10U, 5U), std::pair(64U, 200U), std::pair(64U, 33U));
  std::uint64_t errors = 0;
  for (std::uint64_t first = 0;; ++first) {
    REQUIRE(first < kMostAllocations);
    runtime::CodeMap map;
    std::vector<runtime::CodeMap::Entry> entries;
    for (std::uint32_t i = 0; i < others + 1; ++i) {
      if (i != added && (i != 0 || others != 0)) entries.push_back(*map.add(range(i)));
    }
    std::optional<Result<runtime::CodeMap::Entry>> result;
    bool has_failed = false;
    {
      const FailingAllocator allocator(first, count);
      result.emplace(map.add(range(added)));
      has_failed = allocator.has_failed();
    }
    CHECK(result->has_value() == !has_failed);
    CHECK(has(map, added) == !has_failed);
    if (has_failed) {
      ++errors;
      CHECK(result->error().message == "out of memory");
    }
    for (std::uint32_t i = 1; i < others; ++i) CHECK((i == added || has(map, i)));
    if (!has_failed) break;
  }
  CHECK(errors != 0);
}

TEST_CASE("Code leaves the map also where memory has run out") {
  const std::uint64_t count = GENERATE(std::uint64_t{1}, kAll);
  const std::uint64_t first = GENERATE(std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2});
  runtime::CodeMap map;
  std::vector<runtime::CodeMap::Entry> entries;
  constexpr std::uint32_t kRanges = 200;
  for (std::uint32_t i = 0; i < kRanges; ++i) entries.push_back(*map.add(range(i)));
  // Every second one from the begin, and all of the end: leaves with holes and leaves with nothing.
  bool has_failed = false;
  for (std::uint32_t i = 0; i < kRanges; i += i < 80 ? 2 : 1) {
    const FailingAllocator allocator(first, count);
    entries[i].reset();
    has_failed |= allocator.has_failed();
  }
  CHECK(has_failed);
  for (std::uint32_t i = 0; i < kRanges; ++i) REQUIRE(has(map, i) == (i < 80 && i % 2 == 1));
  // A range over the places of those that left is found everywhere.
  const auto large = map.add({.begin = 8000, .end = 30'000, .function = 1});
  REQUIRE(large.has_value());
  for (std::uintptr_t pc = 8000; pc < 30'000; pc += 10) REQUIRE(map.find(pc)->function == 1);
  entries[0] = *map.add(range(0));
  CHECK(has(map, 0));
}

TEST_CASE("Tables are encoded, or memory has run out") {
  const std::uint64_t count = GENERATE(std::uint64_t{1}, kAll);
  std::vector<runtime::OffsetEntry> entries;
  for (std::uint32_t i = 0; i < 1000; ++i) entries.push_back({i, i});
  for (std::uint64_t first = 0;; ++first) {
    REQUIRE(first < kMostAllocations);
    std::optional<Result<std::vector<std::uint8_t>>> bytes;
    bool has_failed = false;
    {
      const FailingAllocator allocator(first, count);
      bytes.emplace(runtime::encode_offset_table(entries));
      has_failed = allocator.has_failed();
    }
    REQUIRE(bytes->has_value() == !has_failed);
    if (!has_failed) break;
  }
}

TEST_CASE("Pieces of code are given, or memory has run out") {
  const std::uint64_t count = GENERATE(std::uint64_t{1}, kAll);
  bool has_failed = true;
  std::uint64_t errors = 0;
  for (std::uint64_t first = 0; has_failed; ++first) {
    REQUIRE(first < kMostAllocations);
    const FailingAllocator allocator(first, count);
    auto arena = jit::CodeArena::create({.reserved = 1 << 20, .least_reserved = 1 << 20, .limit = 1 << 20});
    if (arena) {
      const auto piece = (*arena)->allocate(100);
      const auto too_large = (*arena)->allocate(2 << 20);  // whose message needs memory
      if (!piece || too_large || too_large.error().kind != ErrorKind::limit) ++errors;
    }
    has_failed = allocator.has_failed();
    if (!arena && (!has_failed || arena.error().message != "out of memory")) ++errors;
  }
  CHECK(errors == 0);
}

TEST_CASE("Debuggers are told of code, or memory has run out") {
  const std::uint64_t count = GENERATE(std::uint64_t{1}, kAll);
  const std::array<std::uint8_t, 16> code = {};
  const std::string name(100, 'n');
  for (std::uint64_t first = 0;; ++first) {
    REQUIRE(first < kMostAllocations);
    jit::GdbJit gdb;
    bool has_failed = false;
    {
      const FailingAllocator allocator(first, count);
      gdb.code_added({name, code});
      has_failed = allocator.has_failed();
    }
    REQUIRE(gdb.failure().has_value() == has_failed);
    gdb.code_removed(code);
    if (!has_failed) break;
  }
}

// Tables of code offsets: what was put in is found, and any bytes can be read.
#include "runtime/offset_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <vector>

namespace wasi::runtime {
namespace {

std::vector<std::uint8_t> table_of(const std::vector<OffsetEntry>& entries) {
  auto bytes = encode_offset_table(entries);
  REQUIRE(bytes.has_value());
  return *std::move(bytes);
}

TEST_CASE("an empty table knows nothing", "[offset_table]") {
  CHECK(table_of({}).empty());
  CHECK_FALSE(OffsetTable().at_or_before(0).has_value());
  CHECK_FALSE(OffsetTable().at(0).has_value());
}

TEST_CASE("the entry at an offset, or the last before it", "[offset_table]") {
  const auto bytes = table_of({{4, 100}, {7, 90}, {300, 5'000'000'000}});
  const OffsetTable table(bytes);
  CHECK_FALSE(table.at_or_before(3).has_value());
  CHECK(table.at_or_before(4) == OffsetEntry{4, 100});
  CHECK(table.at_or_before(6) == OffsetEntry{4, 100});
  CHECK(table.at_or_before(7) == OffsetEntry{7, 90});
  CHECK(table.at_or_before(299) == OffsetEntry{7, 90});
  CHECK(table.at_or_before(300) == OffsetEntry{300, 5'000'000'000});
  CHECK(table.at_or_before(std::numeric_limits<std::uint32_t>::max()) == OffsetEntry{300, 5'000'000'000});
  CHECK(table.at(7) == 90);
  CHECK_FALSE(table.at(8).has_value());
  CHECK_FALSE(table.at(3).has_value());
}

TEST_CASE("of entries with one offset the last counts", "[offset_table]") {
  const auto bytes = table_of({{0, 1}, {0, 2}, {5, 3}, {5, 4}, {5, 5}});
  CHECK(OffsetTable(bytes).at(0) == 2);
  CHECK(OffsetTable(bytes).at(4) == std::nullopt);
  CHECK(OffsetTable(bytes).at(5) == 5);
}

TEST_CASE("values of any size go up and down", "[offset_table]") {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  const std::uint32_t last = std::numeric_limits<std::uint32_t>::max();
  const auto bytes = table_of({{0, most}, {1, 0}, {2, most}, {3, most / 2}, {last - 1, 1}, {last, most - 1}});
  const OffsetTable table(bytes);
  CHECK(table.at(0) == most);
  CHECK(table.at(1) == 0);
  CHECK(table.at(2) == most);
  CHECK(table.at(3) == most / 2);
  CHECK(table.at(last - 1) == 1);
  CHECK(table.at(last) == most - 1);
}

TEST_CASE("tables of every length are as a list would be", "[offset_table]") {
  const std::size_t count = GENERATE(1, 2, 15, 16, 17, 31, 32, 33, 500, 10'000);
  std::mt19937 random(static_cast<unsigned>(count));
  std::vector<OffsetEntry> entries;
  std::uint32_t at = random() % 3;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back({at, random() % (i % 7 == 0 ? 1'000'000U : 40U)});
    at += 1 + random() % (i % 11 == 0 ? 1000U : 9U);
  }
  const auto bytes = table_of(entries);
  const OffsetTable table(bytes);
  std::size_t next = 0;  // the first entry beyond the offset
  for (std::uint32_t offset = 0; offset < std::min<std::uint32_t>(at + 10, 30'000); ++offset) {
    while (next < count && entries[next].code_offset <= offset) ++next;
    const auto found = table.at_or_before(offset);
    if (next == 0) {
      REQUIRE_FALSE(found.has_value());
    } else {
      REQUIRE(found == entries[next - 1]);
    }
    REQUIRE(table.at(offset).has_value() == (next != 0 && entries[next - 1].code_offset == offset));
  }
}

TEST_CASE("a mark takes a few bytes", "[offset_table]") {
  // As in code: some bytes of machine code for each instruction of some bytes.
  std::vector<OffsetEntry> marks;
  for (std::uint32_t i = 0; i < 10'000; ++i) marks.push_back({i * 5, 1'000'000 + i * 3});
  CHECK(table_of(marks).size() < marks.size() * 3);
}

TEST_CASE("any bytes can be read as a table", "[offset_table]") {
  std::mt19937 random(1);
  const std::vector<std::uint8_t> good = table_of([] {
    std::vector<OffsetEntry> entries;
    for (std::uint32_t i = 0; i < 100; ++i) entries.push_back({i * 40, i * 1000});
    return entries;
  }());
  for (int i = 0; i < 20'000; ++i) {
    // On the heap and no larger, so that a sanitizer sees what is read behind it.
    std::vector<std::uint8_t> bytes(good.begin(),
                                    good.begin() + static_cast<std::ptrdiff_t>(random() % (good.size() + 1)));
    for (int change = 0; change < 3 && !bytes.empty(); ++change) {
      bytes[random() % std::min<std::size_t>(bytes.size(), i % 2 == 0 ? 40 : 4000)] =
          static_cast<std::uint8_t>(random());
    }
    const auto offset = static_cast<std::uint32_t>(random() % 5000);
    const auto found = OffsetTable(bytes).at_or_before(offset);
    if (found) REQUIRE(found->code_offset <= offset);
  }
}

}  // namespace
}  // namespace wasi::runtime

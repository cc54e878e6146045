#include "wasm/id_space.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <utility>
#include <vector>

namespace wasi::wasm {
namespace {

TEST_CASE("ids follow each other, and the lowest free ones come first") {
  IdSpace ids(1000);
  CHECK(ids.take(1) == 0U);
  CHECK(ids.take(63) == 1U);
  CHECK(ids.take(3) == 64U);
  CHECK(ids.take(1) == 67U);
  CHECK(ids.size() == 68);
  ids.give_back(64, 3);
  CHECK_FALSE(ids.is_taken(64));
  CHECK(ids.is_taken(67));
  CHECK(ids.take(4) == 68U);
  CHECK(ids.take(1) == 64U);
  CHECK(ids.take(2) == 65U);
  CHECK(ids.take(1) == 72U);
}

TEST_CASE("runs that were given back one by one are one run") {
  IdSpace ids(300);
  for (std::uint32_t i = 0; i < 300; ++i) REQUIRE(ids.take(1) == i);
  CHECK_FALSE(ids.take(1));
  for (std::uint32_t i = 250; i > 50; --i) ids.give_back(i - 1, 1);
  CHECK_FALSE(ids.take(201));
  CHECK(ids.take(200) == 50U);
  CHECK(ids.size() == 300);
}

TEST_CASE("more ids than there are cannot be had, and nothing changes") {
  IdSpace ids(100);
  CHECK_FALSE(ids.take(101));
  CHECK(ids.take(90) == 0U);
  CHECK_FALSE(ids.take(11));
  CHECK(ids.size() == 90);
  CHECK(ids.take(10) == 90U);
  CHECK_FALSE(ids.is_taken(100));
  CHECK_FALSE(ids.is_taken(UINT32_MAX));
}

// What search has passed by is found when nothing else is left.
TEST_CASE("a gap that no power of two fits into is used in the end") {
  IdSpace ids(128);
  for (std::uint32_t i = 0; i < 128; i += 4) REQUIRE(ids.take(4) == i);
  ids.give_back(8, 3);
  CHECK_FALSE(ids.take(4));
  CHECK(ids.take(3) == 8U);
}

TEST_CASE("a random history agrees with a table") {
  std::mt19937 random(7);
  IdSpace ids(2048);
  std::vector<bool> table(2048);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> runs;
  std::size_t wrong = 0;
  for (int step = 0; step < 20000; ++step) {
    if (random() % 2 == 0 && !runs.empty()) {
      std::swap(runs[random() % runs.size()], runs.back());
      const auto [first, count] = runs.back();
      runs.pop_back();
      ids.give_back(first, count);
      std::fill_n(table.begin() + first, count, false);
      continue;
    }
    const std::uint32_t count = 1 + random() % (random() % 8 == 0 ? 300 : 9);
    std::uint32_t longest = 0;
    std::uint32_t length = 0;
    for (const bool taken : table) longest = std::max(longest, length = taken ? 0 : length + 1);
    const auto first = ids.take(count);
    if (first.has_value() != (count <= longest)) ++wrong;
    if (!first) continue;
    for (std::uint32_t i = *first; i < *first + count; ++i) {
      if (table[i]) ++wrong;
      table[i] = true;
    }
    runs.emplace_back(*first, count);
  }
  for (std::uint32_t i = 0; i < table.size(); ++i) wrong += ids.is_taken(i) != table[i] ? 1 : 0;
  CHECK(wrong == 0);
  CHECK(ids.size() == static_cast<std::uint32_t>(std::ranges::count(table, true)));
}

}  // namespace
}  // namespace wasi::wasm

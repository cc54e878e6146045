// The tree of free runs against a plain list of units.
#include "jit/common/free_ranges.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <vector>

namespace wasi::jit {
namespace {

// What FreeRanges is to do, unit by unit.
class Model {
 public:
  explicit Model(std::size_t units) : taken_(units) {}

  std::optional<std::size_t> take(std::size_t count) {
    std::size_t run = 0;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      run = taken_[i] ? 0 : run + 1;
      if (run < count) continue;
      const std::size_t first = i + 1 - count;
      std::fill(taken_.begin() + static_cast<std::ptrdiff_t>(first),
                taken_.begin() + static_cast<std::ptrdiff_t>(i + 1), true);
      return first;
    }
    return std::nullopt;
  }
  void give_back(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) taken_[i] = false;
  }

 private:
  std::vector<bool> taken_;
};

TEST_CASE("the lowest run that is long enough is taken", "[free_ranges]") {
  FreeRanges ranges(256);
  CHECK(ranges.take(10) == 0);
  CHECK(ranges.take(100) == 10);
  CHECK(ranges.take(20) == 110);
  ranges.give_back(0, 10);
  CHECK(ranges.take(11) == 130);
  CHECK(ranges.take(4) == 0);
  CHECK(ranges.take(6) == 4);
  CHECK_FALSE(ranges.take(116).has_value());
  CHECK(ranges.take(115) == 141);
  CHECK_FALSE(ranges.take(1).has_value());
}

TEST_CASE("neighbours that are free are one run", "[free_ranges]") {
  const std::size_t units = GENERATE(64, 128, 4096);
  FreeRanges ranges(units);
  for (std::size_t i = 0; i < units; ++i) REQUIRE(ranges.take(1) == i);
  for (std::size_t i = 1; i < units; i += 2) ranges.give_back(i, 1);
  CHECK_FALSE(ranges.take(2).has_value());
  for (std::size_t i = 0; i < units; i += 2) ranges.give_back(i, 1);
  CHECK_FALSE(ranges.take(units + 1).has_value());
  CHECK(ranges.take(units) == 0);
}

TEST_CASE("ranges are as a list of units would be", "[free_ranges]") {
  const std::size_t units = GENERATE(64, 256, 2048, 16384);
  const std::size_t most = GENERATE(3, 70, 1000);
  FreeRanges ranges(units);
  Model model(units);
  std::mt19937 random(static_cast<unsigned>(units + most));
  std::vector<std::pair<std::size_t, std::size_t>> taken;
  std::size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    // Phases of mostly taking and of mostly giving back.
    if (random() % 100 < (i / 300 % 2 == 0 ? 70U : 35U) || taken.empty()) {
      const std::size_t count = 1 + random() % most;
      const auto first = ranges.take(count);
      REQUIRE(first == model.take(count));
      if (first) taken.emplace_back(*first, count);
      refused += first ? 0 : 1;
    } else {
      std::swap(taken[random() % taken.size()], taken.back());
      ranges.give_back(taken.back().first, taken.back().second);
      model.give_back(taken.back().first, taken.back().second);
      taken.pop_back();
    }
  }
  if (units == 256) CHECK(refused != 0);
  for (const auto& [first, count] : taken) ranges.give_back(first, count);
  CHECK(ranges.take(units) == 0);
}

}  // namespace
}  // namespace wasi::jit

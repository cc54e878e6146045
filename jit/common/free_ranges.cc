#include "jit/common/free_ranges.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace wasi::jit {

namespace {

constexpr std::size_t kWordUnits = 64;

// Bits [first, first + count) of a word; count is from 1 to 64.
std::uint64_t mask_of(std::size_t first, std::size_t count) {
  return (~std::uint64_t{0} >> (kWordUnits - count)) << first;
}

// Bits at which `count` ones begin. Each step makes the runs known so far up to twice as long.
std::uint64_t starts_of_runs(std::uint64_t ones, std::size_t count) {
  for (std::size_t known = 1; known < count;) {
    const std::size_t step = std::min(known, count - known);
    ones &= ones >> step;
    known += step;
  }
  return ones;
}

std::size_t longest_run(std::uint64_t ones) {
  std::size_t length = 0;
  for (; ones != 0; ones &= ones << 1) ++length;
  return length;
}

}  // namespace

FreeRanges::FreeRanges(std::size_t units) : leaves_(units / kWordUnits), taken_(leaves_), nodes_(2 * leaves_) {
  WASI_CHECK(std::has_single_bit(units) && units >= kWordUnits && units <= std::size_t{1} << 31);
}

std::size_t FreeRanges::length_of(std::size_t node) const { return (leaves_ * kWordUnits) >> std::bit_width(node / 2); }

FreeRanges::Runs FreeRanges::runs_of(std::size_t node) const {
  const std::size_t length = length_of(node);
  const Node& stored = nodes_[node];
  return {length - stored.missing_first, length - stored.missing_last, length - stored.missing_longest};
}

void FreeRanges::store(std::size_t node, const Runs& runs) {
  const std::size_t length = length_of(node);
  nodes_[node] = {static_cast<std::uint32_t>(length - runs.first), static_cast<std::uint32_t>(length - runs.last),
                  static_cast<std::uint32_t>(length - runs.longest)};
}

std::size_t FreeRanges::find(std::size_t count) const {
  std::size_t node = 1;
  std::size_t begin = 0;  // of the node
  while (node < leaves_) {
    const Runs left = runs_of(2 * node);
    const std::size_t half = length_of(2 * node);
    if (left.longest >= count) {
      node = 2 * node;
    } else if (left.last + runs_of(2 * node + 1).first >= count) {
      return begin + half - left.last;
    } else {
      node = 2 * node + 1;
      begin += half;
    }
  }
  return begin + static_cast<std::size_t>(std::countr_zero(starts_of_runs(~taken_[node - leaves_], count)));
}

void FreeRanges::set(std::size_t first, std::size_t count, bool taken) {
  std::size_t low = first / kWordUnits;
  std::size_t high = (first + count - 1) / kWordUnits;
  for (std::size_t word = low; word <= high; ++word) {
    const std::size_t begin = word == low ? first % kWordUnits : 0;
    const std::size_t end = word == high ? (first + count - 1) % kWordUnits + 1 : kWordUnits;
    const std::uint64_t mask = mask_of(begin, end - begin);
    WASI_CHECK((taken_[word] & mask) == (taken ? 0 : mask));
    taken_[word] ^= mask;
    const std::uint64_t free = ~taken_[word];
    store(leaves_ + word, {static_cast<std::size_t>(std::countr_one(free)),
                           static_cast<std::size_t>(std::countl_one(free)), longest_run(free)});
  }
  low += leaves_;
  high += leaves_;
  while (low > 1) {
    low /= 2;
    high /= 2;
    for (std::size_t node = low; node <= high; ++node) {
      const Runs left = runs_of(2 * node);
      const Runs right = runs_of(2 * node + 1);
      const std::size_t half = length_of(2 * node);
      store(node,
            {left.first == half ? half + right.first : left.first, right.last == half ? half + left.last : right.last,
             std::max({left.longest, right.longest, left.last + right.first})});
    }
  }
}

std::optional<std::size_t> FreeRanges::take(std::size_t count) {
  WASI_CHECK(count != 0);
  if (runs_of(1).longest < count) return std::nullopt;
  const std::size_t first = find(count);
  set(first, count, true);
  return first;
}

void FreeRanges::give_back(std::size_t first, std::size_t count) {
  WASI_CHECK(count != 0 && first < leaves_ * kWordUnits && count <= leaves_ * kWordUnits - first);
  set(first, count, false);
}

}  // namespace wasi::jit

#include "wasm/id_space.h"

#include <algorithm>
#include <bit>

namespace wasi::wasm {

std::optional<std::uint32_t> IdSpace::take(std::uint32_t count) {
  if (count > limit_) return std::nullopt;
  const auto power = static_cast<std::size_t>(std::bit_width(count - 1));
  std::uint32_t first = find(count, searched_[power]);
  // Where counts are no powers of two, there may be room before.
  if (first > limit_ - count) first = find(count, 0);
  if (first > limit_ - count) return std::nullopt;
  if (first + count > end()) {
    const std::size_t words = (std::size_t{first} + count + 63) / 64;
    if (words > taken_.capacity()) taken_.reserve(std::max(words, 2 * taken_.capacity()));
    taken_.resize(words);
  }
  set(first, count, true);
  size_ += count;
  searched_[power] = std::max(searched_[power], first + count);
  return first;
}

void IdSpace::give_back(std::uint32_t first, std::uint32_t count) noexcept {
  set(first, count, false);
  size_ -= count;
  for (std::uint32_t power = 0; power < searched_.size(); ++power) {
    const std::uint32_t before = (std::uint32_t{1} << power) - 1;
    searched_[power] = std::min(searched_[power], first - std::min(first, before));
  }
}

// The lowest `count` free ids in a row from `from` on; all behind end() are free.
std::uint32_t IdSpace::find(std::uint32_t count, std::uint32_t from) const {
  std::uint32_t first = from;
  std::uint32_t at = from;
  while (at < end() && at - first < count) {
    const std::uint64_t word = taken_[at / 64] >> at % 64;
    if (word == 0) {
      at = (at / 64 + 1) * 64;
      continue;
    }
    const auto free = static_cast<std::uint32_t>(std::countr_zero(word));
    if (at + free - first >= count) return first;
    at += free + static_cast<std::uint32_t>(std::countr_one(word >> free));
    first = at;
  }
  return first;
}

void IdSpace::set(std::uint32_t first, std::uint32_t count, bool is_taken) noexcept {
  while (count != 0) {
    const std::uint32_t bit = first % 64;
    const std::uint32_t here = std::min(count, 64 - bit);
    const std::uint64_t mask = (~std::uint64_t{0} >> (64 - here)) << bit;
    taken_[first / 64] = is_taken ? taken_[first / 64] | mask : taken_[first / 64] & ~mask;
    first += here;
    count -= here;
  }
}

}  // namespace wasi::wasm

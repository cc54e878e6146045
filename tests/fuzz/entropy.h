// The bytes that a case is made of, read as choices. When they are used up every choice is the first one, and chances
// fail, so that whatever is begun ends soon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>

namespace wasi::test::fuzz {

class Entropy {
 public:
  explicit Entropy(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool is_empty() const { return at_ >= bytes_.size(); }
  std::uint8_t byte() { return is_empty() ? std::uint8_t{0} : bytes_[at_++]; }
  // A number of so many bytes.
  std::uint64_t number(unsigned bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= std::uint64_t{byte()} << (8 * i);
    return value;
  }
  // Below `bound`, which is not 0; takes as few bytes as it can.
  std::uint32_t below(std::size_t bound) {
    return static_cast<std::uint32_t>(number(bound <= 1 ? 0 : bound <= 256 ? 1 : bound <= 65536 ? 2 : 4) % bound);
  }
  // From `first` to `last`, both included.
  std::uint32_t between(std::uint32_t first, std::uint32_t last) { return first + below(last - first + 1); }
  bool chance(unsigned of_256) { return byte() >= 256 - of_256; }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }
  template <class List>
  auto& pick(List& choices) {
    return choices[below(std::size(choices))];
  }
  // The number of one of the weights, in proportion to them; they are at most 256 in all.
  std::uint32_t weighted(std::span<const std::uint8_t> weights) {
    std::uint32_t sum = 0;
    for (const std::uint8_t weight : weights) sum += weight;
    std::uint32_t at = below(sum);
    std::uint32_t choice = 0;
    while (at >= weights[choice]) at -= weights[choice++];
    return choice;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

}  // namespace wasi::test::fuzz

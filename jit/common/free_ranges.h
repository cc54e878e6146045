// Which units of a range are free: takes the lowest run that is long enough.
//
// A bit per unit, and above the bits a tree with, per node, the free runs at its two ends and the longest inside. To
// take, to give back and to merge with free neighbours are one thing, in O(log n) and a step per 64 units taken. No
// call but the constructor allocates, so giving back cannot fail. All zero means free: parts that were never used cost
// address space only. The lowest run first keeps what is in use together, and what is behind it free.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "os/virtual_memory.h"

namespace wasi::jit {

class FreeRanges {
 public:
  // All free. `units` is a power of two from 64 to 2^31. Throws std::bad_alloc.
  explicit FreeRanges(std::size_t units);

  // The first unit of a run of `count` (at least 1), which is taken from now on.
  std::optional<std::size_t> take(std::size_t count);
  // Units that were taken.
  void give_back(std::size_t first, std::size_t count);

 private:
  // Free runs of a node, each as its units less than all, so that zero means all free.
  struct Node {
    std::uint32_t missing_first = 0;
    std::uint32_t missing_last = 0;
    std::uint32_t missing_longest = 0;
  };
  struct Runs {
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t longest = 0;
  };

  [[nodiscard]] std::size_t length_of(std::size_t node) const;
  [[nodiscard]] Runs runs_of(std::size_t node) const;
  void store(std::size_t node, const Runs& runs);
  [[nodiscard]] std::size_t find(std::size_t count) const;
  void set(std::size_t first, std::size_t count, bool taken);

  std::size_t leaves_;                    // words of bits
  os::ZeroedArray<std::uint64_t> taken_;  // bit i of word w: unit 64 * w + i
  os::ZeroedArray<Node> nodes_;           // 1 is the root, 2n and 2n + 1 are below n, leaves_ + w is word w
};

}  // namespace wasi::jit

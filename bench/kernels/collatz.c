// 64-bit arithmetic with branches that nobody can predict: the longest Collatz sequence below `size`.
#include "bench.h"

static uint64_t run(uint32_t size) {
  uint64_t longest = 0;
  uint64_t start_of_longest = 0;
  uint64_t highest = 0;
  for (uint64_t start = 1; start < size; start++) {
    uint64_t n = start;
    uint64_t steps = 0;
    while (n != 1) {
      n = (n & 1) != 0 ? 3 * n + 1 : n >> 1;
      if (n > highest) highest = n;
      steps++;
    }
    if (steps > longest) {
      longest = steps;
      start_of_longest = start;
    }
  }
  return add_checksum(add_checksum(add_checksum(0, longest), start_of_longest), highest);
}

KERNEL(50000, NULL)

// Recursion with bit masks: in how many ways do `size` queens stand on a board without threatening each other.
#include "bench.h"

static uint32_t __attribute__((noinline)) place(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
  if (columns == all) return 1;
  uint32_t ways = 0;
  uint32_t free_places = all & ~(columns | left | right);
  while (free_places != 0) {
    const uint32_t here = free_places & -free_places;
    free_places ^= here;
    ways += place(all, columns | here, (left | here) << 1, (right | here) >> 1);
  }
  return ways;
}

static uint64_t run(uint32_t size) { return place((1u << size) - 1, 0, 0, 0); }

KERNEL(12, NULL)

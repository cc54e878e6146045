// Calls with three arguments, deep and branching: Takeuchi's function.
#include "bench.h"

static int __attribute__((noinline)) tak(int x, int y, int z) {
  return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z;
}

static uint64_t run(uint32_t size) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < size; i++) sum = add_checksum(sum, (uint64_t)tak(18, 12, (int)(6 + i % 3)));
  return sum;
}

KERNEL(220, NULL)

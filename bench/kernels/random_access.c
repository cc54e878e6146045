// Scattered reads and writes: updates at random places of a table of 16 MiB, made and then undone.
#include "bench.h"

enum { kWords = 2 * 1024 * 1024 };

static uint64_t table[kWords];

static void set_up(void) {
  for (uint64_t i = 0; i < kWords; i++) table[i] = i;
}

static uint64_t run(uint32_t size) {
  uint64_t sum = 0;
  for (int pass = 0; pass < 2; pass++) {
    uint64_t x = 88172645463325252u;
    for (uint64_t steps = (uint64_t)size * 1000; steps > 0; steps--) {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
      table[x & (kWords - 1)] ^= x;
    }
    for (uint64_t i = 0; i < kWords; i += 509) sum = sum * 31 + table[i];
  }
  return sum;
}

KERNEL(500, set_up)

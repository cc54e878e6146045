// SIMD by the compiler, integers: dot products of 16-bit numbers, sums, minima and counts over 32 KiB.
#include "bench.h"

enum { kCount = 16 * 1024 };

static int16_t x[kCount], y[kCount];

static uint64_t run(uint32_t size) {
  Random random = {36};
  for (int i = 0; i < kCount; i++) {
    x[i] = (int16_t)random_next(&random);
    y[i] = (int16_t)random_next(&random);
  }
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    int32_t dot = 0, least = INT32_MAX, above = 0;
    const int16_t limit = (int16_t)(round * 37);
    for (int i = 0; i < kCount; i++) dot += (x[i] >> 4) * (y[i] >> 4);
    for (int i = 0; i < kCount; i++) {
      const int32_t difference = x[i] - y[i];
      least = difference < least ? difference : least;
    }
    for (int i = 0; i < kCount; i++) above += x[i] > limit;
    sum = add_checksum(sum, (uint32_t)dot ^ (uint64_t)(uint32_t)least << 20 ^ (uint64_t)(uint32_t)above << 40);
    x[round % kCount] = (int16_t)sum;
  }
  return sum;
}

KERNEL(510, NULL)

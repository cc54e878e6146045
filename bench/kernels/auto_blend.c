// SIMD by the compiler, bytes widened to 16 bits: one picture laid over another with a transparency per point.
#include "bench.h"

enum { kSize = 64 * 1024 };

static uint8_t below[kSize], above[kSize], alpha[kSize], result[kSize];

static void blend(const uint8_t* restrict a, const uint8_t* restrict b, const uint8_t* restrict weights,
                  uint8_t* restrict to) {
  for (int i = 0; i < kSize; i++) {
    const uint16_t mixed = (uint16_t)(a[i] * (255 - weights[i]) + b[i] * weights[i] + 128);
    to[i] = (uint8_t)((mixed + (mixed >> 8)) >> 8);
  }
}

static uint64_t run(uint32_t size) {
  Random random = {34};
  for (int i = 0; i < kSize; i++) {
    below[i] = (uint8_t)random_next(&random);
    above[i] = (uint8_t)random_next(&random);
    alpha[i] = (uint8_t)random_next(&random);
  }
  for (uint32_t round = 0; round < size; round++) {
    blend(below, above, alpha, result);
    blend(result, below, alpha, above);
    alpha[round % kSize] += 31;
    below[round * 7 % kSize] ^= (uint8_t)round;
  }
  return add_words(0, above, sizeof above);
}

KERNEL(90, NULL)

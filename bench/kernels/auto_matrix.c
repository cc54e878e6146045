// SIMD by the compiler, floats: products of 128 by 128 matrices, row by row, so that the inner loop has no reduction.
#include "bench.h"

enum { kSide = 128 };

static float a[kSide][kSide], b[kSide][kSide], c[kSide][kSide];

static uint64_t run(uint32_t size) {
  Random random = {35};
  for (int i = 0; i < kSide; i++) {
    for (int j = 0; j < kSide; j++) {
      a[i][j] = (float)random_unit(&random) / kSide;
      b[i][j] = (float)random_unit(&random);
    }
  }
  for (uint32_t round = 0; round < size; round++) {
    for (int i = 0; i < kSide; i++) {
      float* restrict row = c[i];
      for (int j = 0; j < kSide; j++) row[j] = 0;
      for (int k = 0; k < kSide; k++) {
        const float factor = a[i][k];
        const float* restrict from = b[k];
        for (int j = 0; j < kSide; j++) row[j] += factor * from[j];
      }
    }
    for (int i = 0; i < kSide; i++) b[i][round % kSide] = c[i][(round * 7) % kSide];
  }
  return add_words(0, c, sizeof c);
}

KERNEL(45, NULL)

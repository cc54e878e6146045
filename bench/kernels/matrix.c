// Doubles in cache: products of 128 by 128 matrices, rows by columns.
#include "bench.h"

enum { kSide = 128 };

static double a[kSide][kSide], b[kSide][kSide], c[kSide][kSide];

static uint64_t run(uint32_t size) {
  Random random = {5};
  for (int i = 0; i < kSide; i++) {
    for (int j = 0; j < kSide; j++) {
      a[i][j] = random_unit(&random) / kSide;
      b[i][j] = random_unit(&random);
    }
  }
  for (uint32_t round = 0; round < size; round++) {
    for (int i = 0; i < kSide; i++) {
      for (int j = 0; j < kSide; j++) {
        double dot = 0;
        for (int k = 0; k < kSide; k++) dot += a[i][k] * b[k][j];
        c[i][j] = dot;
      }
    }
    // The next round multiplies what this one gave.
    for (int i = 0; i < kSide; i++) b[i][round % kSide] = c[i][(round * 7) % kSide];
  }
  return add_words(0, c, sizeof c);
}

KERNEL(3, NULL)

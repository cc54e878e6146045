// Doubles with divisions and conversions of integers: the largest singular value of an infinite matrix, cut at `size`.
#include "bench.h"

static double element(uint32_t i, uint32_t j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static void multiply(const double* from, double* to, uint32_t n, int is_transposed) {
  for (uint32_t i = 0; i < n; i++) {
    double sum = 0;
    for (uint32_t j = 0; j < n; j++) sum += (is_transposed ? element(j, i) : element(i, j)) * from[j];
    to[i] = sum;
  }
}

static uint64_t run(uint32_t size) {
  double* u = allocate(size * sizeof *u);
  double* v = allocate(size * sizeof *v);
  double* between = allocate(size * sizeof *between);
  for (uint32_t i = 0; i < size; i++) u[i] = 1;
  for (int round = 0; round < 10; round++) {
    multiply(u, between, size, 0);
    multiply(between, v, size, 1);
    multiply(v, between, size, 0);
    multiply(between, u, size, 1);
  }
  double uv = 0, vv = 0;
  for (uint32_t i = 0; i < size; i++) {
    uv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  free(u);
  free(v);
  free(between);
  return bits_of(__builtin_sqrt(uv / vv));
}

KERNEL(360, NULL)

// Memory bandwidth: copy, scale, add and triad over three arrays of 4 MiB of doubles each.
#include "bench.h"

enum { kCount = 512 * 1024 };

static double a[kCount], b[kCount], c[kCount];

static uint64_t run(uint32_t size) {
  for (int i = 0; i < kCount; i++) {
    a[i] = (double)i * 0.5;
    b[i] = 2.0;
    c[i] = 0.0;
  }
  for (uint32_t round = 0; round < size; round++) {
    for (int i = 0; i < kCount; i++) c[i] = a[i];
    for (int i = 0; i < kCount; i++) b[i] = 0.25 * c[i];
    for (int i = 0; i < kCount; i++) c[i] = a[i] + b[i];
    for (int i = 0; i < kCount; i++) a[i] = b[i] + 0.625 * c[i];
  }
  uint64_t sum = 0;
  for (int i = 0; i < kCount; i += 61) sum = add_checksum(sum, bits_of(a[i] + c[i]));
  return sum;
}

KERNEL(6, NULL)

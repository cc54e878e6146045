// 32-bit division: how many pairs of numbers up to `size` have no common divisor (Euclid on each).
#include "bench.h"

static uint32_t gcd(uint32_t a, uint32_t b) {
  while (b != 0) {
    const uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static uint64_t run(uint32_t size) {
  uint64_t pairs = 0;
  for (uint32_t a = 1; a <= size; a++) {
    for (uint32_t b = 1; b < a; b++) pairs += gcd(a, b) == 1;
  }
  return pairs;
}

KERNEL(700, NULL)

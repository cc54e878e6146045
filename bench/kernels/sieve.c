// Byte stores with growing strides: the sieve of Eratosthenes up to a million, `size` times.
#include "bench.h"

enum { kLimit = 1000000 };

static unsigned char is_composite[kLimit + 1];

static uint64_t run(uint32_t size) {
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    memset(is_composite, 0, sizeof is_composite);
    for (uint32_t i = 2; i * i <= kLimit; i++) {
      if (is_composite[i]) continue;
      for (uint32_t j = i * i; j <= kLimit; j += i) is_composite[j] = 1;
    }
    uint32_t primes = 0;
    for (uint32_t i = 2; i <= kLimit - round % 7; i++) primes += !is_composite[i];
    sum = add_checksum(sum, primes);
  }
  return sum;
}

KERNEL(7, NULL)

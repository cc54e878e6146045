// The C library's memory functions at sizes from 1 byte to 64 KiB: memcpy, memmove, memset, memcmp.
#include "bench.h"

static unsigned char from[1 << 17];
static unsigned char to[1 << 17];

static uint64_t run(uint32_t size) {
  Random random = {7};
  for (size_t i = 0; i < sizeof from; i++) from[i] = (unsigned char)random_next(&random);
  memset(to, 0, sizeof to);
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    // Sizes are spread over the powers of two, as they are in programs.
    const uint32_t length = 1 + random_below(&random, 2u << (round % 16));
    const uint32_t a = random_below(&random, 1 << 16);
    const uint32_t b = random_below(&random, 1 << 16);
    memcpy(to + a, from + b, length);
    memmove(to + b / 2, to + b / 2 + 1 + a % 64, length);
    memset(from + a, (int)round, length / 4 + 1);
    sum = add_checksum(sum, (uint64_t)(memcmp(to + a, from + a, length) < 0) * 2 + (to[b] == from[b]));
  }
  return add_words(sum, to, sizeof to);
}

KERNEL(32000, NULL)

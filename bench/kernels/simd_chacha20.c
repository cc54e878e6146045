// SIMD by hand, 32-bit integers in fours: the cipher of chacha20.c with a row of its state in each vector.
#include "bench.h"
#include "vectors.h"

static U32x4 rotate(U32x4 x, uint32_t by) { return x << by | x >> (32 - by); }

#define ROUND(a, b, c, d)                                                                             \
  a += b, d = rotate(d ^ a, 16), c += d, b = rotate(b ^ c, 12), a += b, d = rotate(d ^ a, 8), c += d, \
          b = rotate(b ^ c, 7)

static uint64_t run(uint32_t size) {
  U32x4 input[4] = {{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}};
  for (uint32_t i = 4; i < 12; i++) input[i / 4][i % 4] = i * 0x01010101;
  U32x4 text[64] = {{0}};
  for (uint32_t kib = 0; kib < size; kib++) {
    for (int i = 0; i < 16; i++) {
      U32x4 a = input[0], b = input[1], c = input[2], d = input[3];
      for (int round = 0; round < 10; round++) {
        ROUND(a, b, c, d);
        b = __builtin_shufflevector(b, b, 1, 2, 3, 0);
        c = __builtin_shufflevector(c, c, 2, 3, 0, 1);
        d = __builtin_shufflevector(d, d, 3, 0, 1, 2);
        ROUND(a, b, c, d);
        b = __builtin_shufflevector(b, b, 3, 0, 1, 2);
        c = __builtin_shufflevector(c, c, 2, 3, 0, 1);
        d = __builtin_shufflevector(d, d, 1, 2, 3, 0);
      }
      text[4 * i] ^= a + input[0];
      text[4 * i + 1] ^= b + input[1];
      text[4 * i + 2] ^= c + input[2];
      text[4 * i + 3] ^= d + input[3];
      input[3] += (U32x4){1, 0, 0, 0};
    }
  }
  return add_words(0, text, sizeof text);
}

KERNEL(2100, NULL)

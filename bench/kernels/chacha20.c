// A cipher of 32-bit additions, rotations and exclusive ors: ChaCha20 (RFC 8439) over `size` KiB.
#include "bench.h"

static uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

#define QUARTER(a, b, c, d)                                                                           \
  a += b, d = rotate(d ^ a, 16), c += d, b = rotate(b ^ c, 12), a += b, d = rotate(d ^ a, 8), c += d, \
          b = rotate(b ^ c, 7)

static void block(const uint32_t input[16], uint32_t output[16]) {
  uint32_t x[16];
  memcpy(x, input, sizeof x);
  for (int i = 0; i < 10; i++) {
    QUARTER(x[0], x[4], x[8], x[12]);
    QUARTER(x[1], x[5], x[9], x[13]);
    QUARTER(x[2], x[6], x[10], x[14]);
    QUARTER(x[3], x[7], x[11], x[15]);
    QUARTER(x[0], x[5], x[10], x[15]);
    QUARTER(x[1], x[6], x[11], x[12]);
    QUARTER(x[2], x[7], x[8], x[13]);
    QUARTER(x[3], x[4], x[9], x[14]);
  }
  for (int i = 0; i < 16; i++) output[i] = x[i] + input[i];
}

static uint64_t run(uint32_t size) {
  uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (uint32_t i = 4; i < 12; i++) input[i] = i * 0x01010101;
  uint32_t text[256] = {0};
  for (uint32_t kib = 0; kib < size; kib++) {
    for (int i = 0; i < 16; i++) {
      uint32_t stream[16];
      block(input, stream);
      input[12]++;
      for (int j = 0; j < 16; j++) text[16 * i + j] ^= stream[j];
    }
  }
  return add_words(0, text, sizeof text);
}

KERNEL(4800, NULL)

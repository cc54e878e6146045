// Bytes through tables: 48 KiB to base64 and back, `size` times.
#include "bench.h"

enum { kSize = 48 * 1024 };

static const char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t data[kSize], back[kSize];
static char text[kSize / 3 * 4 + 1];
static int8_t values[256];

static void encode(void) {
  char* to = text;
  for (size_t i = 0; i < kSize; i += 3) {
    const uint32_t three = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];
    *to++ = kLetters[three >> 18];
    *to++ = kLetters[three >> 12 & 63];
    *to++ = kLetters[three >> 6 & 63];
    *to++ = kLetters[three & 63];
  }
  *to = '\0';
}

static int decode(void) {
  const char* at = text;
  for (uint8_t* to = back; *at != '\0'; to += 3) {
    uint32_t three = 0;
    for (int i = 0; i < 4; i++) {
      const int value = values[(uint8_t)*at++];
      if (value < 0) return 0;
      three = three << 6 | (uint32_t)value;
    }
    to[0] = (uint8_t)(three >> 16);
    to[1] = (uint8_t)(three >> 8);
    to[2] = (uint8_t)three;
  }
  return 1;
}

static uint64_t run(uint32_t size) {
  Random random = {22};
  memset(values, -1, sizeof values);
  for (int i = 0; i < 64; i++) values[(uint8_t)kLetters[i]] = (int8_t)i;
  for (int i = 0; i < kSize; i++) data[i] = (uint8_t)random_next(&random);
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    data[round % kSize] ^= (uint8_t)round;
    encode();
    if (!decode() || memcmp(data, back, kSize) != 0) return 0;
    sum = add_checksum(sum, (uint8_t)text[round % kSize]);
  }
  return add_words(sum, text, sizeof text);
}

KERNEL(130, NULL)

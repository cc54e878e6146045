// SIMD by hand, bytes in sixteens: 32 KiB to hexadecimal digits by look-ups in registers, and the lines in it counted.
#include "bench.h"
#include "vectors.h"

enum { kSize = 32 * 1024 };

static uint8_t data[kSize], digits[2 * kSize];

WITH_LOOK_UP static void to_hex(void) {
  const U8x16 kDigits = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  for (int i = 0; i < kSize; i += 16) {
    const U8x16 bytes = load_u8x16(data + i);
    const U8x16 high = look_up(kDigits, bytes >> 4), low = look_up(kDigits, bytes & 15);
    store_u8x16(digits + 2 * i,
                __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    store_u8x16(digits + 2 * i + 16,
                __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
  }
}

static uint32_t count(uint8_t wanted) {
  const U8x16 all = splat_u8x16(wanted);
  uint32_t found = 0;
  for (int i = 0; i < 2 * kSize; i += 16) {
    found += (uint32_t)__builtin_popcount(signs_of((U8x16)(load_u8x16(digits + i) == all)));
  }
  return found;
}

static uint64_t run(uint32_t size) {
  Random random = {33};
  for (int i = 0; i < kSize; i++) data[i] = (uint8_t)random_next(&random);
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    data[round % kSize] += (uint8_t)round;
    to_hex();
    sum = add_checksum(sum, count("0123456789abcdef"[round % 16]));
  }
  return add_words(sum, digits, sizeof digits);
}

KERNEL(760, NULL)

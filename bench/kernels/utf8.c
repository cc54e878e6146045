// Branches on bytes: validates 64 KiB of text in several scripts, and counts its characters.
#include "bench.h"

enum { kRoom = 64 * 1024 };

static uint8_t text[kRoom];

static size_t put(uint8_t* to, uint32_t c) {
  if (c < 0x80) {
    to[0] = (uint8_t)c;
    return 1;
  }
  if (c < 0x800) {
    to[0] = (uint8_t)(0xc0 | c >> 6);
    to[1] = (uint8_t)(0x80 | (c & 63));
    return 2;
  }
  if (c < 0x10000) {
    to[0] = (uint8_t)(0xe0 | c >> 12);
    to[1] = (uint8_t)(0x80 | (c >> 6 & 63));
    to[2] = (uint8_t)(0x80 | (c & 63));
    return 3;
  }
  to[0] = (uint8_t)(0xf0 | c >> 18);
  to[1] = (uint8_t)(0x80 | (c >> 12 & 63));
  to[2] = (uint8_t)(0x80 | (c >> 6 & 63));
  to[3] = (uint8_t)(0x80 | (c & 63));
  return 4;
}

// How many characters, or -1 - the place of the first byte that is wrong.
static int64_t check(const uint8_t* at, size_t size) {
  const uint8_t* const start = at;
  const uint8_t* const end = at + size;
  int64_t characters = 0;
  while (at < end) {
    const uint8_t lead = *at;
    size_t more;
    uint8_t low = 0x80, high = 0xbf;
    if (lead < 0x80) {
      more = 0;
    } else if (lead >= 0xc2 && lead < 0xe0) {
      more = 1;
    } else if (lead >= 0xe0 && lead < 0xf0) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead < 0xf5) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return -1 - (at - start);
    }
    if ((size_t)(end - at) <= more) return -1 - (at - start);
    for (size_t i = 1; i <= more; i++) {
      if (at[i] < low || at[i] > high) return -1 - (at - start);
      low = 0x80;
      high = 0xbf;
    }
    at += more + 1;
    characters++;
  }
  return characters;
}

static uint64_t run(uint32_t size) {
  static const uint32_t kScripts[6] = {'a', 'A', 0xe0, 0x430, 0x4e00, 0x1f600};
  Random random = {23};
  size_t length = 0;
  while (length + 64 < kRoom) {
    const uint32_t script = kScripts[random_below(&random, 6)];
    for (uint32_t letters = 1 + random_below(&random, 12); letters > 0; letters--) {
      length += put(text + length, script + random_below(&random, 26));
    }
    text[length++] = ' ';
  }
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    sum = add_checksum(sum, (uint64_t)check(text, length));
    // Now and then something is wrong near the end.
    if (round % 16 == 15) {
      const size_t at = length - 1 - random_below(&random, 1000);
      const uint8_t kept = text[at];
      text[at] = 0xff;
      sum = add_checksum(sum, (uint64_t)check(text, length));
      text[at] = kept;
    }
  }
  return sum;
}

KERNEL(150, NULL)

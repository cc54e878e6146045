// Compression: matches found through a hash of four bytes, written as bytes; then the way back, compared.
#include "bench.h"

enum { kSize = 128 * 1024, kHashBits = 13, kLeastMatch = 4 };

static uint8_t original[kSize], packed[kSize * 2], unpacked[kSize];
static uint32_t heads[1 << kHashBits];

static uint32_t load32(const uint8_t* at) {
  uint32_t word;
  memcpy(&word, at, 4);
  return word;
}

static uint8_t* put_length(uint8_t* to, uint32_t length) {
  for (; length >= 255; length -= 255) *to++ = 255;
  *to++ = (uint8_t)length;
  return to;
}

// Literals and a match: both lengths, the literals, how far back the match lies.
static size_t pack(const uint8_t* from, uint32_t size, uint8_t* to) {
  uint8_t* const start = to;
  memset(heads, 0xff, sizeof heads);
  uint32_t at = 0, literals = 0;
  while (at + kLeastMatch <= size) {
    const uint32_t hash = load32(from + at) * 2654435761u >> (32 - kHashBits);
    const uint32_t candidate = heads[hash];
    heads[hash] = at;
    if (candidate == UINT32_MAX || at - candidate > 65535 || load32(from + candidate) != load32(from + at)) {
      at++;
      continue;
    }
    uint32_t length = kLeastMatch;
    while (at + length < size && from[candidate + length] == from[at + length]) length++;
    to = put_length(put_length(to, at - literals), length);
    memcpy(to, from + literals, at - literals);
    to += at - literals;
    *to++ = (uint8_t)(at - candidate);
    *to++ = (uint8_t)((at - candidate) >> 8);
    at += length;
    literals = at;
  }
  to = put_length(put_length(to, size - literals), 0);
  memcpy(to, from + literals, size - literals);
  return (size_t)(to + (size - literals) - start);
}

static const uint8_t* get_length(const uint8_t* from, uint32_t* length) {
  *length = 0;
  while (*from == 255) *length += *from++;
  *length += *from++;
  return from;
}

static size_t unpack(const uint8_t* from, const uint8_t* end, uint8_t* to) {
  uint8_t* const start = to;
  while (from < end) {
    uint32_t literals, length;
    from = get_length(get_length(from, &literals), &length);
    for (uint32_t i = 0; i < literals; i++) *to++ = *from++;
    if (length == 0) break;
    const uint8_t* match = to - (from[0] | (uint32_t)from[1] << 8);
    from += 2;
    for (uint32_t i = 0; i < length; i++) *to++ = *match++;
  }
  return (size_t)(to - start);
}

static uint64_t run(uint32_t size) {
  // Text-like: words from a small vocabulary, with noise in between.
  Random random = {28};
  static char words[64][12];
  for (int i = 0; i < 64; i++) {
    for (uint32_t j = 0, letters = 2 + random_below(&random, 9); j < letters; j++)
      words[i][j] = (char)('a' + random_below(&random, 20));
  }
  for (size_t at = 0; at < kSize;) {
    const char* word = words[random_below(&random, 8) * random_below(&random, 9)];
    for (; *word != '\0' && at < kSize; word++) original[at++] = (uint8_t)*word;
    if (at < kSize) original[at++] = random_below(&random, 20) == 0 ? (uint8_t)random_next(&random) : ' ';
  }
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    original[random_below(&random, kSize)] = (uint8_t)round;
    const size_t length = pack(original, kSize, packed);
    if (unpack(packed, packed + length, unpacked) != kSize || memcmp(original, unpacked, kSize) != 0) return 0;
    sum = add_checksum(sum, length);
  }
  return add_words(sum, packed, 4096);
}

KERNEL(13, NULL)

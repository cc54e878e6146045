// Hashing with 64-bit multiplications and rotations: XXH64 by its specification, over `size` times 64 KiB.
#include "bench.h"

static const uint64_t kP1 = 0x9e3779b185ebca87u, kP2 = 0xc2b2ae3d27d4eb4fu, kP3 = 0x165667b19e3779f9u,
                      kP4 = 0x85ebca77c2b2ae63u, kP5 = 0x27d4eb2f165667c5u;

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }
static uint64_t mix(uint64_t lane, uint64_t word) { return rotate(lane + word * kP2, 31) * kP1; }
static uint64_t merge(uint64_t hash, uint64_t lane) { return (hash ^ mix(0, lane)) * kP1 + kP4; }

static uint64_t load64(const uint8_t* at) {
  uint64_t word;
  memcpy(&word, at, 8);
  return word;
}

static uint64_t xxh64(const uint8_t* data, size_t size, uint64_t seed) {
  const uint8_t* at = data;
  const uint8_t* const end = data + size;
  uint64_t hash = seed + kP5;
  if (size >= 32) {
    uint64_t a = seed + kP1 + kP2, b = seed + kP2, c = seed, d = seed - kP1;
    for (; end - at >= 32; at += 32) {
      a = mix(a, load64(at));
      b = mix(b, load64(at + 8));
      c = mix(c, load64(at + 16));
      d = mix(d, load64(at + 24));
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  }
  hash += size;
  for (; end - at >= 8; at += 8) hash = rotate(hash ^ mix(0, load64(at)), 27) * kP1 + kP4;
  if (end - at >= 4) {
    uint32_t word;
    memcpy(&word, at, 4);
    hash = rotate(hash ^ word * kP1, 23) * kP2 + kP3;
    at += 4;
  }
  for (; at < end; at++) hash = rotate(hash ^ *at * kP5, 11) * kP1;
  hash = (hash ^ hash >> 33) * kP2;
  hash = (hash ^ hash >> 29) * kP3;
  return hash ^ hash >> 32;
}

static uint8_t data[65536];

static uint64_t run(uint32_t size) {
  for (uint32_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 31 + i / 256);
  uint64_t hash = 0;
  // Each length once in a while ends in every one of the loops above.
  for (uint32_t i = 0; i < size; i++) hash = xxh64(data, sizeof data - i % 32, hash);
  return hash;
}

KERNEL(1700, NULL)

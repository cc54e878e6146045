// Bits: Huffman's code for 64 KiB, written and read bit by bit.
#include "bench.h"

enum { kSize = 64 * 1024, kSymbols = 256 };

static uint8_t data[kSize], back[kSize], bits[kSize * 4];
static uint32_t weights[2 * kSymbols];
static int16_t left[2 * kSymbols], right[2 * kSymbols];
static uint32_t codes[kSymbols];
static uint8_t lengths[kSymbols];

static void assign(int node, uint32_t code, int length) {
  if (node < kSymbols) {
    codes[node] = code;
    lengths[node] = (uint8_t)length;
    return;
  }
  assign(left[node], code << 1, length + 1);
  assign(right[node], code << 1 | 1, length + 1);
}

static int make_tree(void) {
  int alive[kSymbols];
  int count = kSymbols;
  for (int i = 0; i < kSymbols; i++) alive[i] = i;
  int node = kSymbols;
  for (; count > 1; node++) {
    // The two lightest; ties go to the older one.
    for (int pick = 0; pick < 2; pick++) {
      int least = 0;
      for (int i = 1; i < count; i++) {
        if (weights[alive[i]] < weights[alive[least]]) least = i;
      }
      (pick == 0 ? left : right)[node] = (int16_t)alive[least];
      alive[least] = alive[--count];
    }
    weights[node] = weights[left[node]] + weights[right[node]];
    alive[count++] = node;
  }
  return node - 1;
}

static uint64_t run(uint32_t size) {
  Random random = {29};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    // Every symbol is there, some far more often, but no code gets longer than 32 bits.
    for (int i = 0; i < kSymbols; i++) weights[i] = 1;
    for (int i = 0; i < kSize; i++) {
      data[i] = (uint8_t)(random_below(&random, 16) * random_below(&random, 17));
      weights[data[i]]++;
    }
    const int root = make_tree();
    assign(root, 0, 0);
    uint64_t buffer = 0;
    int held = 0;
    uint8_t* to = bits;
    for (int i = 0; i < kSize; i++) {
      buffer = buffer << lengths[data[i]] | codes[data[i]];
      for (held += lengths[data[i]]; held >= 8; held -= 8) *to++ = (uint8_t)(buffer >> (held - 8));
    }
    *to = (uint8_t)(buffer << (8 - held));
    uint32_t position = 0;
    for (int i = 0; i < kSize; i++) {
      int node = root;
      for (; node >= kSymbols; position++) {
        node = (bits[position / 8] >> (7 - position % 8) & 1) != 0 ? right[node] : left[node];
      }
      back[i] = (uint8_t)node;
    }
    if (memcmp(data, back, kSize) != 0) return 0;
    sum = add_checksum(sum, position);
  }
  return add_words(sum, bits, 4096);
}

KERNEL(3, NULL)

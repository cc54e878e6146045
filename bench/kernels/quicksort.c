// Branches on data and swaps in memory: quicksort of 32-bit numbers, short pieces by insertion.
#include "bench.h"

enum { kCount = 100000 };

static uint32_t numbers[kCount];

static void sort(uint32_t* first, uint32_t* last) {
  while (last - first > 12) {
    const uint32_t* middle = first + (last - first) / 2;
    const uint32_t a = *first, b = *middle, c = *last;
    const uint32_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
    uint32_t* low = first;
    uint32_t* high = last;
    while (low <= high) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low <= high) {
        const uint32_t kept = *low;
        *low++ = *high;
        *high-- = kept;
      }
    }
    // The shorter part by recursion, the longer by the loop.
    if (high - first < last - low) {
      sort(first, high);
      first = low;
    } else {
      sort(low, last);
      last = high;
    }
  }
  for (uint32_t* at = first + 1; at <= last; at++) {
    const uint32_t value = *at;
    uint32_t* to = at;
    for (; to > first && to[-1] > value; to--) *to = to[-1];
    *to = value;
  }
}

static uint64_t run(uint32_t size) {
  Random random = {14};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    for (int i = 0; i < kCount; i++) numbers[i] = (uint32_t)random_next(&random);
    sort(numbers, numbers + kCount - 1);
    for (int i = 1; i < kCount; i++) {
      if (numbers[i - 1] > numbers[i]) return 0;
    }
    for (int i = 0; i < kCount; i += 97) sum = add_checksum(sum, numbers[i]);
  }
  return sum;
}

KERNEL(1, NULL)

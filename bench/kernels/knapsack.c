// Dynamic programming that a compiler turns into vectors: the best value of 100 things that weigh up to 10000.
#include "bench.h"

enum { kThings = 100, kLimit = 10000 };

static int32_t best[2][kLimit + 1];

static uint64_t run(uint32_t size) {
  Random random = {19};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    memset(best, 0, sizeof best);
    for (int thing = 0; thing < kThings; thing++) {
      const int weight = 1 + (int)random_below(&random, 500);
      const int32_t value = 1 + (int32_t)random_below(&random, 1000);
      const int32_t* restrict old = best[thing & 1];
      int32_t* restrict next = best[~thing & 1];
      for (int w = 0; w < weight; w++) next[w] = old[w];
      for (int w = weight; w <= kLimit; w++) {
        const int32_t with = old[w - weight] + value;
        next[w] = with > old[w] ? with : old[w];
      }
    }
    sum = add_checksum(sum, (uint64_t)best[0][kLimit]);
  }
  return sum;
}

KERNEL(41, NULL)

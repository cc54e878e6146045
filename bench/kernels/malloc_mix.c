// malloc, realloc and free of blocks from 1 byte to 16 KiB in random order, 2000 of them alive.
#include "bench.h"

enum { kAlive = 2000 };

static unsigned char* blocks[kAlive];
static uint32_t sizes[kAlive];

static uint32_t some_size(Random* random) { return 1 + random_below(random, 2u << random_below(random, 14)); }

static uint64_t run(uint32_t size) {
  Random random = {17};
  uint64_t sum = 0;
  for (uint64_t i = (uint64_t)size * 1000; i > 0; i--) {
    const uint32_t at = random_below(&random, kAlive);
    if (blocks[at] == NULL) {
      sizes[at] = some_size(&random);
      blocks[at] = allocate(sizes[at]);
      blocks[at][0] = (unsigned char)i;
      blocks[at][sizes[at] - 1] = (unsigned char)(i >> 8);
    } else if ((i & 7) == 0) {
      const uint32_t wanted = some_size(&random);
      unsigned char* moved = realloc(blocks[at], wanted);
      if (moved == NULL) return 0;
      sum += moved[0];
      moved[wanted - 1] = (unsigned char)i;
      blocks[at] = moved;
      sizes[at] = wanted;
    } else {
      sum += blocks[at][0] + (uint64_t)blocks[at][sizes[at] - 1] * 256;
      free(blocks[at]);
      blocks[at] = NULL;
    }
  }
  for (int i = 0; i < kAlive; i++) {
    free(blocks[i]);
    blocks[i] = NULL;
  }
  return sum;
}

KERNEL(180, NULL)

// A queue and a grid: the way through mazes of 256 by 256, breadth first.
#include "bench.h"

enum { kSide = 256, kCells = kSide * kSide };

static unsigned char is_wall[kCells];
static uint16_t steps[kCells];
static uint32_t queue[kCells];

static uint64_t run(uint32_t size) {
  Random random = {21};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    for (int i = 0; i < kCells; i++) {
      const int x = i % kSide, y = i / kSide;
      is_wall[i] = x == 0 || y == 0 || x == kSide - 1 || y == kSide - 1 || (random_next(&random) & 255) < 80;
      steps[i] = UINT16_MAX;
    }
    const uint32_t start = kCells / 2 + kSide / 2;
    is_wall[start] = 0;
    steps[start] = 0;
    uint32_t head = 0, tail = 0;
    queue[tail++] = start;
    while (head < tail) {
      static const int32_t kWays[4] = {1, -1, kSide, -kSide};
      const uint32_t at = queue[head++];
      for (int way = 0; way < 4; way++) {
        const uint32_t to = at + (uint32_t)kWays[way];
        if (is_wall[to] || steps[to] != UINT16_MAX) continue;
        steps[to] = (uint16_t)(steps[at] + 1);
        queue[tail++] = to;
      }
    }
    sum = add_checksum(add_checksum(sum, tail), steps[queue[tail - 1]]);
  }
  return sum;
}

KERNEL(6, NULL)

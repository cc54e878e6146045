// Neighbours in a byte grid with much branching: Conway's game of life on a torus of 256 by 256.
#include "bench.h"

enum { kSide = 256 };

static unsigned char grids[2][kSide][kSide];

static uint64_t run(uint32_t size) {
  Random random = {3};
  for (int y = 0; y < kSide; y++) {
    for (int x = 0; x < kSide; x++) grids[0][y][x] = random_below(&random, 3) == 0;
  }
  for (uint32_t generation = 0; generation < size; generation++) {
    unsigned char(*now)[kSide] = grids[generation & 1];
    unsigned char(*next)[kSide] = grids[~generation & 1];
    for (int y = 0; y < kSide; y++) {
      for (int x = 0; x < kSide; x++) {
        int neighbours = 0;
        for (int dy = -1; dy <= 1; dy++) {
          for (int dx = -1; dx <= 1; dx++) {
            if (dy != 0 || dx != 0) neighbours += now[(y + dy) & (kSide - 1)][(x + dx) & (kSide - 1)];
          }
        }
        next[y][x] = neighbours == 3 || (neighbours == 2 && now[y][x]);
      }
    }
  }
  return add_words(0, grids[size & 1], sizeof grids[0]);
}

KERNEL(10, NULL)

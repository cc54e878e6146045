// Fixed-point integers as picture and sound formats use them: cosine transforms of 8 by 8 blocks, rounded and undone.
#include "bench.h"

enum { kSide = 256 };

static uint8_t picture[kSide][kSide];
// 4096 * cos(pi * (2x + 1) * u / 16) / 2, the first row divided by the root of two.
static const int32_t kCosines[8][8] = {
    {1448, 1448, 1448, 1448, 1448, 1448, 1448, 1448},     {2009, 1703, 1138, 400, -400, -1138, -1703, -2009},
    {1892, 784, -784, -1892, -1892, -784, 784, 1892},     {1703, -400, -2009, -1138, 1138, 2009, 400, -1703},
    {1448, -1448, -1448, 1448, 1448, -1448, -1448, 1448}, {1138, -2009, 400, 1703, -1703, -400, 2009, -1138},
    {784, -1892, 1892, -784, -784, 1892, -1892, 784},     {400, -1138, 1703, -2009, 2009, -1703, 1138, -400}};

static void transform(const int32_t in[8][8], int32_t out[8][8], int is_back) {
  int32_t between[8][8];
  for (int i = 0; i < 8; i++) {
    for (int u = 0; u < 8; u++) {
      int32_t sum = 0;
      for (int k = 0; k < 8; k++) sum += in[i][k] * (is_back ? kCosines[k][u] : kCosines[u][k]);
      between[i][u] = (sum + 2048) >> 12;
    }
  }
  for (int j = 0; j < 8; j++) {
    for (int u = 0; u < 8; u++) {
      int32_t sum = 0;
      for (int k = 0; k < 8; k++) sum += between[k][j] * (is_back ? kCosines[k][u] : kCosines[u][k]);
      out[u][j] = (sum + 2048) >> 12;
    }
  }
}

static uint64_t run(uint32_t size) {
  Random random = {31};
  for (int y = 0; y < kSide; y++) {
    for (int x = 0; x < kSide; x++) picture[y][x] = (uint8_t)(x + y / 2 + (int)random_below(&random, 32));
  }
  uint64_t kept = 0;
  for (uint32_t round = 0; round < size; round++) {
    const int32_t step = 3 + (int32_t)(round % 8);
    for (int by = 0; by < kSide; by += 8) {
      for (int bx = 0; bx < kSide; bx += 8) {
        int32_t block[8][8], spectrum[8][8];
        for (int y = 0; y < 8; y++) {
          for (int x = 0; x < 8; x++) block[y][x] = picture[by + y][bx + x] - 128;
        }
        transform(block, spectrum, 0);
        for (int y = 0; y < 8; y++) {
          for (int x = 0; x < 8; x++) {
            const int32_t quantised = spectrum[y][x] / (step + x + y);
            kept += quantised != 0;
            spectrum[y][x] = quantised * (step + x + y);
          }
        }
        transform(spectrum, block, 1);
        for (int y = 0; y < 8; y++) {
          for (int x = 0; x < 8; x++) {
            const int32_t value = block[y][x] + 128;
            picture[by + y][bx + x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
          }
        }
      }
    }
  }
  return add_words(kept, picture, sizeof picture);
}

KERNEL(9, NULL)

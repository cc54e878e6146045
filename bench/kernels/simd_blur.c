// SIMD by hand, floats in fours: a picture of 256 by 256 blurred with five weights, across and down.
#include "bench.h"
#include "vectors.h"

enum { kSide = 256, kPad = 4, kStride = kSide + 2 * kPad };

static float pictures[2][kSide + 2 * kPad][kStride];
static const float kWeights[5] = {0.0625f, 0.25f, 0.375f, 0.25f, 0.0625f};

static void blur(int from, int to, int step) {
  for (int y = kPad; y < kSide + kPad; y++) {
    for (int x = kPad; x < kSide + kPad; x += 4) {
      const float* at = &pictures[from][y][x];
      F32x4 sum = {0, 0, 0, 0};
      for (int i = 0; i < 5; i++) sum += load_f32x4(at + (i - 2) * step) * kWeights[i];
      store_f32x4(&pictures[to][y][x], sum);
    }
  }
}

static uint64_t run(uint32_t size) {
  Random random = {32};
  for (int y = 0; y < kSide; y++) {
    for (int x = 0; x < kSide; x++) pictures[0][y + kPad][x + kPad] = (float)random_unit(&random);
  }
  for (uint32_t round = 0; round < size; round++) {
    blur(0, 1, 1);
    blur(1, 0, kStride);
    // Something stays bright, so that numbers do not fade to those that machines are slow with.
    pictures[0][kPad + round % kSide][kPad + round * 7 % kSide] = 100;
  }
  return add_words(0, pictures[0], sizeof pictures[0]);
}

KERNEL(170, NULL)

// Doubles in registers, no memory: a picture of `size` by `size` points of the Mandelbrot set.
#include "bench.h"

static uint64_t run(uint32_t size) {
  uint64_t sum = 0;
  for (uint32_t py = 0; py < size; py++) {
    uint32_t in_row = 0;
    for (uint32_t px = 0; px < size; px++) {
      const double cx = 3.0 * px / size - 2.0, cy = 2.0 * py / size - 1.0;
      double x = 0, y = 0;
      uint32_t steps = 0;
      for (; steps < 100; steps++) {
        const double xx = x * x, yy = y * y;
        if (xx + yy > 4) break;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
      }
      in_row = in_row * 3 + steps;
    }
    sum = add_checksum(sum, in_row);
  }
  return sum;
}

KERNEL(280, NULL)

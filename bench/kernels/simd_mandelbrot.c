// SIMD by hand, doubles in pairs: two points of the Mandelbrot set at a time.
#include "bench.h"
#include "vectors.h"

static uint64_t run(uint32_t size) {
  uint64_t sum = 0;
  for (uint32_t py = 0; py < size; py++) {
    const double cy_one = 2.0 * py / size - 1.0;
    const F64x2 cy = {cy_one, cy_one};
    uint64_t in_row = 0;
    for (uint32_t px = 0; px < size; px += 2) {
      const F64x2 cx = {3.0 * px / size - 2.0, 3.0 * (px + 1) / size - 2.0};
      F64x2 x = {0, 0}, y = {0, 0};
      I64x2 steps = {0, 0};
      for (int i = 0; i < 100; i++) {
        const F64x2 xx = x * x, yy = y * y;
        const I64x2 is_near = xx + yy <= 4.0;
        if (!has_any((U8x16)is_near)) break;
        steps -= is_near;
        y = 2.0 * x * y + cy;
        x = xx - yy + cx;
      }
      in_row = in_row * 9 + (uint64_t)steps[0] * 3 + (uint64_t)steps[1];
    }
    sum = add_checksum(sum, in_row);
  }
  return sum;
}

KERNEL(370, NULL)

// Doubles with strides of powers of two: a Fourier transform of 4096 points and back.
#include "bench.h"

enum { kBits = 12, kCount = 1 << kBits };

static double real[kCount], imaginary[kCount];
static double cosines[kCount / 2], sines[kCount / 2];

// By halving angles, so that no library's sine decides about the last bit.
static void make_roots(void) {
  double c = -1, s = 0;  // of half a turn
  for (int step = kCount / 2; step >= 1; step /= 2) {
    // c, s are of `step` parts of the circle.
    for (int i = 0; i < kCount / 2; i += 2 * step) {
      if (i == 0) {
        cosines[0] = 1;
        sines[0] = 0;
      }
      if (i + step < kCount / 2) {
        cosines[i + step] = cosines[i] * c - sines[i] * s;
        sines[i + step] = sines[i] * c + cosines[i] * s;
      }
    }
    const double half_s = __builtin_sqrt((1 - c) / 2);
    c = __builtin_sqrt((1 + c) / 2);
    s = half_s;
  }
}

static void transform(int is_back) {
  for (uint32_t i = 0, j = 0; i < kCount; i++) {
    if (i < j) {
      const double r = real[i], m = imaginary[i];
      real[i] = real[j];
      imaginary[i] = imaginary[j];
      real[j] = r;
      imaginary[j] = m;
    }
    uint32_t bit = kCount / 2;
    for (; (j & bit) != 0; bit /= 2) j ^= bit;
    j |= bit;
  }
  for (int half = 1; half < kCount; half *= 2) {
    const int step = kCount / (2 * half);
    for (int group = 0; group < kCount; group += 2 * half) {
      for (int k = 0; k < half; k++) {
        const double c = cosines[k * step];
        const double s = is_back ? sines[k * step] : -sines[k * step];
        const int a = group + k, b = a + half;
        const double r = real[b] * c - imaginary[b] * s;
        const double m = real[b] * s + imaginary[b] * c;
        real[b] = real[a] - r;
        imaginary[b] = imaginary[a] - m;
        real[a] += r;
        imaginary[a] += m;
      }
    }
  }
}

static uint64_t run(uint32_t size) {
  make_roots();
  Random random = {8};
  for (int i = 0; i < kCount; i++) {
    real[i] = random_unit(&random);
    imaginary[i] = 0;
  }
  for (uint32_t round = 0; round < size; round++) {
    transform(0);
    transform(1);
    for (int i = 0; i < kCount; i++) {
      real[i] /= kCount;
      imaginary[i] /= kCount;
    }
  }
  return add_words(add_words(0, real, sizeof real), imaginary, sizeof imaginary);
}

KERNEL(76, NULL)

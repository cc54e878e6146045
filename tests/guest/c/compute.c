// Long-running compute of several kinds, each with a checksum.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned sieve(unsigned limit) {
  unsigned char* composite = calloc(limit + 1, 1);
  unsigned count = 0;
  for (unsigned i = 2; i <= limit; i++) {
    if (composite[i]) continue;
    count++;
    for (uint64_t j = (uint64_t)i * i; j <= limit; j += i) composite[j] = 1;
  }
  free(composite);
  return count;
}

static uint32_t crc32(const unsigned char* data, size_t length) {
  static uint32_t table[256];
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  uint32_t crc = ~0u;
  for (size_t i = 0; i < length; i++) crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
  return ~crc;
}

static int mandelbrot(int size) {
  int inside = 0;
  for (int y = 0; y < size; y++) {
    for (int x = 0; x < size; x++) {
      double cr = 3.0 * x / size - 2.0, ci = 2.0 * y / size - 1.0, zr = 0, zi = 0;
      int steps = 0;
      while (steps < 200 && zr * zr + zi * zi < 4) {
        double t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
        steps++;
      }
      inside += steps == 200;
    }
  }
  return inside;
}

static double matrix(int n) {
  double *a = malloc(sizeof(double) * n * n), *b = malloc(sizeof(double) * n * n), *c = calloc(n * n, sizeof(double));
  for (int i = 0; i < n * n; i++) {
    a[i] = i % 17 - 8;
    b[i] = i % 13 * 0.5;
  }
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++)
      for (int j = 0; j < n; j++) c[i * n + j] += a[i * n + k] * b[k * n + j];
  double sum = 0;
  for (int i = 0; i < n * n; i++) sum += c[i] * (i % 3 - 1);
  free(a), free(b), free(c);
  return sum;
}

struct body {
  double x[3], v[3], mass;
};

static double nbody(int steps) {
  struct body bodies[5];
  for (int i = 0; i < 5; i++) {
    bodies[i] = (struct body){{i * 1.5, i * 0.25 + 1, 2.0 - i}, {0.01 * i, 0.02, -0.01 * i}, i == 0 ? 39.0 : 0.03 * i};
  }
  for (int s = 0; s < steps; s++) {
    for (int i = 0; i < 5; i++) {
      for (int j = i + 1; j < 5; j++) {
        double d[3], square = 0;
        for (int k = 0; k < 3; k++) {
          d[k] = bodies[i].x[k] - bodies[j].x[k];
          square += d[k] * d[k];
        }
        double magnitude = 0.001 / (square * sqrt(square));
        for (int k = 0; k < 3; k++) {
          bodies[i].v[k] -= d[k] * bodies[j].mass * magnitude;
          bodies[j].v[k] += d[k] * bodies[i].mass * magnitude;
        }
      }
    }
    for (int i = 0; i < 5; i++)
      for (int k = 0; k < 3; k++) bodies[i].x[k] += 0.001 * bodies[i].v[k];
  }
  return bodies[0].x[0] + bodies[4].v[2];
}

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void sha256(const unsigned char* data, size_t length, char* hex) {
  static uint32_t k[64];
  uint32_t h[8];
  int prime = 2;
  for (int n = 0; n < 64; prime++) {
    int is_prime = 1;
    for (int d = 2; d * d <= prime; d++) is_prime &= prime % d != 0;
    if (!is_prime) continue;
    // The fractional parts of roots, by Newton in 64 bits: the digits of the constants.
    long double root = prime;
    for (int i = 0; i < 80; i++) root = root - (root * root * root - prime) / (3 * root * root);
    double cube = (double)(root - (int)root);
    k[n] = (uint32_t)(cube * 4294967296.0);
    if (n < 8) {
      double square = sqrt((double)prime);
      h[n] = (uint32_t)((square - (int)square) * 4294967296.0);
    }
    n++;
  }
  size_t padded = (length + 9 + 63) / 64 * 64;
  unsigned char* text = calloc(padded, 1);
  memcpy(text, data, length);
  text[length] = 0x80;
  for (int i = 0; i < 8; i++) text[padded - 1 - i] = (unsigned char)((uint64_t)length * 8 >> (8 * i));
  for (size_t block = 0; block < padded; block += 64) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++) {
      const unsigned char* p = text + block + 4 * i;
      w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
    }
    for (int i = 16; i < 64; i++) {
      uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
      uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
      uint32_t e = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
      uint32_t t1 = s[7] + e + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
      uint32_t a = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
      uint32_t t2 = a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      memmove(s + 1, s, 7 * sizeof(uint32_t));
      s[4] += t1;
      s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += s[i];
  }
  free(text);
  for (int i = 0; i < 8; i++) sprintf(hex + 8 * i, "%08x", h[i]);
}

int main(void) {
  printf("primes %u\n", sieve(2000000));
  size_t length = 1 << 20;
  unsigned char* data = malloc(length);
  uint32_t seed = 1;
  for (size_t i = 0; i < length; i++) data[i] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
  printf("crc %08x\n", crc32(data, length));
  char hex[65];
  sha256((const unsigned char*)"abc", 3, hex);
  printf("sha %s\n", hex);
  sha256(data, length, hex);
  printf("sha %s\n", hex);
  free(data);
  printf("mandelbrot %d\n", mandelbrot(200));
  printf("matrix %.17g\n", matrix(96));
  printf("nbody %.17g\n", nbody(30000));
  return 0;
}

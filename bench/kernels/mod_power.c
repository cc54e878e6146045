// Big integers by 64-bit products: powers modulo a number of 1024 bits, by Montgomery's multiplication, as RSA needs
// them.
#include "bench.h"

enum { kLimbs = 32 };

typedef struct {
  uint32_t limbs[kLimbs];  // the least significant first
} Big;

static Big modulus;
static uint32_t inverse;  // -1 / modulus mod 2^32

static int is_below(const uint32_t* a, const uint32_t* b) {
  for (int i = kLimbs; i-- > 0;) {
    if (a[i] != b[i]) return a[i] < b[i];
  }
  return 0;
}

static void subtract(uint32_t* a, const uint32_t* b) {
  int64_t carry = 0;
  for (int i = 0; i < kLimbs; i++) {
    carry += (int64_t)a[i] - b[i];
    a[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

// a * b / 2^1024 modulo the modulus.
static void multiply(Big* to, const Big* a, const Big* b) {
  uint32_t t[kLimbs + 2] = {0};
  for (int i = 0; i < kLimbs; i++) {
    uint64_t carry = 0;
    for (int j = 0; j < kLimbs; j++) {
      carry += (uint64_t)a->limbs[i] * b->limbs[j] + t[j];
      t[j] = (uint32_t)carry;
      carry >>= 32;
    }
    carry += t[kLimbs];
    t[kLimbs] = (uint32_t)carry;
    t[kLimbs + 1] = (uint32_t)(carry >> 32);
    const uint32_t m = t[0] * inverse;
    carry = ((uint64_t)m * modulus.limbs[0] + t[0]) >> 32;
    for (int j = 1; j < kLimbs; j++) {
      carry += (uint64_t)m * modulus.limbs[j] + t[j];
      t[j - 1] = (uint32_t)carry;
      carry >>= 32;
    }
    carry += t[kLimbs];
    t[kLimbs - 1] = (uint32_t)carry;
    t[kLimbs] = t[kLimbs + 1] + (uint32_t)(carry >> 32);
  }
  if (t[kLimbs] != 0 || !is_below(t, modulus.limbs)) subtract(t, modulus.limbs);
  memcpy(to->limbs, t, sizeof to->limbs);
}

static uint64_t run(uint32_t size) {
  Random random = {30};
  for (int i = 0; i < kLimbs; i++) modulus.limbs[i] = (uint32_t)random_next(&random);
  modulus.limbs[0] |= 1;
  modulus.limbs[kLimbs - 1] |= 0x80000000;
  inverse = 1;
  for (int i = 0; i < 5; i++) inverse *= 2 - modulus.limbs[0] * inverse;
  inverse = -inverse;
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    Big base, exponent;
    for (int i = 0; i < kLimbs; i++) {
      base.limbs[i] = (uint32_t)random_next(&random);
      exponent.limbs[i] = (uint32_t)random_next(&random);
    }
    base.limbs[kLimbs - 1] &= 0x7fffffff;
    // 2^1024 modulo the modulus, which stands for 1.
    Big result = {{0}};
    subtract(result.limbs, modulus.limbs);
    for (int bit = 32 * kLimbs - 1; bit >= 0; bit--) {
      multiply(&result, &result, &result);
      if ((exponent.limbs[bit / 32] >> bit % 32 & 1) != 0) multiply(&result, &result, &base);
    }
    sum = add_words(sum, &result, sizeof result);
  }
  return sum;
}

KERNEL(4, NULL)

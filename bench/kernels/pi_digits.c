// Big integers by 32-bit limbs: digits of pi from Machin's formula, with long divisions by small numbers.
#include "bench.h"

typedef struct {
  uint32_t* limbs;  // the most significant first: one for the whole part, the others for the fraction
  uint32_t count;
} Fixed;

static void divide(Fixed n, uint32_t by) {
  uint64_t rest = 0;
  for (uint32_t i = 0; i < n.count; i++) {
    rest = rest << 32 | n.limbs[i];
    n.limbs[i] = (uint32_t)(rest / by);
    rest %= by;
  }
}

static void divide_into(Fixed to, Fixed n, uint32_t by) {
  uint64_t rest = 0;
  for (uint32_t i = 0; i < n.count; i++) {
    rest = rest << 32 | n.limbs[i];
    to.limbs[i] = (uint32_t)(rest / by);
    rest %= by;
  }
}

static uint32_t multiply(Fixed n, uint32_t by) {
  uint64_t carry = 0;
  for (uint32_t i = n.count; i-- > 0;) {
    carry += (uint64_t)n.limbs[i] * by;
    n.limbs[i] = (uint32_t)carry;
    carry >>= 32;
  }
  return (uint32_t)carry;
}

static void accumulate(Fixed sum, Fixed n, int is_negative) {
  int64_t carry = 0;
  for (uint32_t i = n.count; i-- > 0;) {
    carry += is_negative ? (int64_t)sum.limbs[i] - n.limbs[i] : (int64_t)sum.limbs[i] + n.limbs[i];
    sum.limbs[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

static int is_zero(Fixed n) {
  for (uint32_t i = 0; i < n.count; i++) {
    if (n.limbs[i] != 0) return 0;
  }
  return 1;
}

static Fixed make(uint32_t count) {
  Fixed n = {allocate(count * sizeof *n.limbs), count};
  memset(n.limbs, 0, count * sizeof *n.limbs);
  return n;
}

// sum += sign * factor * arctan(1 / x)
static void add_arctan(Fixed sum, uint32_t factor, uint32_t x, int is_negative) {
  Fixed power = make(sum.count), term = make(sum.count);
  power.limbs[0] = factor;
  divide(power, x);
  for (uint32_t k = 1; !is_zero(power); k += 2) {
    divide_into(term, power, k);
    accumulate(sum, term, is_negative);
    is_negative = !is_negative;
    divide(power, x * x);
  }
  free(power.limbs);
  free(term.limbs);
}

// `size` digits behind the point; the checksum is over them as text.
static uint64_t run(uint32_t size) {
  Fixed pi = make(size / 9 + 4);
  add_arctan(pi, 16, 5, 0);
  add_arctan(pi, 4, 239, 1);
  uint64_t sum = add_checksum(0, pi.limbs[0]);
  for (uint32_t i = 0; i < size; i++) {
    pi.limbs[0] = 0;
    multiply(pi, 10);
    sum = add_checksum(sum, '0' + pi.limbs[0]);
  }
  free(pi.limbs);
  return sum;
}

KERNEL(2300, NULL)

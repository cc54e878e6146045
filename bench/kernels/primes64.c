// 64-bit division and multiplication: Miller-Rabin on numbers below 2^32, whose products need 64 bits.
#include "bench.h"

static uint64_t power(uint64_t base, uint64_t exponent, uint64_t modulus) {
  uint64_t result = 1;
  for (base %= modulus; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = result * base % modulus;
    base = base * base % modulus;
  }
  return result;
}

// n is odd and greater than 61; these bases are enough below 2^32.
static int is_prime(uint64_t n) {
  static const uint64_t kBases[] = {2, 7, 61};
  uint64_t odd = n - 1;
  int halvings = 0;
  for (; (odd & 1) == 0; odd >>= 1) halvings++;
  for (int i = 0; i < 3; i++) {
    uint64_t x = power(kBases[i], odd, n);
    if (x == 1 || x == n - 1) continue;
    int is_witness = 1;
    for (int j = 1; j < halvings && is_witness; j++) {
      x = x * x % n;
      if (x == n - 1) is_witness = 0;
    }
    if (is_witness) return 0;
  }
  return 1;
}

static uint64_t run(uint32_t size) {
  uint64_t sum = 0;
  uint64_t candidate = 4000000001u;
  for (uint32_t i = 0; i < size; i++, candidate += 2) {
    if (is_prime(candidate)) sum = add_checksum(sum, candidate);
  }
  return sum;
}

KERNEL(34000, NULL)

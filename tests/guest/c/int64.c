// 64-bit and 128-bit integers, shifts and bit counts at their edges.
#include <inttypes.h>
#include <stdio.h>

static const uint64_t kValues[] = {0,
                                   1,
                                   2,
                                   63,
                                   64,
                                   0x7fffffff,
                                   0x80000000,
                                   0xffffffff,
                                   0x100000000,
                                   INT64_MAX,
                                   0x8000000000000000,
                                   UINT64_MAX,
                                   0x123456789abcdef0,
                                   1000000007};
enum { kCount = sizeof kValues / sizeof kValues[0] };

static uint64_t state = 88172645463325252ULL;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

int main(void) {
  for (int i = 0; i < kCount; i++) {
    for (int j = 0; j < kCount; j++) {
      uint64_t a = kValues[i], b = kValues[j];
      int64_t x = (int64_t)a, y = (int64_t)b;
      unsigned __int128 wide = (unsigned __int128)a * b;
      printf("%" PRIx64 " %" PRIx64 ": %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 "%016" PRIx64, a, b, a + b, a - b,
             a * b, (uint64_t)(wide >> 64), (uint64_t)wide);
      if (b != 0) {
        printf(" %" PRIu64 " %" PRIu64, a / b, a % b);
        if (!(x == INT64_MIN && y == -1)) printf(" %" PRId64 " %" PRId64, x / y, x % y);
      }
      unsigned shift = (unsigned)b & 63;
      printf(" %" PRIx64 " %" PRIx64 " %" PRId64 " %" PRIx64, a << shift, a >> shift, x >> shift,
             (a << shift) | (a >> ((64 - shift) & 63)));
      int64_t sum;
      printf(" %d %d %d\n", __builtin_add_overflow(x, y, &sum), x < y, a < b);
    }
    uint64_t v = kValues[i];
    if (v != 0) printf("clz %d ctz %d ", __builtin_clzll(v), __builtin_ctzll(v));
    printf("popcount %d bswap %" PRIx64 "\n", __builtin_popcountll(v), __builtin_bswap64(v));
    printf("narrow %d %d %d %d\n", (int8_t)v, (int16_t)v, (int32_t)v, (uint8_t)v);
  }
  uint64_t sum = 0;
  __int128 wide = 1;
  for (int i = 0; i < 300000; i++) {
    uint64_t a = next(), b = next() >> (i % 40) | 1;
    sum += a / b ^ a % b;
    sum ^= (uint64_t)((int64_t)a / (int64_t)(b | 3));
    wide = wide * (__int128)(int64_t)a + (__int128)b;
  }
  printf("%" PRIx64 " %" PRIx64 "\n", sum, (uint64_t)(wide >> 64) ^ (uint64_t)wide);
  return 0;
}

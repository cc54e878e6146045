// Small arrays of 32-bit integers: the most flips that a permutation of `size` numbers takes, over all of them.
#include "bench.h"

static uint64_t run(uint32_t size) {
  int permutation[16];
  int work[16];
  int count[16];
  const int n = size < 15 ? (int)size : 15;
  for (int i = 0; i < n; i++) permutation[i] = i;
  int most = 0;
  int signed_sum = 0;
  int is_odd = 0;
  int r = n;
  for (;;) {
    for (; r > 1; r--) count[r - 1] = r;
    if (permutation[0] != 0) {
      for (int i = 0; i < n; i++) work[i] = permutation[i];
      int flips = 0;
      for (int first = work[0]; first != 0; first = work[0]) {
        for (int low = 0, high = first; low < high; low++, high--) {
          const int kept = work[low];
          work[low] = work[high];
          work[high] = kept;
        }
        flips++;
      }
      if (flips > most) most = flips;
      signed_sum += is_odd ? -flips : flips;
    }
    for (;;) {
      if (r == n) return add_checksum((uint64_t)(int64_t)signed_sum, (uint64_t)most);
      const int first = permutation[0];
      for (int i = 0; i < r; i++) permutation[i] = permutation[i + 1];
      permutation[r] = first;
      if (--count[r] > 0) break;
      r++;
    }
    is_odd ^= 1;
    r = r == 0 ? 1 : r;
  }
}

KERNEL(8, NULL)

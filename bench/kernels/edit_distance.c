// Dynamic programming over two rows: how many edits lead from one text of 1000 letters to another.
#include "bench.h"

enum { kLength = 1000 };

static char a[kLength], b[kLength];
static int32_t row[kLength + 1];

static uint64_t run(uint32_t size) {
  Random random = {18};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    for (int i = 0; i < kLength; i++) {
      a[i] = (char)('a' + random_below(&random, 4));
      b[i] = random_below(&random, 3) == 0 ? (char)('a' + random_below(&random, 4)) : a[i];
    }
    for (int j = 0; j <= kLength; j++) row[j] = j;
    for (int i = 0; i < kLength; i++) {
      int32_t diagonal = row[0];
      row[0] = i + 1;
      for (int j = 0; j < kLength; j++) {
        const int32_t replaced = diagonal + (a[i] != b[j]);
        const int32_t removed = row[j + 1] + 1, inserted = row[j] + 1;
        diagonal = row[j + 1];
        const int32_t best = removed < inserted ? removed : inserted;
        row[j + 1] = replaced < best ? replaced : best;
      }
    }
    sum = add_checksum(sum, (uint64_t)row[kLength]);
  }
  return sum;
}

KERNEL(2, NULL)

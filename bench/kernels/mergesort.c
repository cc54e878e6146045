// Comparisons through a pointer to a function: a stable merge sort of records by two keys.
#include "bench.h"

typedef struct {
  uint32_t group;
  uint32_t number;
  char name[8];
} Record;

typedef int (*Compare)(const Record*, const Record*);

enum { kCount = 20000 };

static Record records[kCount], scratch[kCount];

static int by_name(const Record* a, const Record* b) { return strncmp(a->name, b->name, sizeof a->name); }
static int by_group(const Record* a, const Record* b) { return (a->group > b->group) - (a->group < b->group); }

static void sort(Record* from, Record* to, uint32_t count, Compare compare) {
  if (count < 2) return;
  const uint32_t half = count / 2;
  sort(to, from, half, compare);
  sort(to + half, from + half, count - half, compare);
  uint32_t left = 0, right = half;
  for (uint32_t i = 0; i < count; i++) {
    const int is_left = left < half && (right == count || compare(&from[left], &from[right]) <= 0);
    to[i] = from[is_left ? left++ : right++];
  }
}

static uint64_t run(uint32_t size) {
  static const Compare volatile kOrders[2] = {by_name, by_group};
  Random random = {15};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    for (uint32_t i = 0; i < kCount; i++) {
      records[i].group = random_below(&random, 50);
      records[i].number = i;
      for (int j = 0; j < 8; j++) records[i].name[j] = (char)('a' + random_below(&random, 3));
    }
    for (int order = 0; order < 2; order++) {
      memcpy(scratch, records, sizeof records);
      sort(scratch, records, kCount, kOrders[order]);
    }
    for (int i = 0; i < kCount; i += 31) sum = add_checksum(sum, records[i].number);
  }
  return sum;
}

KERNEL(1, NULL)

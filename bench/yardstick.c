// A fixed piece of work, some 20 ms, and how many nanoseconds it took: bench/run does it before each round. On a quiet machine
// it always takes the same time, so how much that varies says how far other figures can be trusted.
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { kWords = 1 << 15, kPasses = 500 };  // 256 KiB: beyond the first cache, within the second

static uint64_t words[kWords];

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t work(void) {
  uint64_t sum = 0x9e3779b97f4a7c15u;
  for (int pass = 0; pass < kPasses; ++pass) {
    for (int i = 0; i < kWords; ++i) {
      sum = (sum ^ words[i]) * 0xbf58476d1ce4e5b9u;
      words[sum % kWords] += sum >> 32;
    }
  }
  return sum;
}

int main(void) {
  volatile uint64_t keep;
  keep = work() / 2;  // the first pass finds cold pages
  const int64_t start = now();
  keep = work();
  const int64_t end = now();
  (void)keep;
  printf("%lld\n", (long long)(end - start));
  return 0;
}

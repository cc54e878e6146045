// What all kernels share: the program around them, numbers that look random, and the checksum.
//
//   NAME [MS [REPETITIONS]]   repeats the work until MS milliseconds have passed and at least three times, or so many
//                             times (MS is ignored then); without arguments once.
//
// The work is the same each time and has to come to the same checksum, which is what standard output gets; how long
// each repetition took, in nanoseconds, goes to standard error. A kernel is one file, includes this once, defines `run`
// and ends with KERNEL.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Products and sums are rounded one by one, as Wasm does it.
#pragma STDC FP_CONTRACT OFF

// Numbers that look random and are the same everywhere (splitmix64).
typedef struct {
  uint64_t state;
} Random;

static inline uint64_t random_next(Random* random) {
  uint64_t z = random->state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static inline uint32_t random_below(Random* random, uint32_t limit) {
  return (uint32_t)((random_next(random) >> 32) * limit >> 32);
}

// In [0, 1).
static inline double random_unit(Random* random) { return (double)(random_next(random) >> 11) * 0x1p-53; }

static inline uint64_t add_checksum(uint64_t sum, uint64_t value) {
  sum = (sum ^ value) * 0x2545f4914f6cdd1du;
  return sum ^ (sum >> 29);
}

static inline uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Of a whole number of words of eight bytes.
static inline uint64_t add_words(uint64_t sum, const void* data, size_t size) {
  const unsigned char* bytes = (const unsigned char*)data;
  for (size_t i = 0; i + 8 <= size; i += 8) {
    uint64_t word;
    memcpy(&word, bytes + i, 8);
    sum = add_checksum(sum, word);
  }
  return sum;
}

static inline void* allocate(size_t size) {
  void* memory = malloc(size);
  if (memory == NULL) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  return memory;
}

static inline uint64_t bench_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline int bench_main(int argc, char** argv, uint32_t size_of_work, void (*set_up)(void),
                             uint64_t (*run)(uint32_t)) {
  enum { kLeastRepetitions = 3, kTimesKept = 1000 };
  static uint64_t times[kTimesKept];
  const uint64_t wanted_ns = argc > 1 ? strtoull(argv[1], NULL, 10) * 1000000 : 0;
  const uint64_t wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? 0 : 1;
  // The compiler must not know how much there is to do.
  const volatile uint32_t size = size_of_work;
  if (set_up != NULL) set_up();
  uint64_t first = 0;
  uint64_t done = 0;
  const uint64_t begin = bench_now();
  for (uint64_t before = begin; wanted != 0 ? done < wanted : done < kLeastRepetitions || before - begin < wanted_ns;
       done++) {
    const uint64_t sum = run(size);
    const uint64_t after = bench_now();
    times[done % kTimesKept] = after - before;
    before = after;
    if (done == 0) first = sum;
    if (sum != first) {
      fprintf(stderr, "repetition %llu: checksum %016llx, the first one had %016llx\n", (unsigned long long)done + 1,
              (unsigned long long)sum, (unsigned long long)first);
      return 1;
    }
  }
  printf("checksum %016llx\n", (unsigned long long)first);
  fprintf(stderr, "bench:");
  for (uint64_t i = done > kTimesKept ? done - kTimesKept : 0; i < done; i++) {
    fprintf(stderr, " %llu", (unsigned long long)times[i % kTimesKept]);
  }
  fprintf(stderr, "\n");
  return 0;
}

// How much one repetition does, so that it takes some 5 ms natively; and what is made before, or NULL.
#define KERNEL(size, set_up) \
  int main(int argc, char** argv) { return bench_main(argc, argv, size, set_up, run); }

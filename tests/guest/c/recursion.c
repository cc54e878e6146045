// Recursion: direct, mutual, deep, with arrays on the stack, and through pointers.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static unsigned ackermann(unsigned m, unsigned n) {
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

__attribute__((noinline)) static int is_odd(unsigned n);
__attribute__((noinline)) static int is_even(unsigned n) { return n == 0 ? 1 : is_odd(n - 1); }
__attribute__((noinline)) static int is_odd(unsigned n) { return n == 0 ? 0 : is_even(n - 1); }

__attribute__((noinline)) static long depth_sum(int n) {
  volatile long here = n;
  if (n == 0) return 0;
  long below = depth_sum(n - 1);
  return below + here;
}

static long permutations;
static void permute(int* items, int n, int k) {
  if (k == n) {
    long value = 0;
    for (int i = 0; i < n; i++) value = value * 10 + items[i];
    permutations = permutations * 31 + value;
    return;
  }
  for (int i = k; i < n; i++) {
    int t = items[k];
    items[k] = items[i], items[i] = t;
    permute(items, n, k + 1);
    t = items[k], items[k] = items[i], items[i] = t;
  }
}

static int queens(int n, unsigned columns, unsigned left, unsigned right) {
  if (n == 0) return 1;
  int count = 0;
  for (unsigned free = 0x3ff & ~(columns | left | right); free != 0; free &= free - 1) {
    unsigned bit = free & -free;
    count += queens(n - 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}

static void hanoi(int n, int from, int to, int via, unsigned* hash) {
  if (n == 0) return;
  hanoi(n - 1, from, via, to, hash);
  *hash = *hash * 33 + (unsigned)(from * 3 + to);
  hanoi(n - 1, via, to, from, hash);
}

int main(void) {
  printf("fib %u\n", fib(27));
  printf("ackermann %u\n", ackermann(2, 300));
  printf("even %d odd %d\n", is_even(20000), is_odd(20000));
  printf("deep %ld\n", depth_sum(20000));
  int items[8];
  for (int i = 0; i < 8; i++) items[i] = i + 1;
  permute(items, 8, 0);
  printf("permutations %lx\n", permutations & 0x7fffffff);
  printf("queens %d\n", queens(10, 0, 0, 0));
  unsigned hash = 5381;
  hanoi(16, 0, 2, 1, &hash);
  printf("hanoi %u\n", hash);
  return 0;
}

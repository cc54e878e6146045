// Calls: the naive Fibonacci recursion, almost nothing but calls and returns.
#include "bench.h"

static uint32_t __attribute__((noinline)) fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static uint64_t run(uint32_t size) { return fib(size); }

KERNEL(32, NULL)

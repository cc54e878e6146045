// setjmp and longjmp: clang makes WebAssembly exceptions of them.
#include <setjmp.h>
#include <stdio.h>

static jmp_buf outer, inner;

__attribute__((noinline)) static int descend(int depth, int target) {
  volatile char used[64];
  used[depth % 64] = (char)depth;
  if (depth == 0) longjmp(target == 1 ? inner : outer, 40 + target);
  return descend(depth - 1, target) + used[depth % 64];
}

__attribute__((noinline)) static int middle(int target) {
  volatile int before = target * 10;
  const int value = setjmp(inner);
  if (value == 0) return descend(1000, target);
  return value + before;
}

int main(void) {
  for (int round = 0; round < 3; ++round) {
    const int value = setjmp(outer);
    if (value == 0) {
      printf("round %d: middle gave %d\n", round, middle(round % 2 + 1));
    } else {
      printf("round %d: outer got %d\n", round, value);
    }
  }
  long sum = 0;
  for (volatile int i = 0; i < 10000; ++i) {
    const int value = setjmp(outer);
    if (value == 0) longjmp(outer, i % 7 + 1);
    sum += value;
  }
  printf("sum %ld\n", sum);
  return 0;
}

// A trap some calls deep: the message, and the functions in the backtrace.
#include <stdio.h>

__attribute__((noinline)) void innermost(int n) {
  if (n > 2) __builtin_trap();
  printf("n is %d\n", n);
}
__attribute__((noinline)) void middle(int n) {
  innermost(n);
  innermost(n + 1);
}
int main(void) {
  middle(1);
  fflush(stdout);
  middle(2);
  return 0;
}

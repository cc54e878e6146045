// With a memory limit malloc fails in the end, and the program goes on.
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  int blocks = 0;
  while (blocks < 1000 && malloc(1 << 20) != NULL) blocks++;
  printf("%s\n", blocks < 1000 && blocks > 2 ? "refused in time" : "not refused");
  return 0;
}

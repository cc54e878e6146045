// abort() stops the program at once: what was not flushed is lost, handlers do not run.
#include <stdio.h>
#include <stdlib.h>

static void never(void) { puts("a handler ran"); }

int main(void) {
  atexit(never);
  puts("before");
  fflush(stdout);
  abort();
}

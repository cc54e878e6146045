// All threads wait, for ever: only a deadline ends that.
#include "threads.h"

static struct thread threads[3];
static atomic_int never;

static void wait_for_ever(int number) {
  for (;;) wait_while(&never, number);
}

void _start(void) {
  for (int i = 0; i < 3; ++i) start(&threads[i], wait_for_ever, 0);
  join(&threads[0]);
}

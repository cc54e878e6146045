// A thread that ends the program while all others wait.
#include "threads.h"

static struct thread waiting;
static struct thread ending;
static atomic_int never;

static void wait_for_ever(int number) {
  for (;;) wait_while(&never, number);
}

static void end(int status) { proc_exit((uint32_t)status); }

void _start(void) {
  start(&waiting, wait_for_ever, 0);
  start(&ending, end, 7);
  wait_for_ever(0);
}

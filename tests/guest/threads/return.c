// The first thread returns while another one waits: the program is over.
#include "threads.h"

static struct thread waiting;
static atomic_int never;
static atomic_int is_there;

static void wait_for_ever(int number) {
  is_there = 1;
  wake(&is_there, 1);
  for (;;) wait_while(&never, number);
}

void _start(void) {
  start(&waiting, wait_for_ever, 0);
  while (!is_there) wait_while(&is_there, 0);
  print("done ", 1);
}

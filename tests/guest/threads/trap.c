// A thread that traps while the first one waits for good and another one runs in circles.
#include "threads.h"

static struct thread circles;
static struct thread broken;
static atomic_int is_circling;
static volatile int zero;

static void circle(int number) {
  is_circling = number;
  for (;;) zero = 0;
}

__attribute__((noinline)) static int divider(int number) { return number / zero; }

static void fail(int number) {
  while (!is_circling) {
  }
  print("result ", divider(number));
}

void _start(void) {
  start(&circles, circle, 1);
  start(&broken, fail, 1);
  join(&circles);
}

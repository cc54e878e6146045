// More threads than are allowed at a time: the next one is refused, and possible again when one has ended.
#include "threads.h"

enum { kThreads = 4 };

static struct thread threads[kThreads];
static atomic_int go;

static void wait_to_go(int number) {
  while (!go) wait_while(&go, number);
}

void _start(void) {
  int started = 0;
  int32_t answer = 0;
  while (started < kThreads && (answer = start(&threads[started], wait_to_go, 0)) > 0) ++started;
  print("started ", started);
  print("then ", answer);
  go = 1;
  wake(&go, ~0U);
  for (int i = 0; i < started; ++i) join(&threads[i]);
  // The thread's end comes a little after its last instruction.
  while ((answer = start(&threads[0], wait_to_go, 0)) == -6) {
  }
  join(&threads[0]);
  print("again ", answer > 0);
}

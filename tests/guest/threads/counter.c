// Threads that count under one lock, each with a thread-local count of its own.
#include "threads.h"

enum { kThreads = 8, kTimes = 5000 };

static struct mutex mutex;
static int total;
static atomic_int atomic_total;
static int locals[kThreads];
static _Thread_local int own = 100;
static struct thread threads[kThreads];

static void count(int number) {
  for (int i = 0; i < kTimes; ++i) {
    lock(&mutex);
    ++total;
    unlock(&mutex);
    ++atomic_total;
    ++own;
  }
  locals[number] = own;
}

void _start(void) {
  for (int i = 0; i < kThreads; ++i) {
    if (start(&threads[i], count, i) <= 0) proc_exit(1);
  }
  for (int i = 0; i < kThreads; ++i) join(&threads[i]);
  print("total ", total);
  print("atomic total ", atomic_total);
  for (int i = 0; i < kThreads; ++i) print("own count ", locals[i]);
  print("of the first thread ", own);
}

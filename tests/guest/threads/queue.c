// Producers and consumers around a short queue.
#include "threads.h"

enum { kProducers = 3, kConsumers = 3, kItems = 2000, kRoom = 4 };

static struct mutex mutex;
static struct condition changed;
static int queue[kRoom];
static int used;
static int consumed;
static int64_t sum;
static struct thread threads[kProducers + kConsumers];

static void produce(int number) {
  for (int i = 0; i < kItems; ++i) {
    lock(&mutex);
    while (used == kRoom) wait_for(&changed, &mutex);
    queue[used++] = number * kItems + i;
    signal_all(&changed);
    unlock(&mutex);
  }
}

static void consume(int number) {
  (void)number;
  for (;;) {
    lock(&mutex);
    while (used == 0 && consumed < kProducers * kItems) wait_for(&changed, &mutex);
    if (used == 0) {
      unlock(&mutex);
      return;
    }
    sum += queue[--used];
    ++consumed;
    signal_all(&changed);
    unlock(&mutex);
  }
}

void _start(void) {
  for (int i = 0; i < kProducers + kConsumers; ++i) {
    if (start(&threads[i], i < kProducers ? produce : consume, i) <= 0) proc_exit(1);
  }
  for (int i = 0; i < kProducers + kConsumers; ++i) join(&threads[i]);
  print("consumed ", consumed);
  print("sum ", (int)sum);
}

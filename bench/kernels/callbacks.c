// Indirect calls that always go to the same place: a chain of filters over a buffer, as a pipeline is written in C.
#include "bench.h"

typedef uint32_t (*Filter)(void* state, uint32_t value);
typedef struct {
  Filter filter;
  void* state;
} Stage;

static uint32_t add(void* state, uint32_t value) { return value + *(uint32_t*)state; }
static uint32_t delta(void* state, uint32_t value) {
  uint32_t* last = state;
  const uint32_t difference = value - *last;
  *last = value;
  return difference;
}
static uint32_t rotate(void* state, uint32_t value) {
  const uint32_t by = *(uint32_t*)state & 31;
  return value << by | value >> (-by & 31);
}
static uint32_t clamp(void* state, uint32_t value) {
  const uint32_t limit = *(uint32_t*)state;
  return value > limit ? limit : value;
}

static uint64_t run(uint32_t size) {
  uint32_t states[6] = {12345, 0, 7, 0xf0000000, 99, 0};
  const Stage stages[6] = {{add, &states[0]},   {delta, &states[1]}, {rotate, &states[2]},
                           {clamp, &states[3]}, {add, &states[4]},   {delta, &states[5]}};
  Random random = {13};
  uint64_t sum = 0;
  for (uint64_t i = (uint64_t)size * 1000; i > 0; i--) {
    uint32_t value = (uint32_t)random_next(&random);
    // The compiler must not know what is in the table.
    for (const Stage* volatile at = stages; at != stages + 6; at++) value = at->filter(at->state, value);
    sum += value;
  }
  return sum;
}

KERNEL(580, NULL)

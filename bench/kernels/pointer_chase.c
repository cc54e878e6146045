// Memory latency: walks of a linked list whose 512 Ki nodes (8 MiB) lie in random order.
#include "bench.h"

typedef struct Node {
  struct Node* next;
  uint32_t value;
  uint32_t unused;
} Node;

enum { kCount = 512 * 1024 };

static Node* nodes;

static void set_up(void) {
  nodes = allocate(kCount * sizeof *nodes);
  uint32_t* order = allocate(kCount * sizeof *order);
  Random random = {1};
  for (uint32_t i = 0; i < kCount; i++) order[i] = i;
  for (uint32_t i = kCount - 1; i > 0; i--) {
    const uint32_t other = random_below(&random, i + 1);
    const uint32_t kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  for (uint32_t i = 0; i < kCount; i++) {
    nodes[order[i]].next = &nodes[order[(i + 1) % kCount]];
    nodes[order[i]].value = i;
  }
  free(order);
}

static uint64_t run(uint32_t size) {
  uint64_t sum = 0;
  const Node* node = nodes;
  for (uint64_t steps = (uint64_t)size * 1000; steps > 0; steps--) {
    sum += node->value;
    node = node->next;
  }
  return add_checksum(sum, node->value);
}

KERNEL(300, set_up)

// A graph and a heap: shortest paths from one node to 20000 others over 100000 edges.
#include "bench.h"

enum { kNodes = 20000, kEdges = 100000 };

typedef struct {
  uint32_t to, length;
} Edge;
typedef struct {
  uint64_t distance;
  uint32_t node;
} Entry;

static uint32_t first_edge[kNodes + 1], from[kEdges];
static Edge unsorted[kEdges], edges[kEdges];
static uint64_t distances[kNodes];
static Entry heap[kEdges + 1];
static uint32_t heap_size;

static void push(Entry entry) {
  uint32_t at = heap_size++;
  for (; at > 0 && heap[(at - 1) / 2].distance > entry.distance; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
  heap[at] = entry;
}

static Entry pop(void) {
  const Entry top = heap[0];
  const Entry last = heap[--heap_size];
  uint32_t at = 0;
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= heap_size) break;
    if (child + 1 < heap_size && heap[child + 1].distance < heap[child].distance) child++;
    if (heap[child].distance >= last.distance) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
  return top;
}

static void make_graph(void) {
  Random random = {20};
  for (uint32_t i = 0; i < kEdges; i++) {
    from[i] = random_below(&random, kNodes);
    unsorted[i] = (Edge){random_below(&random, kNodes), 1 + random_below(&random, 1000)};
    first_edge[from[i] + 1]++;
  }
  for (uint32_t i = 0; i < kNodes; i++) first_edge[i + 1] += first_edge[i];
  static uint32_t next[kNodes];
  memcpy(next, first_edge, sizeof next);
  for (uint32_t i = 0; i < kEdges; i++) edges[next[from[i]]++] = unsorted[i];
}

static uint64_t run(uint32_t size) {
  Random random = {38};
  uint64_t sum = 0;
  for (uint32_t round = 0; round < size; round++) {
    for (uint32_t i = 0; i < kNodes; i++) distances[i] = UINT64_MAX;
    const uint32_t start = random_below(&random, kNodes);
    distances[start] = 0;
    heap_size = 0;
    push((Entry){0, start});
    while (heap_size > 0) {
      const Entry entry = pop();
      if (entry.distance > distances[entry.node]) continue;
      for (uint32_t i = first_edge[entry.node]; i < first_edge[entry.node + 1]; i++) {
        const uint64_t distance = entry.distance + edges[i].length;
        if (distance < distances[edges[i].to]) {
          distances[edges[i].to] = distance;
          push((Entry){distance, edges[i].to});
        }
      }
    }
    for (uint32_t i = 0; i < kNodes; i += 13) sum = add_checksum(sum, distances[i]);
  }
  return sum;
}

KERNEL(2, make_graph)

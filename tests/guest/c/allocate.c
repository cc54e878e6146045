// The allocator under load: sizes of all kinds, realloc, growth to some tens of megabytes, alignment.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 12345;
static uint32_t random_number(void) { return seed = seed * 1664525 + 1013904223; }

struct node {
  struct node* next;
  uint32_t value;
};

int main(void) {
  enum { kSlots = 500 };
  unsigned char* slots[kSlots] = {0};
  size_t sizes[kSlots] = {0};
  int broken = 0;
  for (int i = 0; i < 60000; i++) {
    uint32_t r = random_number() >> 8;
    size_t s = r % kSlots;
    for (size_t k = 0; k < sizes[s]; k += 61) broken += slots[s][k] != (unsigned char)(s + k);
    size_t size = 1 + (r >> 9) % (r % 50 == 0 ? 20000 : 300);
    if (r % 3 == 0) {
      free(slots[s]);
      slots[s] = malloc(size);
    } else {
      slots[s] = realloc(slots[s], size);
    }
    if (slots[s] == NULL) return 1;
    sizes[s] = size;
    for (size_t k = 0; k < size; k++) slots[s][k] = (unsigned char)(s + k);
    broken += (uintptr_t)slots[s] % 8 != 0;
  }
  for (int i = 0; i < kSlots; i++) free(slots[i]);
  printf("broken %d\n", broken);

  size_t total = 0;
  char* blocks[40];
  for (int i = 0; i < 40; i++) {
    blocks[i] = calloc(1, 1 << 20);
    for (size_t k = 0; k < 1 << 20; k += 4096) total += (size_t)blocks[i][k];
    memset(blocks[i], i, 1 << 20);
  }
  for (int i = 0; i < 40; i++) total += (size_t)blocks[i][12345 * i % (1 << 20)];
  for (int i = 0; i < 40; i++) free(blocks[i]);
  printf("blocks %zu\n", total);

  struct node* head = NULL;
  for (uint32_t i = 0; i < 200000; i++) {
    struct node* n = malloc(sizeof *n);
    *n = (struct node){head, i ^ (i >> 3)};
    head = n;
  }
  uint32_t hash = 0;
  while (head != NULL) {
    struct node* n = head;
    hash = hash * 31 + n->value;
    head = n->next;
    free(n);
  }
  printf("list %08x\n", hash);
  void* aligned = aligned_alloc(256, 1024);
  printf("aligned %d, zero %d\n", (int)((uintptr_t)aligned % 256), malloc(0) == NULL || 1);
  return 0;
}

// Open addressing with linear probing: insert, find and remove 64-bit keys in a table that is two thirds full.
#include "bench.h"

enum { kSlots = 1 << 16, kKeys = 40000 };

typedef struct {
  uint64_t key;  // 0: free
  uint64_t value;
} Slot;

static Slot slots[kSlots];

static uint32_t place_of(uint64_t key) { return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 48); }

static Slot* find(uint64_t key) {
  uint32_t at = place_of(key);
  while (slots[at].key != 0 && slots[at].key != key) at = (at + 1) % kSlots;
  return &slots[at];
}

// Later ones of the run move up, so that no marks stay behind.
static void remove_slot(Slot* slot) {
  uint32_t hole = (uint32_t)(slot - slots);
  for (uint32_t at = (hole + 1) % kSlots; slots[at].key != 0; at = (at + 1) % kSlots) {
    const uint32_t home = place_of(slots[at].key);
    if (((at - home) & (kSlots - 1)) >= ((at - hole) & (kSlots - 1))) {
      slots[hole] = slots[at];
      hole = at;
    }
  }
  slots[hole].key = 0;
}

static uint64_t run(uint32_t size) {
  memset(slots, 0, sizeof slots);
  Random random = {16};
  uint64_t sum = 0;
  uint32_t used = 0;
  for (uint64_t i = (uint64_t)size * 1000; i > 0; i--) {
    const uint64_t key = 1 + random_below(&random, kKeys * 5 / 4);
    Slot* slot = find(key);
    if (slot->key == 0 && used < kKeys) {
      slot->key = key;
      slot->value = i;
      used++;
    } else if (slot->key != 0 && (i & 3) == 0) {
      remove_slot(slot);
      used--;
    } else if (slot->key != 0) {
      sum += slot->value++;
    }
  }
  return add_checksum(sum, used);
}

KERNEL(570, NULL)

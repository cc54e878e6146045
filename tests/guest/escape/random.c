// random_get over all of the memory, which takes this program's stack and data with it: what is left to it afterwards
// are the locals of this function.
#include "escape.h"

int main(void) {
  if (__builtin_wasm_memory_grow(0, 1024) == (size_t)-1) return 2;
  const uint32_t size = (uint32_t)(__builtin_wasm_memory_size(0) * 65536);
  const uint32_t too_much = sys_random_get((Place)1, size);
  const uint32_t all = sys_random_get((Place)0, size);
  __wasi_proc_exit(too_much == FAULT && all == OK ? 42 : 43);
}

#include "os/populate.h"

#include <sys/mman.h>

#include <cstdint>

#include "os/virtual_memory.h"

namespace wasi::os {

void populate(void* data, std::size_t size) {
#if defined(MADV_POPULATE_WRITE)
  const auto begin = round_up_to_pages(reinterpret_cast<std::uintptr_t>(data));
  const auto end = (reinterpret_cast<std::uintptr_t>(data) + size) / page_size() * page_size();
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE);
#else
  static_cast<void>(data), static_cast<void>(size);
#endif
}

}  // namespace wasi::os

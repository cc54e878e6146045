// Memory that is about to be used, all at once: a fault for each page costs several times what the page does, and two
// where it is read before it is written to.
#pragma once

#include <cstddef>

namespace wasi::os {

// Of more bytes, some are better left untouched than all of them made present.
inline constexpr std::size_t kMostPopulated = 1U << 20;

// Makes the whole pages within writable memory present, with what they hold; where that cannot be had nothing changes
// (Linux before 5.14, no memory).
void populate(void* data, std::size_t size);

}  // namespace wasi::os

// What code may rely on in memories of 32-bit addresses that have guard pages.
#pragma once

#include <cstdint>

namespace wasi::runtime {

// Bytes at the end of the 4 GiB that an address reaches, which no such memory has: growing that far fails, as growing
// may, and a memory that begins so large has no guard pages. What is added to an address in the memory does not wrap
// around as long as it is less than this.
inline constexpr std::uint64_t kNeverInMemory = 64U << 10;

}  // namespace wasi::runtime

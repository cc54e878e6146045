// Random bytes of the host's kernel.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

namespace wasi::os {

// Fills a part of `bytes`, at least one where there are any: how many, or -1 and errno (EINTR where a signal came
// before the first). By getrandom(), or where that call is refused by reading /dev/urandom. Thread-safe.
ssize_t random_bytes(std::span<std::uint8_t> bytes);

}  // namespace wasi::os

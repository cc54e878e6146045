// Random bytes of the host's kernel.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

namespace wasi::os {

// Fills a part of `bytes`, at least one where there are any: how many, or -1 and errno (EINTR where a signal came
// before the first). By getrandom(), or where that call is refused by reading /dev/urandom. Thread-safe.
//
// A thread that asks often for few bytes gets them of some thousand that it had of the kernel at once: each only one
// time, none that its parent had before a fork, and what was given is wiped.
ssize_t random_bytes(std::span<std::uint8_t> bytes);

}  // namespace wasi::os

// Files that appear whole or not at all.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <span>

namespace wasi::c {

// Writes a file beside its place and gives it its name when all of it is there. Errors: `io`, and nothing is left
// behind.
Result<void> replace_file(const char* path, std::span<const std::uint8_t> bytes);

}  // namespace wasi::c

// Reading and writing that may have to wait.
//
// Files themselves never wait (file.h). A guest's wish to wait is carried out here rather than in the kernel, so that a
// deadline or an interruption is seen.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>

#include "wasi/call.h"
#include "wasi/params.h"

namespace wasi::preview1 {

// The bytes that were moved; `offset` for files only. A write that may wait moves all of them.
Count read_into(Call& call, Descriptor& from, Iovs& iovs, std::optional<std::uint64_t> offset = std::nullopt);
Count write_from(Call& call, Descriptor& to, Iovs& iovs, std::optional<std::uint64_t> offset = std::nullopt);

// The same from a socket: without taking it (`peeks`), and until all buffers are full (`all`), an error or the end.
std::expected<Received, Errno> receive_into(Call& call, Descriptor& from, Iovs& iovs, bool peeks, bool all);

}  // namespace wasi::preview1

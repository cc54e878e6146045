#include "base/guard.h"

#include "base/result.h"

namespace wasi {

// Short enough to need no memory.
Error out_of_memory() { return {.kind = ErrorKind::limit, .message = "out of memory"}; }

Error refused_by_host(const std::system_error& error) {
  try {
    return fail(ErrorKind::io, "the host refused: {}", error.code().message()).error();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

}  // namespace wasi

// See null_stream.h.
#include "wasi/null_stream.h"

namespace wasi::preview1 {

std::expected<FileStat, Errno> NullStream::stat() const {
  FileStat result;
  result.type = type();
  return result;
}

Count NullStream::write(Buffers buffers) {
  std::size_t total = 0;
  for (const iovec& buffer : buffers) total += buffer.iov_len;
  return total;
}

}  // namespace wasi::preview1

// Names of errors, and the way from the host's to preview1's.
#include "wasi/abi.h"

#include <cerrno>

namespace wasi::preview1 {

std::string_view name_of(Errno error) {
  static constexpr std::string_view kNames[] = {
#define WASI_ERRNO(name, host, text) text,
#include "wasi/errno.def"
#undef WASI_ERRNO
  };
  const auto index = static_cast<std::size_t>(error);
  return index < std::size(kNames) ? kNames[index] : "?";
}

Errno errno_from_host(int host) {
  if (host == 0) return Errno::success;
#define WASI_ERRNO(name, number, text) \
  if (number != 0 && host == number) return Errno::name;
#include "wasi/errno.def"
#undef WASI_ERRNO
  return Errno::io;
}

int host_errno(Errno error) {
  static constexpr int kHost[] = {
#define WASI_ERRNO(name, host, text) host,
#include "wasi/errno.def"
#undef WASI_ERRNO
  };
  const auto index = static_cast<std::size_t>(error);
  return index < std::size(kHost) ? kHost[index] : 0;
}

}  // namespace wasi::preview1

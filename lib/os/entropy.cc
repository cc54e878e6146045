// See entropy.h.
#include "os/entropy.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>

#include "os/refusal.h"
#include "os/retry.h"
#include "os/unique_fd.h"

namespace wasi::os {

ssize_t random_bytes(std::span<std::uint8_t> bytes) {
  const ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
  if (count >= 0 || !may_refuse_call(errno)) return count;
  const int refusal = errno;
  const UniqueFd device(retry([] { return ::open("/dev/urandom", O_RDONLY | O_CLOEXEC); }));
  if (device) return ::read(device.get(), bytes.data(), bytes.size());
  errno = refusal;
  return -1;
}

}  // namespace wasi::os

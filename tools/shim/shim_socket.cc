#include "tools/shim/shim_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "base/checksum.h"
#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

using wasi::os::UniqueFd;

constexpr const char* kDirectory = "/run/containerd/s";
constexpr int kBacklog = 128;

wasi::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return wasi::fail(wasi::ErrorKind::argument, "{}: too long for the address of a socket", wasi::printable(path));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

std::string shim_socket_path(std::string_view containerd_address, std::string_view containerd_namespace,
                             std::string_view group) {
  const auto bytes = [](std::string_view text) {
    return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  // Only root gives these names, so that nobody needs to be kept from finding two of one checksum.
  const auto sum = wasi::base::wide_checksum(
      {bytes(containerd_address), bytes("/"), bytes(containerd_namespace), bytes("/"), bytes(group)});
  return fmt::format("{}/wasirun-{:016x}{:016x}", kDirectory, sum[0], sum[1]);
}

bool is_alive(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return false;
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // One whose queue is full is alive all the same.
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) == 0 || errno == EAGAIN;
}

wasi::Result<UniqueFd> listen_at(const std::string& path) {
  const sockaddr_un address = WASI_TRY(address_of(path));
  const std::string directory = path.substr(0, path.rfind('/'));
  const std::string above = directory.substr(0, directory.rfind('/'));
  if (::mkdir(above.c_str(), 0711) != 0 && errno != EEXIST) return host_failure("mkdir", above);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return host_failure("mkdir", directory);
  // Between binding and listening a socket looks like one that was left behind: one shim at a time.
  const UniqueFd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) return host_failure("lock", directory);
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener) return host_failure("socket");
  const auto bind = [&] {
    const mode_t before = ::umask(0177);
    const int failed = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::umask(before);
    return failed == 0;
  };
  if (!bind()) {
    if (errno != EADDRINUSE) return host_failure("bind", path);
    if (is_alive(path)) return UniqueFd();
    ::unlink(path.c_str());
    if (!bind()) return host_failure("bind", path);
  }
  if (::listen(listener.get(), kBacklog) != 0) return host_failure("listen", path);
  return listener;
}

}  // namespace wasirun::shim

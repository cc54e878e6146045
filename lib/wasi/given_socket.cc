// See given_socket.h.
#include "wasi/given_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/result.h"

namespace wasi::preview1 {
namespace {

constexpr std::string_view kTcp = "tcp:";
constexpr std::string_view kUnix = "unix:";

std::string message_of(int error) { return std::system_category().message(error); }

// HOST and PORT of "127.0.0.1:80", "localhost:80", "[::1]:80".
struct HostAndPort {
  std::string host;
  std::string port;
};
Result<HostAndPort> host_and_port(std::string_view address) {
  const std::string_view text = address.substr(kTcp.size());
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  const bool is_bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (colon == std::string_view::npos || host.empty() ||
      (!is_bracketed && host.find_first_of(":[]") != std::string_view::npos)) {
    return fail(ErrorKind::argument,
                "\"{}\" is not tcp:HOST:PORT, like tcp:127.0.0.1:8080 or tcp:[::1]:8080 (0.0.0.0 or [::] for every "
                "address of this machine)",
                address);
  }
  const std::string_view port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return fail(ErrorKind::argument, "\"{}\": \"{}\" is not a port, a number up to 65535 (0: any that is free)",
                address, port);
  }
  return HostAndPort{std::string(host), std::string(port)};
}

Result<os::UniqueFd> open_and_listen(int family, const sockaddr* to, socklen_t size, std::string_view address) {
  os::UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // A server that is started again gets its port although connections of its predecessor are still ending.
  const int yes = 1;
  if (fd && family != AF_UNIX) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (!fd || ::bind(fd.get(), to, size) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
    return fail(ErrorKind::io, "cannot listen at {}: {}", address, message_of(errno));
  }
  return fd;
}

Result<os::UniqueFd> listen_tcp(std::string_view address) {
  const auto [host, port] = WASI_TRY(host_and_port(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return fail(ErrorKind::io, "cannot listen at {}: {}", address,
                error == EAI_SYSTEM ? message_of(errno) : ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
  // A name may have addresses that this machine cannot use, as "localhost" has ::1: the first that works.
  auto opened = open_and_listen(found->ai_family, found->ai_addr, found->ai_addrlen, address);
  for (const addrinfo* next = found->ai_next; next != nullptr && !opened; next = next->ai_next) {
    opened = open_and_listen(next->ai_family, next->ai_addr, next->ai_addrlen, address);
  }
  return opened;
}

// Removes the socket of somebody who does not listen any more, as servers that were killed leave them.
Result<void> make_room(const sockaddr_un& to, std::string_view address) {
  struct stat status{};
  if (::lstat(to.sun_path, &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(ErrorKind::io, "cannot listen at {}: there is something that is no socket", address);
  }
  const os::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 ||
      errno != ECONNREFUSED) {
    return fail(ErrorKind::io, "cannot listen at {}: another process listens there", address);
  }
  ::unlink(to.sun_path);
  return {};
}

Result<os::UniqueFd> listen_unix(std::string_view address) {
  const std::string_view path = address.substr(kUnix.size());
  sockaddr_un to{};
  if (path.empty() || path.contains('\0')) {
    return fail(ErrorKind::argument, "\"{}\" is not unix:PATH, like unix:/run/app.sock", address);
  }
  if (path.size() >= sizeof(to.sun_path)) {
    return fail(ErrorKind::argument, "\"{}\": the path of a unix socket has at most {} bytes, this one has {}", address,
                sizeof(to.sun_path) - 1, path.size());
  }
  to.sun_family = AF_UNIX;
  std::ranges::copy(path, to.sun_path);
  if (auto room = make_room(to, address); !room) return std::unexpected(std::move(room).error());
  return open_and_listen(AF_UNIX, reinterpret_cast<const sockaddr*>(&to), sizeof(to), address);
}

std::string describe(const sockaddr_storage& address, socklen_t size) {
  if (address.ss_family == AF_UNIX) {
    if (size <= offsetof(sockaddr_un, sun_path)) return "";
    const auto& local = reinterpret_cast<const sockaddr_un&>(address);
    const std::size_t length = size - offsetof(sockaddr_un, sun_path);
    const std::string_view path(local.sun_path, ::strnlen(local.sun_path, length));
    return path.empty() ? "" : std::string(kUnix) + std::string(path);
  }
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  return address.ss_family == AF_INET6 ? fmt::format("{}[{}]:{}", kTcp, host, port)
                                       : fmt::format("{}{}:{}", kTcp, host, port);
}

}  // namespace

Result<std::shared_ptr<GivenSocket>> GivenSocket::listen(std::string_view address) {
  if (address.starts_with(kTcp)) {
    os::UniqueFd fd = WASI_TRY(listen_tcp(address));
    return std::shared_ptr<GivenSocket>(new GivenSocket(std::move(fd)));
  }
  if (!address.starts_with(kUnix)) {
    return fail(ErrorKind::argument, "\"{}\" is no address to listen at; write tcp:HOST:PORT or unix:PATH", address);
  }
  os::UniqueFd fd = WASI_TRY(listen_unix(address));
  std::shared_ptr<GivenSocket> made(new GivenSocket(std::move(fd)));
  // Absolute, as the process may change its directory.
  std::error_code error;
  struct stat status{};
  const std::string path(address.substr(kUnix.size()));
  if (::lstat(path.c_str(), &status) == 0) {
    made->file_ = std::filesystem::absolute(path, error).string();
    made->device_ = status.st_dev;
    made->inode_ = status.st_ino;
  }
  return made;
}

Result<std::shared_ptr<GivenSocket>> GivenSocket::adopt(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) {
    return fail(ErrorKind::argument, "descriptor {} cannot be given to a program: {}", descriptor, message_of(errno));
  }
  if (!S_ISSOCK(status.st_mode)) {
    return fail(ErrorKind::argument, "descriptor {} cannot be given to a program as a socket: it is none", descriptor);
  }
  // Programs that this process starts are not meant to have it.
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return std::shared_ptr<GivenSocket>(new GivenSocket(os::UniqueFd(descriptor)));
}

GivenSocket::~GivenSocket() {
  struct stat status{};
  if (file_.empty() || ::lstat(file_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(file_.c_str());
}

std::string GivenSocket::address() const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  int type = 0;
  socklen_t type_size = sizeof(type);
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_STREAM) return "";
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  return describe(address, size);
}

}  // namespace wasi::preview1

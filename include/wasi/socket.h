// Sockets of the host that a WASI program is given: preview1 has no way to make any.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>
#include <wasi/error.h>

#include <string>
#include <string_view>
#include <utility>

namespace wasi {

namespace detail {
struct Internals;
}
namespace preview1 {
class GivenSocket;
}

// A handle: copies stand for the same socket, which is closed with the last of them, WasiConfigs and programs included.
// Thread-safe. Programs of several stores may have the same one; a connection then goes to one of them.
class Socket {
 public:
  Socket(const Socket&) = default;  // no moves: a moved-from handle stays valid
  Socket& operator=(const Socket&) = default;

  // A new one that listens at "tcp:HOST:PORT" ("tcp:127.0.0.1:8080", "tcp:[::1]:8080"; port 0: any that is free) or at
  // "unix:PATH", a file that is removed with the socket.
  WASI_API static Result<Socket> listen(std::string_view address);
  // One that is there: a listener, a connection, a socket for datagrams. The descriptor is taken over. The open file
  // of a listener becomes non-blocking when a program gets it, for all who share it.
  WASI_API static Result<Socket> from_descriptor(int descriptor);

  // Its own address, as listen() takes it, with the port that was chosen; empty for other kinds of addresses.
  [[nodiscard]] WASI_API std::string address() const;
  // The open one of this process, which stays the socket's: for an embedder that uses it itself.
  [[nodiscard]] WASI_API int descriptor() const;

 private:
  friend struct detail::Internals;
  explicit Socket(std::shared_ptr<preview1::GivenSocket> socket) : socket_(std::move(socket)) {}
  std::shared_ptr<preview1::GivenSocket> socket_;
};

}  // namespace wasi

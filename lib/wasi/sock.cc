// The sock_ functions: connections that come in, and what a connection can do that a file cannot.
#include <poll.h>

#include <utility>

#include "wasi/file.h"
#include "wasi/table.h"
#include "wasi/transfer.h"
#include "wasi/waiting.h"

namespace wasi::preview1::impl {

Errno sock_accept(Call& call, SocketFd<right::sock_accept>& fd, Flags<FdFlags>& flags, Out<OutU32>& accepted) {
  if ((flags.value & ~std::uint32_t{fdflag::nonblock}) != 0) return Errno::inval;
  Descriptor& listener = *fd.fd;
  if (call.state.fds.is_full()) return Errno::mfile;
  auto connection = when_ready(call, listener, POLLIN, [&] { return listener.file->as_socket()->accept(); });
  if (!connection) return connection.error();
  Descriptor descriptor;
  descriptor.flags = static_cast<std::uint16_t>(flags.value);
  descriptor.base = listener.inheriting & (*connection)->rights();
  descriptor.inheriting = listener.inheriting & (*connection)->rights();
  descriptor.file = std::move(*connection);
  if (call.state.trace && !listener.name.empty()) descriptor.name = "connection to " + listener.name;
  const auto number = call.state.fds.insert(std::move(descriptor));
  if (!number) return Errno::mfile;
  accepted.set(*number);
  return Errno::success;
}

Errno sock_recv(Call& call, SocketFd<right::fd_read>& fd, ReadIovs& iovs, Flags<RiFlags>& flags, Out<OutU32>& nread,
                Out<OutU16>& roflags) {
  const auto received = receive_into(call, *fd.fd, iovs, flags.has(riflag::recv_peek), flags.has(riflag::recv_waitall));
  if (!received) return received.error();
  nread.set(static_cast<std::uint32_t>(received->size));
  roflags.set(received->is_truncated ? roflag::recv_data_truncated : 0);
  return Errno::success;
}

Errno sock_send(Call& call, SocketFd<right::fd_write>& fd, WriteIovs& iovs, Flags<SiFlags>&, Out<OutU32>& nwritten) {
  const auto moved = write_from(call, *fd.fd, iovs);
  if (!moved) return moved.error();
  nwritten.set(static_cast<std::uint32_t>(*moved));
  return Errno::success;
}

Errno sock_shutdown(Call&, SocketFd<right::sock_shutdown>& fd, Flags<SdFlags>& how) {
  if (how.value == 0) return Errno::inval;
  return fd.fd->file->as_socket()->shutdown(how.has(sdflag::rd), how.has(sdflag::wr));
}

}  // namespace wasi::preview1::impl

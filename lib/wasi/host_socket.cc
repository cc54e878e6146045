// See host_socket.h.
#include "wasi/host_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <utility>

#include "wasi/host_stat.h"

namespace wasi::preview1 {
namespace {

bool is_listener(int fd) {
  int accepts = 0;
  socklen_t size = sizeof(accepts);
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 && accepts != 0;
}

msghdr message_of(Buffers buffers) {
  msghdr message{};
  message.msg_iov = buffers.data();
  message.msg_iovlen = buffers.size();
  return message;
}

}  // namespace

HostSocket::HostSocket(HostHandle handle)
    : Socket(socket_type(handle.get())), handle_(std::move(handle)), listens_(is_listener(handle_.get())) {
  if (!listens_ || !handle_.is_owned()) return;
  const int flags = ::fcntl(handle_.get(), F_GETFL);
  if (flags >= 0) ::fcntl(handle_.get(), F_SETFL, flags | O_NONBLOCK);
}

std::uint64_t HostSocket::readable() const { return bytes_to_read(handle_.get()); }

std::expected<FileStat, Errno> HostSocket::stat() const {
  auto result = file_stat(handle_.get());
  if (result) result->type = type();
  return result;
}

std::expected<std::shared_ptr<File>, Errno> HostSocket::accept() {
  if (listens_ && !handle_.is_owned()) {
    if (const Errno error = check_ready(handle_.get(), POLLIN); error != Errno::success) return std::unexpected(error);
  }
  os::UniqueFd connection(::accept4(handle_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection) return std::unexpected(last_error());
  return std::make_shared<HostSocket>(HostHandle::owned(std::move(connection)));
}

Count HostSocket::read(Buffers buffers) {
  const auto received = receive(buffers, false);
  if (!received) return std::unexpected(received.error());
  return received->size;
}

// Without room for control messages: descriptors that the peer sends along are closed by the kernel.
std::expected<Received, Errno> HostSocket::receive(Buffers buffers, bool peeks) {
  msghdr message = message_of(buffers);
  const ssize_t size = ::recvmsg(handle_.get(), &message, MSG_DONTWAIT | (peeks ? MSG_PEEK : 0));
  if (size < 0) return std::unexpected(last_error());
  return Received{.size = static_cast<std::size_t>(size), .is_truncated = (message.msg_flags & MSG_TRUNC) != 0};
}

Count HostSocket::send(Buffers buffers) {
  const msghdr message = message_of(buffers);
  const ssize_t size = ::sendmsg(handle_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0) return std::unexpected(last_error());
  return static_cast<std::size_t>(size);
}

Errno HostSocket::shutdown(bool reading, bool writing) {
  // Linux would end the listening, for everybody who has the socket.
  if (listens_) return Errno::notconn;
  return checked(::shutdown(handle_.get(), reading ? (writing ? SHUT_RDWR : SHUT_RD) : SHUT_WR));
}

}  // namespace wasi::preview1

// Sockets of the host, behind the interface of file.h.
#pragma once

#include <memory>

#include "wasi/file.h"
#include "wasi/host_file.h"

namespace wasi::preview1 {

// A connection, a listener, a socket for datagrams. Never waits, also where the host's open file is in blocking mode,
// which stays as it is; only an owned listener is made O_NONBLOCK, since accept() cannot be asked not to wait.
class HostSocket final : public Socket {
 public:
  explicit HostSocket(HostHandle handle);

  [[nodiscard]] int poll_handle() const override { return handle_.get(); }
  [[nodiscard]] std::uint64_t readable() const override;
  [[nodiscard]] std::expected<FileStat, Errno> stat() const override;
  Count read(Buffers buffers) override;
  Count write(Buffers buffers) override { return send(buffers); }
  std::expected<std::shared_ptr<File>, Errno> accept() override;
  std::expected<Received, Errno> receive(Buffers buffers, bool peeks) override;
  Count send(Buffers buffers) override;
  Errno shutdown(bool reading, bool writing) override;

 private:
  HostHandle handle_;
  bool listens_;
};

}  // namespace wasi::preview1

// Sockets that programs are given: listeners that we open, or what somebody else has opened.
#pragma once

#include <sys/types.h>
#include <wasi/error.h>

#include <memory>
#include <string>
#include <string_view>

#include "os/unique_fd.h"

namespace wasi::preview1 {

// A socket of the host's. Programs get duplicates of it, so several may have it at once.
class GivenSocket {
 public:
  // "tcp:HOST:PORT", with an IPv6 address in brackets, or "unix:PATH". The file of a unix socket is removed with this
  // object; one that is there already is replaced when nobody listens there any more.
  static Result<std::shared_ptr<GivenSocket>> listen(std::string_view address);
  // Takes over any socket.
  static Result<std::shared_ptr<GivenSocket>> adopt(int descriptor);
  ~GivenSocket();
  GivenSocket(const GivenSocket&) = delete;
  GivenSocket& operator=(const GivenSocket&) = delete;

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  // Its own address, in the form that listen() takes, with the port that the kernel chose; empty where that has no
  // word for it.
  [[nodiscard]] std::string address() const;

 private:
  explicit GivenSocket(os::UniqueFd fd) : fd_(std::move(fd)) {}

  os::UniqueFd fd_;
  std::string file_;  // to remove, unless it has become another
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace wasi::preview1

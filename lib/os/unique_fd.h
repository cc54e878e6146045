// A file descriptor of the host that is closed with its owner.
#pragma once

#include <cerrno>
#include <utility>

#include "os/plain_calls.h"

namespace wasi::os {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  // Closes now; the errno value where what had been written could not be stored after all, else 0.
  [[nodiscard]] int close() { return fd_ < 0 || os::close(release()) == 0 || errno == EINTR ? 0 : errno; }
  void reset(int fd = -1) {
    // close() is not repeated after EINTR: on Linux the descriptor is gone by then.
    if (fd_ >= 0) os::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace wasi::os

// Files and streams of the host, behind the interface of file.h.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <expected>
#include <memory>

#include "os/unique_fd.h"
#include "wasi/file.h"

namespace wasi::preview1 {

// A descriptor of the host: ours to close, or the embedder's, which must stay open as long as we have it and whose
// open file is never changed (O_NONBLOCK and O_APPEND may be shared with other processes).
class HostHandle {
 public:
  static HostHandle owned(os::UniqueFd fd) { return HostHandle(std::move(fd)); }
  static HostHandle borrowed(int fd) { return HostHandle(fd); }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_owned() const { return static_cast<bool>(owned_); }
  // The error of closing it, if it is ours.
  [[nodiscard]] int close() { return owned_.close(); }

 private:
  explicit HostHandle(os::UniqueFd fd) : owned_(std::move(fd)), fd_(owned_.get()) {}
  explicit HostHandle(int fd) : fd_(fd) {}

  os::UniqueFd owned_;
  int fd_;
};

// Regular files and block devices; what is common to all that is no directory.
class HostFile : public File {
 public:
  HostFile(HostHandle handle, FileType type, Rights rights) : File(type, rights), handle_(std::move(handle)) {}
  // Of a kind that look() finds out.
  explicit HostFile(HostHandle handle) : handle_(std::move(handle)) {}

  [[nodiscard]] std::expected<FileStat, Errno> stat() const override;
  [[nodiscard]] std::uint64_t readable() const override;
  Count read(Buffers buffers) override;
  Count write(Buffers buffers) override;
  Count read_at(Buffers buffers, std::uint64_t offset) override;
  Count write_at(Buffers buffers, std::uint64_t offset) override;
  std::expected<std::uint64_t, Errno> seek(std::int64_t offset, Whence whence) override;
  Errno set_size(std::uint64_t size) override;
  Errno allocate(std::uint64_t offset, std::uint64_t length) override;
  Errno advise(std::uint64_t offset, std::uint64_t length, Advice advice) override;
  Errno sync(bool data_only) override;
  Errno set_times(const std::array<timespec, 2>& times) override;
  Errno set_append(bool appends) override;
  Errno close() override { return errno_from_host(handle_.close()); }

 protected:
  [[nodiscard]] int host() const { return handle_.get(); }
  [[nodiscard]] bool is_owned() const { return handle_.is_owned(); }

 private:
  HostHandle handle_;
};

// Pipes, terminals and other character devices. Never waits, although a borrowed one may be in blocking mode.
class HostStream final : public HostFile {
 public:
  HostStream(HostHandle handle, FileType type, Rights rights);

  [[nodiscard]] int poll_handle() const override { return host(); }
  [[nodiscard]] std::uint64_t readable() const override;
  Count read(Buffers buffers) override;
  Count write(Buffers buffers) override;

 private:
  template <class NoWait, class Usual>
  Count move(NoWait no_wait, Usual usual);

  const bool masks_sigpipe_;                  // a write to a closed pipe would kill the process
  std::atomic<bool> refuses_nowait_ = false;  // the host cannot read or write it with RWF_NOWAIT
};

// What can be done with files of a type that the host has, besides directories and sockets.
Rights host_rights(FileType type, int host);

// What a descriptor of the host stands for, if it is no directory. An owned one is non-blocking already. `status` is
// what fstat says of it.
std::shared_ptr<File> make_host_file(HostHandle handle, const struct stat& status);

}  // namespace wasi::preview1

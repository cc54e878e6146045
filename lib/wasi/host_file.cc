// See host_file.h.
#include "wasi/host_file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

#include "base/check.h"
#include "os/plain_calls.h"
#include "os/refusal.h"
#include "os/retry.h"
#include "wasi/host_socket.h"
#include "wasi/host_stat.h"
#include "wasi/write_quota.h"

namespace wasi::preview1 {
namespace {

// Since Linux 6.18; refused by older kernels, which is the sign to do it the long way.
constexpr int kNoSignal = 0x100;

// Keeps a write from raising SIGPIPE in this thread: blocked meanwhile, and taken back if it came.
class SigpipeBlock {
 public:
  explicit SigpipeBlock(bool needed) : is_active_(needed) {
    if (!is_active_) return;
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &old_);
  }
  ~SigpipeBlock() {
    if (!is_active_) return;
    const int error = errno;
    if (!was_pending_ && error == EPIPE) {
      const timespec now{};
      while (::sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
    errno = error;
  }
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  bool is_active_;
  bool was_pending_ = false;
  sigset_t sigpipe_;
  sigset_t old_;
};

bool sigpipe_kills() {
  struct sigaction action{};
  return ::sigaction(SIGPIPE, nullptr, &action) != 0 || action.sa_handler == SIG_DFL;
}

Count count(ssize_t moved) {
  if (moved < 0) return std::unexpected(last_error());
  return static_cast<std::size_t>(moved);
}

}  // namespace

std::expected<FileStat, Errno> HostFile::stat() const {
  auto result = file_stat(host());
  if (result) result->type = type();
  return result;
}

std::uint64_t HostFile::readable() const {
  struct stat status{};
  const off_t position = ::lseek(host(), 0, SEEK_CUR);
  if (position < 0 || ::fstat(host(), &status) != 0 || status.st_size <= position) return 0;
  return static_cast<std::uint64_t>(status.st_size - position);
}

Count HostFile::read(Buffers buffers) {
  // Nearly all reads and writes are of one buffer, for which the host's simple calls are cheaper.
  if (buffers.size() == 1) return count(os::read(host(), buffers[0].iov_base, buffers[0].iov_len));
  return count(::readv(host(), buffers.data(), static_cast<int>(buffers.size())));
}

Count HostFile::write(Buffers buffers) {
  if (buffers.size() == 1) return count(os::write(host(), buffers[0].iov_base, buffers[0].iov_len));
  return count(::writev(host(), buffers.data(), static_cast<int>(buffers.size())));
}

Count HostFile::read_at(Buffers buffers, std::uint64_t offset) {
  if (buffers.size() == 1) {
    return count(::pread(host(), buffers[0].iov_base, buffers[0].iov_len, static_cast<off_t>(offset)));
  }
  return count(::preadv(host(), buffers.data(), static_cast<int>(buffers.size()), static_cast<off_t>(offset)));
}

Count HostFile::write_at(Buffers buffers, std::uint64_t offset) {
  if (buffers.size() == 1) {
    return count(::pwrite(host(), buffers[0].iov_base, buffers[0].iov_len, static_cast<off_t>(offset)));
  }
  return count(::pwritev(host(), buffers.data(), static_cast<int>(buffers.size()), static_cast<off_t>(offset)));
}

std::expected<std::uint64_t, Errno> HostFile::seek(std::int64_t offset, Whence whence) {
  static constexpr int kWhence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  const off_t position = ::lseek(host(), offset, kWhence[static_cast<std::size_t>(whence)]);
  if (position < 0) return std::unexpected(last_error());
  return static_cast<std::uint64_t>(position);
}

Errno HostFile::set_size(std::uint64_t size) {
  return checked(os::retry([&] { return ::ftruncate(host(), static_cast<off_t>(size)); }));
}

Errno HostFile::allocate(std::uint64_t offset, std::uint64_t length) {
  // Not posix_fallocate: where the file system cannot, that writes to every block instead.
  const Errno error = checked(
      os::retry([&] { return ::fallocate(host(), 0, static_cast<off_t>(offset), static_cast<off_t>(length)); }));
  return error == Errno::nosys ? Errno::notsup : error;
}

Errno HostFile::advise(std::uint64_t offset, std::uint64_t length, Advice advice) {
  static constexpr int kAdvice[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                    POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  const int error = ::posix_fadvise(host(), static_cast<off_t>(offset), static_cast<off_t>(length),
                                    kAdvice[static_cast<std::size_t>(advice)]);
  // Advice that the host does not want is advice all the same. What is wrong with it was found out before.
  return os::may_refuse_call(error) ? Errno::success : errno_from_host(error);
}

Errno HostFile::sync(bool data_only) {
  return checked(data_only ? os::retry([&] { return ::fdatasync(host()); })
                           : os::retry([&] { return ::fsync(host()); }));
}

Errno HostFile::set_times(const std::array<timespec, 2>& times) {
  return checked(os::retry([&] { return ::futimens(host(), times.data()); }));
}

Errno HostFile::set_append(bool appends) {
  if (!is_owned()) return Errno::success;
  const int old = ::fcntl(host(), F_GETFL);
  if (old < 0) return last_error();
  return checked(::fcntl(host(), F_SETFL, (old & ~O_APPEND) | (appends ? O_APPEND : 0)));
}

HostStream::HostStream(HostHandle handle, FileType type, Rights rights)
    : HostFile(std::move(handle), type, rights), masks_sigpipe_(type == FileType::unknown && sigpipe_kills()) {}

std::uint64_t HostStream::readable() const { return bytes_to_read(host()); }

// In three steps: without waiting where the host can do that for this one call; else, where the host's descriptor may
// block in spite of everything, after poll() has been asked; else as usual.
template <class NoWait, class Usual>
Count HostStream::move(NoWait no_wait, Usual usual) {
  int refusal = 0;
  if (!refuses_nowait_.load(std::memory_order_relaxed)) {
    const ssize_t moved = no_wait();
    if (moved >= 0 || (errno != EOPNOTSUPP && !os::may_refuse_call(errno))) return count(moved);
    refusal = errno;
  }
  const Count moved = usual();
  // Remembered once it is certain that it was the call that was refused, and not what it was to do.
  const bool is_certain = refusal == EOPNOTSUPP || refusal == ENOSYS || (refusal != 0 && moved);
  if (is_certain) refuses_nowait_.store(true, std::memory_order_relaxed);
  return moved;
}

Count HostStream::read(Buffers buffers) {
  const auto size = static_cast<int>(buffers.size());
  return move([&] { return ::preadv2(host(), buffers.data(), size, -1, RWF_NOWAIT); },
              [&]() -> Count {
                if (!is_owned()) {
                  const Errno error = check_ready(host(), POLLIN);
                  if (error != Errno::success) return std::unexpected(error);
                }
                return count(::readv(host(), buffers.data(), size));
              });
}

Count HostStream::write(Buffers buffers) {
  const auto size = static_cast<int>(buffers.size());
  return move([&] { return ::pwritev2(host(), buffers.data(), size, -1, RWF_NOWAIT | kNoSignal); },
              [&]() -> Count {
                const SigpipeBlock block(masks_sigpipe_);
                if (is_owned()) return count(::writev(host(), buffers.data(), size));
                const Errno error = check_ready(host(), POLLOUT);
                if (error != Errno::success) return std::unexpected(error);
                // What poll() finds ready for writing takes that many bytes without waiting, but for more it may wait.
                const CutBuffers cut(buffers, PIPE_BUF);
                return count(::writev(host(), cut.buffers().data(), static_cast<int>(cut.buffers().size())));
              });
}

Rights host_rights(FileType type, int host) {
  switch (type) {
    case FileType::regular_file:
    case FileType::block_device:
      return right::kOfFiles;
    case FileType::character_device:
      // wasi-libc takes a character device that cannot be sought in for a terminal.
      return right::kOfStreams | (::isatty(host) != 0 ? 0 : right::fd_seek | right::fd_tell);
    default:
      return right::kOfStreams;
  }
}

std::shared_ptr<File> make_host_file(HostHandle handle, const struct stat& status) {
  const FileType type = file_type(status.st_mode);
  WASI_CHECK(type != FileType::directory);
  if (type == FileType::socket_stream) return std::make_shared<HostSocket>(std::move(handle));
  const Rights rights = host_rights(type, handle.get());
  if (type == FileType::regular_file || type == FileType::block_device) {
    return std::make_shared<HostFile>(std::move(handle), type, rights);
  }
  return std::make_shared<HostStream>(std::move(handle), type, rights);
}

}  // namespace wasi::preview1

// See host_stat.h.
#include "wasi/host_stat.h"

#include <dirent.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <limits>

#include "os/retry.h"

namespace wasi::preview1 {

Errno check_ready(int fd, short events) {
  pollfd ready{fd, events, 0};
  const int count = ::poll(&ready, 1, 0);
  if (count < 0) return last_error();
  return count == 0 ? Errno::again : Errno::success;
}

FileType file_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::regular_file;
    case S_IFDIR:
      return FileType::directory;
    case S_IFLNK:
      return FileType::symbolic_link;
    case S_IFCHR:
      return FileType::character_device;
    case S_IFBLK:
      return FileType::block_device;
    case S_IFSOCK:
      return FileType::socket_stream;
    default:
      return FileType::unknown;  // preview1 has no word for a FIFO
  }
}

FileType socket_type(int fd) {
  int type = 0;
  socklen_t size = sizeof(type);
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM) return FileType::socket_dgram;
  return FileType::socket_stream;
}

FileType file_type_of_entry(unsigned char type) {
  return type == DT_UNKNOWN ? FileType::unknown : file_type(DTTOIF(type));
}

std::uint64_t nanoseconds(const timespec& time) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  if (time.tv_sec < 0) return 0;
  const auto seconds = static_cast<std::uint64_t>(time.tv_sec);
  if (seconds >= std::numeric_limits<std::uint64_t>::max() / kSecond) return std::numeric_limits<std::uint64_t>::max();
  return seconds * kSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t bytes_to_read(int fd) {
  int bytes = 0;
  return ::ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

FileStat file_stat(const struct stat& status) {
  FileStat result;
  result.dev = status.st_dev;
  result.ino = status.st_ino;
  result.type = file_type(status.st_mode);
  result.nlink = status.st_nlink;
  result.size = static_cast<std::uint64_t>(status.st_size);
  result.atim = nanoseconds(status.st_atim);
  result.mtim = nanoseconds(status.st_mtim);
  result.ctim = nanoseconds(status.st_ctim);
  return result;
}

std::expected<FileStat, Errno> file_stat(int fd) {
  struct stat status{};
  if (os::retry([&] { return ::fstat(fd, &status); }) != 0) return std::unexpected(last_error());
  return file_stat(status);
}

std::expected<std::array<timespec, 2>, Errno> file_times(std::uint64_t atim, std::uint64_t mtim, std::uint32_t flags) {
  constexpr std::uint32_t kBothAtim = fstflag::atim | fstflag::atim_now;
  constexpr std::uint32_t kBothMtim = fstflag::mtim | fstflag::mtim_now;
  if ((flags & kBothAtim) == kBothAtim || (flags & kBothMtim) == kBothMtim) return std::unexpected(Errno::inval);
  const auto time = [flags](std::uint64_t value, std::uint32_t given, std::uint32_t now) {
    timespec result{};
    if ((flags & now) != 0) {
      result.tv_nsec = UTIME_NOW;
    } else if ((flags & given) != 0) {
      result.tv_sec = static_cast<time_t>(value / 1'000'000'000);
      result.tv_nsec = static_cast<long>(value % 1'000'000'000);
    } else {
      result.tv_nsec = UTIME_OMIT;
    }
    return result;
  };
  return std::array{time(atim, fstflag::atim, fstflag::atim_now), time(mtim, fstflag::mtim, fstflag::mtim_now)};
}

}  // namespace wasi::preview1

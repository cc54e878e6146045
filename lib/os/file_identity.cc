#include "os/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "os/retry.h"
#include "os/unique_fd.h"

namespace wasi::os {

namespace {

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

std::optional<FileIdentity> identity_of(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return FileIdentity{.device = status.st_dev,
                      .inode = status.st_ino,
                      .size = static_cast<std::uint64_t>(status.st_size),
                      .modified = nanoseconds(status.st_mtim),
                      .changed = nanoseconds(status.st_ctim)};
}

}  // namespace

// Opened, since file systems of other machines may else tell what they knew a while ago; but no pipe, whose writer
// would take this for its reader.
std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status = {};
  if (retry([&] { return ::stat(path.c_str(), &status); }) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const UniqueFd file(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (!file) return std::nullopt;
  return identity_of(file.get());
}

std::optional<FileIdentity> identity_of(int fd) {
  struct stat status = {};
  if (retry([&] { return ::fstat(fd, &status); }) != 0) return std::nullopt;
  return identity_of(status);
}

bool is_settled(const FileIdentity& identity, std::chrono::nanoseconds settles_in) {
  const auto now = std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch());
  return std::chrono::nanoseconds(identity.changed) + settles_in < now;
}

const std::string& boot_id() {
  static const std::string id = [] {
    const UniqueFd file(retry([] { return ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC); }));
    std::array<char, 64> text{};
    const ssize_t size = retry([&] { return ::read(file.get(), text.data(), text.size()); });
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
  }();
  return id;
}

}  // namespace wasi::os

// See opened_file.h.
#include "wasi/opened_file.h"

#include "os/retry.h"
#include "wasi/host_directory.h"
#include "wasi/host_stat.h"

namespace wasi::preview1 {

Directory* OpenedFile::as_directory() { return type() == FileType::directory ? directory_.get() : nullptr; }

std::uint64_t OpenedFile::readable() const { return is_stream() ? bytes_to_read(host()) : HostFile::readable(); }

std::expected<FileStat, Errno> OpenedFile::stat() const {
  struct stat status{};
  if (os::retry([&] { return ::fstat(host(), &status); }) != 0) return std::unexpected(last_error());
  seen_with(status);
  return file_stat(status);
}

void OpenedFile::look() const {
  struct stat status{};
  if (os::retry([&] { return ::fstat(host(), &status); }) == 0) seen_with(status);
}

void OpenedFile::seen_with(const struct stat& status) const {
  const std::lock_guard lock(looking_);
  if (is_seen()) return;
  const FileType type = file_type(status.st_mode);
  if (type != FileType::directory) return seen_as(type, host_rights(type, host()));
  directory_ = std::make_unique<HostDirectory>(HostHandle::borrowed(host()), resolver_, budget_);
  seen_as(type, right::kOfDirectories);
}

}  // namespace wasi::preview1

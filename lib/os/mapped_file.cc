// Mapping, and reading where a mapping is not to be had.

#include "os/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "base/result.h"
#include "os/retry.h"
#include "os/unique_fd.h"

namespace wasi::os {

namespace {

std::unexpected<Error> io_error(const char* verb, const std::string& path) {
  return fail(ErrorKind::io, "cannot {} {}: {}", verb, path, std::generic_category().message(errno));
}

// A device can go on for ever.
constexpr std::size_t kMaxReadBytes = 1U << 30;

Result<std::vector<std::uint8_t>> read_all(int fd, const std::string& path) {
  std::vector<std::uint8_t> bytes;
  std::size_t used = 0;
  for (;;) {
    bytes.resize(std::max<std::size_t>(used * 2, 64U << 10));
    const ssize_t count = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("read", path);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
    if (used > kMaxReadBytes) return fail(ErrorKind::limit, "cannot read {}: more than {} bytes", path, kMaxReadBytes);
  }
  bytes.resize(used);
  return bytes;
}

// The identities of all mapped files, as often as they are mapped.
struct Mapped {
  std::mutex mutex;
  std::multiset<std::pair<dev_t, ino_t>> files;
};

Mapped& mapped() {
  static auto* const files = new Mapped;  // never destroyed: static objects may own modules
  return *files;
}

}  // namespace

bool MappedFile::is_mapped(dev_t device, ino_t inode) {
  const std::lock_guard lock(mapped().mutex);
  return mapped().files.contains({device, inode});
}

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  const UniqueFd fd(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!fd) return io_error("open", path);
  struct stat status = {};
  if (retry([&] { return ::fstat(fd.get(), &status); }) != 0) return io_error("read", path);
  if (S_ISDIR(status.st_mode)) return fail(ErrorKind::io, "cannot read {}: it is a directory", path);

  std::shared_ptr<MappedFile> file(new MappedFile);
  if (S_ISREG(status.st_mode) && status.st_size > 0) {
    const auto size = static_cast<std::size_t>(status.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (data != MAP_FAILED) {
      file->device_ = status.st_dev;
      file->inode_ = status.st_ino;
      const std::lock_guard lock(mapped().mutex);
      mapped().files.emplace(status.st_dev, status.st_ino);
      file->bytes_ = {static_cast<const std::uint8_t*>(data), size};
      return file;
    }
  }
  // Pipes and devices; files whose size says 0 though they have content, as in /proc; file systems
  // without mappings.
  return read(fd.get(), path);
}

Result<std::shared_ptr<const MappedFile>> MappedFile::read(int fd, const std::string& name) {
  const std::vector<std::uint8_t> content = WASI_TRY(read_all(fd, name));
  if (content.empty()) return fail(ErrorKind::io, "cannot use {}: it is empty", name);
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->copy_ = std::make_unique_for_overwrite<std::uint8_t[]>(content.size());
  std::memcpy(file->copy_.get(), content.data(), content.size());
  file->bytes_ = {file->copy_.get(), content.size()};
  return file;
}

MappedFile::~MappedFile() {
  if (copy_ == nullptr && !bytes_.empty()) {
    // munmap's signature takes what mmap gave, const or not.
    ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
    const std::lock_guard lock(mapped().mutex);
    mapped().files.erase(mapped().files.find({device_, inode_}));
  }
}

}  // namespace wasi::os

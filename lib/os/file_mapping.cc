#include "os/file_mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "base/result.h"
#include "os/retry.h"

namespace wasi::os {

Result<FileMapping> FileMapping::map(int fd, std::uint64_t offset, std::size_t size, MappedFor use) {
  const int protection = use == MappedFor::executing ? PROT_READ | PROT_EXEC : PROT_READ;
  void* const data = ::mmap(nullptr, size, protection, MAP_PRIVATE, fd, static_cast<off_t>(offset));
  if (data == MAP_FAILED) {
    return fail(ErrorKind::io, "mmap of a file{} was refused: {}", use == MappedFor::executing ? " for executing" : "",
                std::generic_category().message(errno));
  }
  return FileMapping(static_cast<const std::uint8_t*>(data), size);
}

void FileMapping::release() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
  data_ = nullptr;
}

Result<RegularFile> open_regular(const std::string& path) {
  // A pipe without a writer would let us wait.
  UniqueFd fd(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  struct stat status = {};
  if (!fd || retry([&] { return ::fstat(fd.get(), &status); }) != 0) {
    return fail(ErrorKind::io, "cannot open {}: {}", path, std::generic_category().message(errno));
  }
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::io, "cannot map {}: it is no regular file", path);
  return RegularFile{std::move(fd), static_cast<std::uint64_t>(status.st_size)};
}

}  // namespace wasi::os

#include "c_api/replace_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/result.h"
#include "os/retry.h"
#include "os/unique_fd.h"

namespace wasi::c {

namespace {

bool write_all(int file, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = os::retry([&] { return ::write(file, bytes.data(), bytes.size()); });
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<void> replace_file(const char* path, std::span<const std::uint8_t> bytes) {
  const auto refused = [&] { return fail(ErrorKind::io, "cannot write {}: {}", path, std::strerror(errno)); };
  // Of this process and this call alone.
  static std::atomic<std::uint64_t> count = 0;
  const std::string unfinished = fmt::format("{}.{}.{}.unfinished", path, ::getpid(), ++count);
  os::UniqueFd file(
      os::retry([&] { return ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
  if (!file) return refused();
  bool is_placed = write_all(file.get(), bytes);
  if (is_placed) {
    errno = file.close();
    is_placed = errno == 0 && ::rename(unfinished.c_str(), path) == 0;
  }
  if (is_placed) return {};
  auto error = refused();
  ::unlink(unfinished.c_str());
  return error;
}

}  // namespace wasi::c

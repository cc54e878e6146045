#include "tools/shim/host_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/printable.h"
#include "base/result.h"
#include "os/retry.h"
#include "os/unique_fd.h"

namespace wasirun::shim {

namespace {

wasi::Result<void> write_all(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const auto count = wasi::os::retry([&] { return ::write(fd, text.data(), text.size()); });
    if (count < 0) return host_failure("write", path);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

std::unexpected<wasi::Error> host_failure(std::string_view what, std::string_view path) {
  const int error = errno;
  return wasi::fail(wasi::ErrorKind::io, "{} {}: {}", what, wasi::printable(path), std::strerror(error));
}

std::unexpected<wasi::Error> host_failure(std::string_view what) {
  const int error = errno;
  return wasi::fail(wasi::ErrorKind::io, "{}: {}", what, std::strerror(error));
}

wasi::Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const wasi::os::UniqueFd file(wasi::os::retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!file) return host_failure("open", path);
  std::string text;
  char piece[4096];
  while (true) {
    const auto count = wasi::os::retry([&] { return ::read(file.get(), piece, sizeof(piece)); });
    if (count < 0) return host_failure("read", path);
    if (count == 0) return text;
    text.append(piece, static_cast<std::size_t>(count));
    if (text.size() > limit) {
      return wasi::fail(wasi::ErrorKind::limit, "{}: larger than {} bytes", wasi::printable(path), limit);
    }
  }
}

wasi::Result<void> write_file(const std::string& path, std::string_view text) {
  const wasi::os::UniqueFd file(wasi::os::retry([&] { return ::open(path.c_str(), O_WRONLY | O_CLOEXEC); }));
  if (!file) return host_failure("open", path);
  return write_all(file.get(), path, text);
}

wasi::Result<void> replace_file(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  wasi::os::UniqueFd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return host_failure("open", beside);
  WASI_TRY(write_all(file.get(), beside, text));
  if (file.close() != 0) return host_failure("close", beside);
  if (std::rename(beside.c_str(), path.c_str()) != 0) return host_failure("rename", beside);
  return {};
}

}  // namespace wasirun::shim

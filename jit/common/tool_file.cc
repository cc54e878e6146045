#include "jit/common/tool_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/guard.h"
#include "base/result.h"
#include "os/retry.h"

namespace wasi::jit {

namespace {

std::unexpected<Error> cannot(const char* verb, const std::string& path) {
  return fail(ErrorKind::io, "cannot {} {}: {}", verb, path, std::generic_category().message(errno));
}

}  // namespace

Result<ToolFile> ToolFile::create(const std::string& path) {
  const auto create = [&] {
    return os::UniqueFd(
        os::retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600); }));
  };
  os::UniqueFd file = create();
  if (!file && errno == EEXIST) {
    if (::unlink(path.c_str()) != 0) return cannot("replace", path);
    file = create();
  }
  if (!file) return cannot("create", path);
  return ToolFile(std::move(file), path);
}

void ToolFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty() && !failure_) {
    const ssize_t count = os::retry([&] { return ::write(file_.get(), bytes.data(), bytes.size()); });
    if (count < 0) {
      fail_with(guarded([&] { return cannot("write", path_).error(); }, [](Error error) { return error; }));
      return;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void ToolFile::fail_with(Error error) {
  if (!failure_) failure_ = std::move(error);
}

}  // namespace wasi::jit

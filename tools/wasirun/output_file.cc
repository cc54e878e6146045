#include "tools/wasirun/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "os/retry.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

bool is_regular_or_absent(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) != 0 ? errno == ENOENT : S_ISREG(status.st_mode);
}

mode_t usual_mode(bool is_executable) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return (is_executable ? 0777 : 0666) & ~mask;
}

}  // namespace

wasi::Result<OutputFile> OutputFile::open(const std::string& path, bool is_executable) {
  OutputFile output;
  output.path_ = path;
  if (path.empty() || path == "-") {
    output.is_stdout_ = true;
    return output;
  }
  int descriptor = -1;
  if (is_regular_or_absent(path)) {
    // A link stays a link: what it leads to is replaced.
    char* real = ::realpath(path.c_str(), nullptr);
    if (real != nullptr) output.path_ = real;
    std::free(real);
    std::string name = output.path_ + ".XXXXXX";
    const SignalsWait until_it_is_known;
    descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor >= 0) {
      output.removed_ = RemovedFile(name);
      output.unfinished_ = std::move(name);
      ::fchmod(descriptor, usual_mode(is_executable));
    }
  } else {
    descriptor = wasi::os::retry([&] { return ::open(path.c_str(), O_WRONLY | O_CLOEXEC); });
  }
  if (descriptor >= 0) output.file_ = ::fdopen(descriptor, "wb");
  if (output.file_ == nullptr) {
    output.failure_ = errno;
    return std::unexpected(output.error());
  }
  return output;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : file_(std::exchange(other.file_, nullptr)),
      is_stdout_(other.is_stdout_),
      failure_(other.failure_),
      path_(std::move(other.path_)),
      unfinished_(std::exchange(other.unfinished_, {})),
      removed_(std::move(other.removed_)) {}

OutputFile::~OutputFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!unfinished_.empty()) ::unlink(unfinished_.c_str());
}

bool OutputFile::write(std::string_view text) {
  if (is_stdout_) return write_stdout(text);
  if (failure_ != 0) return false;
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), file_) == text.size()) return true;
  failure_ = errno != 0 ? errno : EIO;
  return false;
}

wasi::Result<void> OutputFile::finish() {
  if (is_stdout_) return {};
  errno = 0;
  if (std::fclose(std::exchange(file_, nullptr)) != 0 && failure_ == 0) failure_ = errno;
  if (failure_ == 0 && !unfinished_.empty() && ::rename(unfinished_.c_str(), path_.c_str()) != 0) failure_ = errno;
  if (failure_ != 0) return std::unexpected(error());
  unfinished_.clear();
  return {};
}

wasi::Error OutputFile::error() const {
  wasi::Error error;
  error.kind = wasi::ErrorKind::io;
  error.message = fmt::format("cannot write {}: {}", path_, std::strerror(failure_));
  return error;
}

}  // namespace wasirun

#include "tools/wasirun/trace_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <utility>

#include "os/retry.h"

namespace wasirun {

namespace {

// "13:37:42.000123", local time.
std::string timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:02}:{:02}:{:02}.{:06}", parts.tm_hour, parts.tm_min, parts.tm_sec,
                     std::chrono::duration_cast<std::chrono::microseconds>(now).count() % 1'000'000);
}

}  // namespace

wasi::Result<TraceOutput> TraceOutput::open(const std::string& path, bool has_timestamps) {
  if (path.empty() || path == "-") return TraceOutput(STDERR_FILENO, "", has_timestamps);
  TraceOutput output(
      wasi::os::retry([&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); }), path,
      has_timestamps);
  if (output.descriptor_ >= 0) return output;
  output.failure_ = errno;
  return std::unexpected(output.error());
}

TraceOutput::TraceOutput(TraceOutput&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      has_timestamps_(other.has_timestamps_),
      failure_(other.failure_),
      path_(std::exchange(other.path_, {})) {}

TraceOutput::~TraceOutput() {
  if (descriptor_ >= 0 && !path_.empty()) ::close(descriptor_);
}

void TraceOutput::write(std::string_view line) {
  if (failure_ != 0) return;
  const std::string text = has_timestamps_ ? fmt::format("{} {}\n", timestamp(), line) : fmt::format("{}\n", line);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count > 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      failure_ = count == 0 ? EIO : errno;
      return;
    }
  }
}

wasi::Result<void> TraceOutput::finish() {
  // Nobody could read that stderr takes no more.
  if (path_.empty()) return {};
  if (::close(std::exchange(descriptor_, -1)) != 0 && failure_ == 0) failure_ = errno;
  if (failure_ != 0) return std::unexpected(error());
  return {};
}

wasi::Error TraceOutput::error() const {
  wasi::Error error;
  error.kind = wasi::ErrorKind::io;
  error.message = fmt::format("cannot write the trace to {}: {}", path_, std::strerror(failure_));
  return error;
}

}  // namespace wasirun

// See log_writer.h.
#include "tools/serve/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/result.h"

namespace wasirun::serve {

namespace {

using wasi::os::UniqueFd;

constexpr std::size_t kMostPending = std::size_t{4} << 20;
// Lines are written together that come within this time: a wake-up for each would cost more than the line.
constexpr auto kGathering = std::chrono::milliseconds(10);
constexpr std::size_t kEnough = std::size_t{64} << 10;
// A pipe that is ready for writing takes so much without waiting.
constexpr std::size_t kPipeBytes = 4096;
constexpr auto kPatience = std::chrono::milliseconds(100);
constexpr int kLastTries = 10;

std::string message_of(int error) { return std::system_category().message(error); }

}  // namespace

wasi::Result<std::unique_ptr<LogWriter>> LogWriter::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return wasi::fail(wasi::ErrorKind::io, "cannot write the log {}: {}", path, message_of(errno));
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(fd)));
}

wasi::Result<std::unique_ptr<LogWriter>> LogWriter::to(int descriptor) {
  UniqueFd fd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!fd) {
    return wasi::fail(wasi::ErrorKind::io, "cannot write the log to descriptor {}: {}", descriptor, message_of(errno));
  }
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(fd)));
}

LogWriter::LogWriter(UniqueFd fd) : fd_(std::move(fd)), most_at_once_(kPipeBytes) {
  struct stat status{};
  if (::fstat(fd_.get(), &status) == 0 && S_ISREG(status.st_mode)) most_at_once_ = kMostPending;
  thread_ = std::thread([this] { run(); });
}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  hurries_ = true;
  wake_.notify_one();
  thread_.join();
}

void LogWriter::line(std::string_view text) {
  bool is_first = false;
  bool is_enough = false;
  {
    const std::lock_guard lock(mutex_);
    if (pending_.size() + text.size() + 1 > kMostPending) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    is_first = pending_.empty();
    const bool was_enough = pending_.size() >= kEnough;
    pending_.append(text).push_back('\n');
    is_enough = !was_enough && pending_.size() >= kEnough;
  }
  if (is_first || is_enough) wake_.notify_one();
}

void LogWriter::flush() {
  std::unique_lock lock(mutex_);
  written_.wait_for(lock, kPatience * kLastTries, [this] { return pending_.empty() && !writes_; });
}

void LogWriter::run() {
  std::string batch;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      writes_ = false;
      if (pending_.empty()) written_.notify_all();
      wake_.wait(lock, [this] { return ends_ || !pending_.empty(); });
      wake_.wait_for(lock, kGathering, [this] { return ends_ || pending_.size() >= kEnough; });
      if (pending_.empty()) return;
      batch.swap(pending_);
      writes_ = true;
    }
    if (!write(batch)) return;
    batch.clear();
  }
}

bool LogWriter::write(std::string_view text) {
  int tries = 0;
  while (!text.empty()) {
    // Not every kind of file can be asked; what cannot is written to as it is.
    pollfd ready{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(kPatience.count())) == 0) {
      if (hurries_ && ++tries >= kLastTries) return false;
      continue;
    }
    const ssize_t written = ::write(fd_.get(), text.data(), std::min(text.size(), most_at_once_));
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN && (!hurries_ || ++tries < kLastTries)) continue;
      // A full disk, a reader that went away: the server lives on.
      dropped_.fetch_add(static_cast<std::uint64_t>(std::ranges::count(text, '\n')), std::memory_order_relaxed);
      return true;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace wasirun::serve

#include "tools/wasirun/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace wasirun {

namespace {

constexpr std::chrono::milliseconds kDelay{500};
constexpr std::uint64_t kWidth = 40;

void write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

// Of one that moves its cursor.
bool is_terminal() {
  const char* kind = std::getenv("TERM");
  return kind != nullptr && std::string_view(kind) != "dumb" && isatty(STDERR_FILENO) == 1;
}

}  // namespace

Progress::Progress(std::string_view what)
    : what_(what), is_terminal_(is_terminal()), shown_from_(std::chrono::steady_clock::now() + kDelay) {}

Progress::~Progress() {
  if (percent_ != UINT64_MAX) write("\r\033[K");
}

void Progress::update(std::uint64_t done, std::uint64_t total) {
  if (!is_terminal_ || total == 0) return;
  const std::uint64_t percent = done * 100 / total;
  if (percent == percent_ || std::chrono::steady_clock::now() < shown_from_) return;
  percent_ = percent;
  const std::uint64_t filled = done * kWidth / total;
  write(fmt::format("\r{} [{:#<{}}{:.<{}}] {:>3} %", what_, "", filled, "", kWidth - filled, percent));
}

}  // namespace wasirun

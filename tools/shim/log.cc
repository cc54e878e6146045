#include "tools/shim/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>

#include "base/printable.h"

namespace wasirun::shim {

void Log::open(const std::string& fifo) {
  // Also for reading: so the writes of a shim whose containerd is restarted raise no SIGPIPE.
  fifo_.reset(::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
}

void Log::write_line(Level level, std::string_view text) {
  if (!fifo_ || level < level_) return;
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  char time[32] = "";
  if (::gmtime_r(&now, &parts) != nullptr) std::strftime(time, sizeof(time), "%FT%TZ", &parts);
  std::string message;
  for (const char c : wasi::printable(text)) {
    if (c == '"') message += '\\';
    message += c;
  }
  const std::string line = fmt::format("time=\"{}\" level={} msg=\"{}\" runtime=io.containerd.wasirun.v1\n", time,
                                       kNames[static_cast<std::size_t>(level)], message);
  [[maybe_unused]] const auto written = ::write(fifo_.get(), line.data(), line.size());
}

}  // namespace wasirun::shim

// See waiting.h.
#include "wasi/waiting.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>

#include "runtime/store.h"

namespace wasi::preview1 {
namespace {

// poll() refuses more descriptors at a time than the process may open, which may be less than it has.
constexpr std::size_t kPolledAtOnce = 64;

std::expected<std::size_t, int> poll_now(std::span<pollfd> fds) {
  std::size_t ready = 0;
  while (!fds.empty()) {
    const auto piece = fds.first(std::min(fds.size(), kPolledAtOnce));
    const int count = ::poll(piece.data(), piece.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(errno);
    ready += static_cast<std::size_t>(count);
    fds = fds.subspan(piece.size());
  }
  return ready;
}

bool is_past(const Until& until) {
  return (until.monotonic && time_of(CLOCK_MONOTONIC) >= *until.monotonic) ||
         (until.realtime && time_of(CLOCK_REALTIME) >= *until.realtime);
}

// The same, ended by the store's deadline.
Until with_deadline(Until until, const runtime::ExecState& exec) {
  if (exec.deadline) {
    // A steady clock's time is that of CLOCK_MONOTONIC.
    const std::chrono::nanoseconds deadline = exec.deadline->time_since_epoch();
    const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(deadline.count(), 0));
    until.monotonic = std::min(until.monotonic.value_or(time), time);
  }
  return until;
}

}  // namespace

std::uint64_t time_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::expected<std::size_t, Errno> wait_for(Call& call, std::span<pollfd> fds, const Until& until) {
  runtime::ExecState& exec = call.host.store.exec();
  std::optional<EventLoop::Watch> watch;  // from when we have to sleep
  while (true) {
    if (call.must_stop()) return std::unexpected(Errno::intr);
    const auto ready = poll_now(fds);
    if (!ready) return std::unexpected(errno_from_host(ready.error()));
    if (*ready > 0 || is_past(until)) return *ready;
    if (!watch) {
      const auto loop = EventLoop::of_this_thread();
      if (!loop) return std::unexpected(errno_from_host(loop.error()));
      watch.emplace(**loop, exec, fds, with_deadline(until, exec));
      if (watch->error() != 0) return std::unexpected(errno_from_host(watch->error()));
      // Who interrupted us until now did not know that we sleep here.
      if (call.must_stop()) return std::unexpected(Errno::intr);
      call.waits();
    }
    watch->sleep();
  }
}

}  // namespace wasi::preview1

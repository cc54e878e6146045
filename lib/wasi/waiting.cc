// See waiting.h.
#include "wasi/waiting.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>

#include "runtime/store.h"

namespace wasi::preview1 {
namespace {

// poll() refuses more descriptors at a time than the process may open, which may be less than it has.
constexpr std::size_t kPolledAtOnce = 64;

// The standard clocks are the host's: CLOCK_MONOTONIC, and CLOCK_REALTIME since 1970.
template <class TimePoint>
std::uint64_t nanoseconds_of(TimePoint time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
  return static_cast<std::uint64_t>(std::max<std::int64_t>(since.count(), 0));
}

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
  return (until.monotonic && monotonic_now() >= *until.monotonic) ||
         (until.realtime && realtime_now() >= *until.realtime);
}

// The same, ended by the store's deadline.
Until with_deadline(Until until, const runtime::ExecState& exec) {
  if (exec.deadline) {
    const std::uint64_t time = nanoseconds_of(*exec.deadline);
    until.monotonic = std::min(until.monotonic.value_or(time), time);
  }
  return until;
}

constexpr std::uint64_t kMoment = 10'000'000;  // nanoseconds

}  // namespace

std::uint64_t monotonic_now() { return nanoseconds_of(std::chrono::steady_clock::now()); }
std::uint64_t realtime_now() { return nanoseconds_of(std::chrono::system_clock::now()); }

std::expected<std::size_t, Errno> wait_for(Call& call, std::span<pollfd> fds, const Until& until) {
  runtime::ExecState& exec = call.host.store.exec();
  std::optional<EventLoop::Watch> watch;  // from when we have to sleep
  while (true) {
    if (call.must_stop()) return std::unexpected(Errno::intr);
    const auto ready = poll_now(fds);
    if (!ready) return std::unexpected(errno_from_host(ready.error()));
    if (*ready > 0 || is_past(until)) return *ready;
    // The sink of traces may have done anything, also waited in this thread's loop: all is looked at again.
    if (call.waits()) continue;
    if (!watch) {
      const auto loop = EventLoop::of_this_thread();
      if (!loop) return std::unexpected(errno_from_host(loop.error()));
      watch.emplace(**loop, exec, fds, with_deadline(until, exec));
      if (watch->error() != 0) return std::unexpected(errno_from_host(watch->error()));
      // Who interrupted us until now did not know that we sleep here.
      if (call.must_stop()) return std::unexpected(Errno::intr);
    }
    watch->sleep();
  }
}

Errno wait_until_ready(Call& call, const Descriptor& descriptor, short events) {
  pollfd waiting{descriptor.file->poll_handle(), events, 0};
  Until until;
  if (waiting.fd < 0) until.monotonic = monotonic_now() + kMoment;
  const auto ready = wait_for(call, {&waiting, 1}, until);
  return ready ? Errno::success : ready.error();
}

}  // namespace wasi::preview1

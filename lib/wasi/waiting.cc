// See waiting.h.
#include "wasi/waiting.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "runtime/parking.h"
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

}  // namespace

std::uint64_t monotonic_now() { return nanoseconds_of(std::chrono::steady_clock::now()); }
std::uint64_t realtime_now() { return nanoseconds_of(std::chrono::system_clock::now()); }

namespace {

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

template <class Clock>
std::chrono::time_point<Clock, std::chrono::nanoseconds> time_point(std::uint64_t nanoseconds) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return std::chrono::time_point<Clock, std::chrono::nanoseconds>(
      std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(nanoseconds, kMost))));
}

// Waiting without descriptors or memory of the host: asleep in poll(), for no longer than nobody will miss us who
// cannot wake us.
void nap(std::span<pollfd> fds, const Until& end) {
  std::uint64_t most = kMoment;
  if (end.monotonic) most = std::min(most, *end.monotonic - std::min(*end.monotonic, monotonic_now()));
  if (end.realtime) most = std::min(most, *end.realtime - std::min(*end.realtime, realtime_now()));
  const timespec time{.tv_sec = 0, .tv_nsec = static_cast<long>(most)};
  const auto watched = fds.first(std::min(fds.size(), kPolledAtOnce));
  ::ppoll(watched.data(), watched.size(), &time, nullptr);
}

// How one wait sleeps. For a clock, or for somebody who interrupts it, a thread needs nothing of the host's.
// Descriptors are watched by its loop, if there is one.
class Sleeper {
 public:
  Sleeper(Call& call, std::span<pollfd> fds, const Until& until)
      : call_(call), exec_(call.host.store.exec()), fds_(fds), until_(until) {}

  // Returns when there may be news, which may also be none.
  void sleep() {
    if (state_ == State::awake) begin();
    switch (state_) {
      case State::parked:
        if (end_.realtime) {
          runtime::sleep_until(exec_, std::optional(time_point<std::chrono::system_clock>(*end_.realtime)));
        } else {
          runtime::sleep_until(exec_, end_.monotonic.transform(time_point<std::chrono::steady_clock>));
        }
        break;
      case State::watching:
        watch_->sleep();
        break;
      case State::napping:
        nap(fds_, end_);
        break;
      case State::awake:
        break;
    }
  }

 private:
  enum class State : std::uint8_t { awake, parked, watching, napping };

  void begin() {
    end_ = with_deadline(until_, exec_);
    const bool has_fds = std::ranges::any_of(fds_, [](const pollfd& fd) { return fd.fd >= 0; });
    if (!has_fds && !(end_.monotonic && end_.realtime)) {
      state_ = State::parked;
      return;
    }
    state_ = State::napping;
    if (EventLoop* const loop = EventLoop::of_this_thread(); loop != nullptr) {
      watch_.emplace(*loop, exec_, fds_, end_);
      if (!watch_->is_complete()) watch_.reset();
    }
    if (!watch_) return;
    state_ = State::watching;
    // Who interrupted us until now did not know that we sleep here.
    if (call_.must_stop()) state_ = State::awake;
  }

  Call& call_;
  runtime::ExecState& exec_;
  std::span<pollfd> fds_;
  const Until until_;
  Until end_;
  State state_ = State::awake;
  std::optional<EventLoop::Watch> watch_;
};

}  // namespace

std::expected<std::size_t, Errno> wait_for(Call& call, std::span<pollfd> fds, const Until& until) {
  Sleeper sleeper(call, fds, until);
  while (true) {
    if (call.must_stop()) return std::unexpected(Errno::intr);
    const auto ready = poll_now(fds);
    if (!ready) return std::unexpected(errno_from_host(ready.error()));
    if (*ready > 0 || is_past(until)) return *ready;
    // The sink of traces may have done anything, also waited in this thread's loop: all is looked at again.
    if (call.waits()) continue;
    sleeper.sleep();
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

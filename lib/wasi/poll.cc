// poll_oneoff: waiting for clocks and descriptors.
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "wasi/host_stat.h"
#include "wasi/table.h"
#include "wasi/transfer.h"

namespace wasi::preview1::impl {
namespace {

// What a guest may wait for at once, and up to how many no memory is asked for.
constexpr std::uint32_t kMostSubscriptions = 16384;
constexpr std::uint32_t kFewSubscriptions = 64;

Subscription subscription_at(const PollList& list, std::uint32_t index) {
  Subscription subscription;
  std::memcpy(&subscription, list.subscriptions + std::size_t{index} * sizeof(subscription), sizeof(subscription));
  return subscription;
}

// What a subscription is doing while we wait.
enum class Wait : std::uint8_t {
  event,  // has something to tell already, its pollfd is unused
  clock,
  descriptor,
};

// A subscription as it was when the call began: a guest may let its events overwrite it.
struct Waiting {
  std::uint64_t userdata = 0;
  SteadyTime due;  // of a clock
  std::shared_ptr<const Descriptor> descriptor;
  Errno error = Errno::success;  // of an event
  EventType type = EventType::clock;
  Wait kind = Wait::event;
};

// When a relative or absolute clock subscription comes due, on our own clock. Far away is as good as never.
std::expected<SteadyTime, Errno> due_time(const Subscription& subscription) {
  const bool absolute = (subscription.clock_flags & subclockflag::abstime) != 0;
  std::uint64_t now = 0;
  switch (static_cast<ClockId>(subscription.clock_or_fd)) {
    case ClockId::realtime:
    case ClockId::monotonic:
      if (absolute) {
        timespec value{};
        const bool realtime = static_cast<ClockId>(subscription.clock_or_fd) == ClockId::realtime;
        ::clock_gettime(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, &value);
        now = nanoseconds(value);
      }
      break;
    case ClockId::process_cputime:
    case ClockId::thread_cputime:
      return std::unexpected(Errno::notsup);
    default:
      return std::unexpected(Errno::inval);
  }
  constexpr std::uint64_t kFarAway = std::uint64_t{1} << 61;  // 73 years
  const std::uint64_t left =
      absolute ? (subscription.timeout > now ? subscription.timeout - now : 0) : subscription.timeout;
  return std::chrono::steady_clock::now() + std::chrono::nanoseconds(std::min(left, kFarAway));
}

// Starts to wait for one subscription.
Waiting prepare(Call& call, const Subscription& subscription, pollfd& polled) {
  polled = {-1, 0, 0};  // poll() leaves out negative descriptors
  Waiting waiting;
  waiting.userdata = subscription.userdata;
  waiting.type = subscription.type;
  switch (subscription.type) {
    case EventType::clock: {
      const auto due = due_time(subscription);
      if (!due) {
        waiting.error = due.error();
        return waiting;
      }
      waiting.kind = Wait::clock;
      waiting.due = *due;
      return waiting;
    }
    case EventType::fd_read:
    case EventType::fd_write: {
      const bool reads = subscription.type == EventType::fd_read;
      std::shared_ptr<const Descriptor> descriptor = call.state.fds.find(subscription.clock_or_fd);
      if (descriptor == nullptr) {
        waiting.error = Errno::badf;
        return waiting;
      }
      // Who may read may also learn when there is something to read.
      const Rights enough = right::poll_fd_readwrite | (reads ? right::fd_read : right::fd_write);
      if ((descriptor->base & enough) == 0) {
        waiting.error = Errno::notcapable;
        return waiting;
      }
      if (const int handle = descriptor->file->poll_handle(); handle >= 0) {
        waiting.kind = Wait::descriptor;
        polled = {handle, static_cast<short>(reads ? POLLIN : POLLOUT), 0};
      }
      waiting.descriptor = std::move(descriptor);
      return waiting;
    }
  }
  waiting.error = Errno::inval;
  return waiting;
}

// Storage for the usual handful of subscriptions on the stack, for many on the heap.
template <class T>
class Array {
 public:
  explicit Array(std::uint32_t count)
      : heap_(count > kFewSubscriptions ? std::make_unique<T[]>(count) : nullptr),
        items_(heap_ ? heap_.get() : few_.data(), count) {}
  T& operator[](std::size_t index) { return items_[index]; }
  [[nodiscard]] std::span<T> all() { return items_; }

 private:
  std::array<T, kFewSubscriptions> few_;
  std::unique_ptr<T[]> heap_;
  std::span<T> items_;
};

}  // namespace

Errno poll_oneoff(Call& call, PollList& list, Out<OutU32>& nevents) {
  if (list.count == 0 || list.count > kMostSubscriptions) return Errno::inval;
  Array<pollfd> polled(list.count);
  Array<Waiting> waiting(list.count);
  bool is_ready = false;
  bool has_descriptors = false;
  std::optional<SteadyTime> next;
  for (std::uint32_t i = 0; i < list.count; ++i) {
    waiting[i] = prepare(call, subscription_at(list, i), polled[i]);
    is_ready |= waiting[i].kind == Wait::event;
    has_descriptors |= waiting[i].kind == Wait::descriptor;
    if (waiting[i].kind == Wait::clock) next = next ? std::min(*next, waiting[i].due) : waiting[i].due;
  }
  // What is ready already is told at once, together with whatever else is by then.
  if (is_ready) next = std::chrono::steady_clock::now();
  const auto ready = wait_for(call, has_descriptors ? polled.all() : std::span<pollfd>(), next);
  if (!ready) return ready.error();

  const SteadyTime now = std::chrono::steady_clock::now();
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < list.count; ++i) {
    const Waiting& subscription = waiting[i];
    Event event;
    event.userdata = subscription.userdata;
    event.type = subscription.type;
    event.error = subscription.error;
    if (subscription.kind == Wait::clock) {
      if (subscription.due > now) continue;
    } else if (subscription.kind == Wait::descriptor) {
      const short told = polled[i].revents;
      if (told == 0) continue;
      if ((told & POLLNVAL) != 0) event.error = Errno::badf;
      if ((told & POLLHUP) != 0) event.flags = eventrwflag::hangup;
    }
    if (subscription.type == EventType::fd_read && subscription.descriptor != nullptr) {
      event.nbytes = subscription.descriptor->file->readable();
    }
    std::memcpy(list.events + std::size_t{count} * sizeof(event), &event, sizeof(event));
    ++count;
  }
  nevents.set(count);
  return Errno::success;
}

}  // namespace wasi::preview1::impl

// poll_oneoff: waiting for clocks and descriptors.
#include <poll.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "wasi/table.h"
#include "wasi/waiting.h"

namespace wasi::preview1::impl {
namespace {

// Up to how many no memory is asked for.
constexpr std::uint32_t kFewSubscriptions = 64;

// What a subscription is doing while we wait.
enum class Wait : std::uint8_t {
  event,  // has something to tell already
  clock,
  descriptor,
};

// A subscription as it was when the call began: a guest may let its events overwrite it.
struct Waiting {
  std::uint64_t userdata = 0;
  std::uint64_t due = 0;  // of a clock, in its nanoseconds
  std::shared_ptr<const Descriptor> descriptor;
  Errno error = Errno::success;  // of an event
  EventType type = EventType::clock;
  Wait kind = Wait::event;
  bool is_realtime = false;     // the clock is
  std::uint64_t remaining = 0;  // of a clock, where the program's time is the embedder's
};

// A time that far from now, at most the last one.
std::uint64_t later(std::uint64_t now, std::uint64_t nanoseconds) {
  return now + std::min(nanoseconds, std::numeric_limits<std::uint64_t>::max() - now);
}

// Flags that nobody has given a meaning yet are the call's error, as they are in the parameters of every function.
bool has_unknown_flags(const Subscription& subscription) {
  return subscription.type == EventType::clock && (subscription.clock_flags & ~subclockflag::abstime) != 0;
}

// When a clock subscription comes due. Relative times count on the monotonic clock, whatever happens to the other.
void set_due(const TimeSource& time, Waiting& waiting, const Subscription& subscription) {
  const auto clock = static_cast<ClockId>(subscription.clock_or_fd);
  switch (clock) {
    case ClockId::realtime:
    case ClockId::monotonic:
      break;
    case ClockId::process_cputime:
    case ClockId::thread_cputime:
      waiting.error = Errno::notsup;
      return;
    default:
      waiting.error = Errno::inval;
      return;
  }
  waiting.kind = Wait::clock;
  if (time.is_given()) [[unlikely]] {
    // How long it is until then is found out once, and that much waited.
    waiting.remaining = subscription.timeout;
    if ((subscription.clock_flags & subclockflag::abstime) != 0) {
      const auto* const given = time.of(clock);
      const std::uint64_t hosts = clock == ClockId::realtime ? realtime_now() : monotonic_now();
      const auto now = given != nullptr ? ask(*given) : std::expected<std::uint64_t, Errno>(hosts);
      if (!now) {
        waiting.kind = Wait::event;
        waiting.error = now.error();
        return;
      }
      waiting.remaining -= std::min(*now, waiting.remaining);
    }
    waiting.due = later(monotonic_now(), waiting.remaining);
    return;
  }
  if ((subscription.clock_flags & subclockflag::abstime) != 0) {
    waiting.is_realtime = clock == ClockId::realtime;
    waiting.due = subscription.timeout;
  } else {
    waiting.due = later(monotonic_now(), subscription.timeout);
  }
}

// What poll() is asked: each of the host's descriptors once, however many subscriptions are about it.
class Polled {
 public:
  explicit Polled(std::span<pollfd> storage) : all_(storage) {}
  void add(int fd, EventType type) { all_[count_++] = {fd, bits_of(type), 0}; }
  void merge() {
    const auto added = all_.first(count_);
    std::ranges::sort(added, {}, &pollfd::fd);
    count_ = 0;
    for (const pollfd& entry : added) {
      if (count_ != 0 && all_[count_ - 1].fd == entry.fd) {
        all_[count_ - 1].events |= entry.events;
      } else {
        all_[count_++] = entry;
      }
    }
  }
  [[nodiscard]] std::span<pollfd> fds() { return all_.first(count_); }
  // What poll() has told about one subscription's matter.
  [[nodiscard]] int told(int fd, EventType type) const {
    const auto merged = all_.first(count_);
    const short all = std::ranges::lower_bound(merged, fd, {}, &pollfd::fd)->revents;
    return all & (bits_of(type) | POLLERR | POLLHUP | POLLNVAL);
  }

 private:
  static short bits_of(EventType type) { return type == EventType::fd_read ? POLLIN : POLLOUT; }

  std::span<pollfd> all_;
  std::size_t count_ = 0;
};

// Starts to wait for one subscription.
Waiting prepare(Call& call, const Subscription& subscription, Polled& polled) {
  Waiting waiting;
  waiting.userdata = subscription.userdata;
  waiting.type = subscription.type;
  switch (subscription.type) {
    case EventType::clock:
      set_due(call.state.time, waiting, subscription);
      return waiting;
    case EventType::fd_read:
    case EventType::fd_write: {
      waiting.descriptor = call.state.fds.find(subscription.clock_or_fd);
      if (waiting.descriptor == nullptr) {
        waiting.error = Errno::badf;
        return waiting;
      }
      // Who may read may also learn when there is something to read.
      const bool reads = subscription.type == EventType::fd_read;
      const Rights enough = right::poll_fd_readwrite | (reads ? right::fd_read : right::fd_write);
      if (waiting.descriptor->missing(enough) == enough) {
        waiting.error = Errno::notcapable;
        return waiting;
      }
      const int handle = waiting.descriptor->file->poll_handle();
      if (handle < 0) return waiting;  // always ready
      polled.add(handle, subscription.type);
      waiting.kind = Wait::descriptor;
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

// The event of a subscription that has something to tell by now.
std::optional<Event> event_of(const Waiting& waiting, const Polled& polled) {
  Event event;
  event.userdata = waiting.userdata;
  event.type = waiting.type;
  event.error = waiting.error;
  if (waiting.kind == Wait::clock) {
    if ((waiting.is_realtime ? realtime_now() : monotonic_now()) < waiting.due) return std::nullopt;
  } else if (waiting.kind == Wait::descriptor) {
    const int told = polled.told(waiting.descriptor->file->poll_handle(), waiting.type);
    if (told == 0) return std::nullopt;
    if ((told & POLLNVAL) != 0) event.error = Errno::badf;
    if ((told & POLLHUP) != 0) event.flags = eventrwflag::hangup;
  }
  if (event.type == EventType::fd_read && event.error == Errno::success) {
    event.nbytes = waiting.descriptor->file->readable();
  }
  return event;
}

// Lets the embedder's time go by, up to the first timeout, unless a descriptor is ready; makes what has come due
// events.
Errno sleep_by_embedder(Call& call, std::span<Waiting> waiting, Polled& polled) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const Waiting& each : waiting) {
    if (each.kind == Wait::clock) least = std::min(least, each.remaining);
  }
  Until at_once;
  at_once.monotonic = 0;
  const auto ready = wait_for(call, polled.fds(), at_once);
  if (!ready) return ready.error();
  if (*ready == 0 && least != 0) {
    try {
      call.state.time.sleep(least);
    } catch (...) {
      return Errno::io;
    }
    if (call.must_stop()) return Errno::intr;
  } else if (*ready != 0) {
    return Errno::success;
  }
  for (Waiting& each : waiting) {
    if (each.kind == Wait::clock && each.remaining <= least) each.due = 0;
  }
  return Errno::success;
}

}  // namespace

Errno poll_oneoff(Call& call, PollList& list, Out<OutU32>& nevents) {
  if (list.count == 0 || list.count > call.state.limits.subscriptions) return Errno::inval;
  Array<pollfd> storage(list.count);
  Array<Waiting> waiting(list.count);
  Polled polled(storage.all());
  Until until;
  for (std::uint32_t i = 0; i < list.count; ++i) {
    if (has_unknown_flags(list.at(i))) return Errno::inval;
    waiting[i] = prepare(call, list.at(i), polled);
    // What is ready already is told at once, together with whatever else is by then.
    if (waiting[i].kind == Wait::event) until.monotonic = 0;
    if (waiting[i].kind == Wait::clock) {
      auto& next = waiting[i].is_realtime ? until.realtime : until.monotonic;
      next = std::min(next.value_or(waiting[i].due), waiting[i].due);
    }
  }
  polled.merge();
  const bool has_timeout =
      std::ranges::any_of(waiting.all(), [](const Waiting& each) { return each.kind == Wait::clock; });
  if (call.state.time.sleep && has_timeout && until.monotonic != 0) [[unlikely]] {
    const Errno slept = sleep_by_embedder(call, waiting.all(), polled);
    if (slept != Errno::success) return slept;
    until = {.monotonic = 0, .realtime = {}};
  }
  std::uint32_t count = 0;
  // Again, should the realtime clock have been set back between seeing that it is time and telling so.
  while (count == 0) {
    if (const auto ready = wait_for(call, polled.fds(), until); !ready) return ready.error();
    for (std::uint32_t i = 0; i < list.count; ++i) {
      const auto event = event_of(waiting[i], polled);
      if (!event) continue;
      list.set_event(count++, *event);
    }
  }
  nevents.set(count);
  return Errno::success;
}

}  // namespace wasi::preview1::impl

// Waiting on behalf of a guest: for descriptors and clocks, until its deadline, unless somebody interrupts it.
#pragma once

#include <poll.h>

#include <expected>
#include <span>

#include "wasi/abi.h"
#include "wasi/call.h"
#include "wasi/event_loop.h"
#include "wasi/fd_table.h"

namespace wasi::preview1 {

// The clocks' times in nanoseconds.
std::uint64_t monotonic_now();
std::uint64_t realtime_now();

// Waits until poll() has something to say about `fds`, where each descriptor is once, or until `until`; how many are
// ready. What is ready, or due, at once takes no more than a poll(). Ends with an error when the guest must stop:
// call.trap is set then.
std::expected<std::size_t, Errno> wait_for(Call& call, std::span<pollfd> fds, const Until& until = {});

// Until a descriptor tells one of the poll() bits in `events`. What nobody tells us about, a function of the
// embedder's, is asked again after a moment.
Errno wait_until_ready(Call& call, const Descriptor& descriptor, short events);

// What `attempt` gives (expected<T, Errno>), which is made again after a signal and, unless the descriptor is
// non-blocking, when poll() tells one of `events` for what would have had to wait.
template <class Attempt>
auto when_ready(Call& call, const Descriptor& descriptor, short events, Attempt attempt) -> decltype(attempt()) {
  while (true) {
    auto result = attempt();
    if (result) return result;
    if (result.error() == Errno::intr && !call.must_stop()) continue;
    if (result.error() != Errno::again || (descriptor.flags & fdflag::nonblock) != 0) return result;
    const Errno waited = wait_until_ready(call, descriptor, events);
    if (waited != Errno::success) return std::unexpected(waited);
  }
}

}  // namespace wasi::preview1

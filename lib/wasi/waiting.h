// Waiting on behalf of a guest: for descriptors and clocks, until its deadline, unless somebody interrupts it.
#pragma once

#include <poll.h>

#include <expected>
#include <span>

#include "wasi/abi.h"
#include "wasi/call.h"
#include "wasi/event_loop.h"

namespace wasi::preview1 {

// A clock's time in nanoseconds.
std::uint64_t time_of(clockid_t clock);

// Waits until poll() has something to say about `fds`, where each descriptor is once, or until `until`; how many are
// ready. What is ready, or due, at once takes no more than a poll(). Ends with an error when the guest must stop:
// call.trap is set then.
std::expected<std::size_t, Errno> wait_for(Call& call, std::span<pollfd> fds, const Until& until = {});

}  // namespace wasi::preview1

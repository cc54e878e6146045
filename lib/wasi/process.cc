// Arguments, environment, clocks, randomness, the end of the program.
#include <sched.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "os/entropy.h"
#include "runtime/store.h"
#include "wasi/host_stat.h"
#include "wasi/table.h"

namespace wasi::preview1::impl {
namespace {

// A call asks between pieces of this size whether the guest must stop: getrandom takes seconds for a gigabyte.
constexpr std::size_t kRandomPiece = std::size_t{1} << 20;

template <class Strings>
void write_strings(const Strings& out) {
  const StringList& list = *out.list;
  for (std::size_t i = 0; i < list.offsets.size(); ++i) {
    const std::uint32_t address = out.bytes.address() + list.offsets[i];
    std::memcpy(out.pointers.data() + i * sizeof(address), &address, sizeof(address));
  }
  // Last, as it is what counts where a guest lets the two overlap.
  std::memcpy(out.bytes.data(), list.bytes.data(), list.bytes.size());
}

Errno sizes(const StringList& list, Out<OutU32>& count, Out<OutU32>& size) {
  count.set(static_cast<std::uint32_t>(list.offsets.size()));
  size.set(static_cast<std::uint32_t>(list.bytes.size()));
  return Errno::success;
}

clockid_t host_clock(ClockId clock) {
  switch (clock) {
    case ClockId::realtime:
      return CLOCK_REALTIME;
    case ClockId::monotonic:
      return CLOCK_MONOTONIC;
    case ClockId::process_cputime:
      return CLOCK_PROCESS_CPUTIME_ID;
    case ClockId::thread_cputime:
      return CLOCK_THREAD_CPUTIME_ID;
  }
  return CLOCK_MONOTONIC;
}

}  // namespace

Errno args_get(Call&, OutStrings<&Context::State::args>& argv) {
  write_strings(argv);
  return Errno::success;
}

Errno args_sizes_get(Call& call, Out<OutU32>& argc, Out<OutU32>& argv_size) {
  return sizes(call.state.args, argc, argv_size);
}

Errno environ_get(Call&, OutStrings<&Context::State::env>& environ) {
  write_strings(environ);
  return Errno::success;
}

Errno environ_sizes_get(Call& call, Out<OutU32>& count, Out<OutU32>& size) {
  return sizes(call.state.env, count, size);
}

Errno clock_res_get(Call& call, Enum<ClockIds, ClockId>& clock, Out<OutU64>& resolution) {
  if (call.state.time.of(clock.value) != nullptr) {
    resolution.set(call.state.time.resolution);
    return Errno::success;
  }
  timespec value{};
  if (::clock_getres(host_clock(clock.value), &value) != 0) return errno_from_host(errno);
  resolution.set(nanoseconds(value));
  return Errno::success;
}

Errno clock_time_get(Call& call, Enum<ClockIds, ClockId>& clock, U64&, Out<OutU64>& time) {
  if (const auto* const given = call.state.time.of(clock.value); given != nullptr) [[unlikely]] {
    const auto now = ask(*given);
    if (!now) return now.error();
    time.set(*now);
    return Errno::success;
  }
  timespec value{};
  if (::clock_gettime(host_clock(clock.value), &value) != 0) return errno_from_host(errno);
  time.set(nanoseconds(value));
  return Errno::success;
}

Exit proc_exit(Call&, U32& status) { return Exit{status.value}; }

Errno proc_raise(Call&, U32&) { return Errno::nosys; }

namespace {

thread_local std::uint32_t earlier_yields = 0;

}  // namespace

// A program without threads has nobody to let run but other programs, which the kernel sees to by itself: so not each
// of its calls is one of the kernel's.
Errno sched_yield(Call& call) {
  constexpr std::uint32_t kOneOf = 64;
  const bool has_threads = call.host.store.exec().program != nullptr;
  if (has_threads || earlier_yields++ % kOneOf == 0) ::sched_yield();
  return Errno::success;
}

namespace {

// By pieces of our own: the embedder may call the guest, whose memory may move then.
Errno give_random(Call& call, OutBytes& buffer) {
  std::array<std::uint8_t, 4096> piece;
  for (std::size_t done = 0; done < buffer.size;) {
    const auto bytes = std::span(piece).first(std::min(buffer.size - done, piece.size()));
    if (const Errno error = call.state.random.fill(bytes); error != Errno::success) return error;
    std::memcpy(buffer.bytes().data() + done, bytes.data(), bytes.size());
    done += bytes.size();
    if (call.must_stop()) return Errno::intr;
  }
  return Errno::success;
}

}  // namespace

Errno random_get(Call& call, OutBytes& buffer) {
  if (!call.state.random.is_hosts()) [[unlikely]]
    return give_random(call, buffer);
  std::size_t done = 0;
  while (done < buffer.size) {
    const ssize_t count =
        os::random_bytes({buffer.bytes().data() + done, std::min<std::size_t>(buffer.size - done, kRandomPiece)});
    if (count < 0 && errno != EINTR) return errno_from_host(errno);
    if (count > 0) done += static_cast<std::size_t>(count);
    if (done == buffer.size) break;
    (void)call.waits();
    if (call.must_stop()) return Errno::intr;
  }
  return Errno::success;
}

}  // namespace wasi::preview1::impl

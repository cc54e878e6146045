// See transfer.h.
#include "wasi/transfer.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <limits>
#include <span>

#include "runtime/store.h"

namespace wasi::preview1 {
namespace {

// How long a waiting guest goes without noticing that it is interrupted. Deadlines are met exactly.
constexpr std::chrono::milliseconds kNoticeInterval{50};

// Since Linux 6.18; refused by older kernels, which is the sign to do it the long way.
constexpr int kNoSignal = 0x100;

// Keeps a write from raising SIGPIPE in this thread: blocked meanwhile, and taken back if it came.
class SigpipeBlock {
 public:
  explicit SigpipeBlock(bool needed) : is_active_(needed) {
    if (!is_active_) return;
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &old_);
  }
  ~SigpipeBlock() {
    if (!is_active_) return;
    const int error = errno;
    if (!was_pending_ && error == EPIPE) {
      const timespec now{};
      while (::sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
    errno = error;
  }
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;

 private:
  bool is_active_;
  bool was_pending_ = false;
  sigset_t sigpipe_;
  sigset_t old_;
};

std::size_t total(const Iovs& iovs) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < iovs.count; ++i) sum += iovs.vectors[i].iov_len;
  return sum;
}

enum class Direction : std::uint8_t { in, out };

// One try on a stream. -1 with EAGAIN when it would have to wait; where the host's descriptor may block in spite of
// everything, poll() has been asked before.
template <Direction kDirection>
ssize_t try_stream(Call& call, Descriptor& stream, std::span<iovec> vectors) {
  constexpr bool kIn = kDirection == Direction::in;
  const auto count = static_cast<int>(vectors.size());
  if (!kIn && stream.is_socket()) {
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    return ::sendmsg(stream.host, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  if (!stream.refuses_nowait) {
    const ssize_t moved = kIn ? ::preadv2(stream.host, vectors.data(), count, -1, RWF_NOWAIT)
                              : ::pwritev2(stream.host, vectors.data(), count, -1, RWF_NOWAIT | kNoSignal);
    if (moved >= 0 || errno != EOPNOTSUPP) return moved;
    stream.refuses_nowait = true;
  }
  if (!stream.is_nonblocking) {
    pollfd ready{stream.host, kIn ? POLLIN : POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 0) {
      errno = EAGAIN;
      return -1;
    }
  }
  if (kIn) return ::readv(stream.host, vectors.data(), count);
  const SigpipeBlock block(call.state.masks_sigpipe && stream.type == FileType::unknown);
  return ::writev(stream.host, vectors.data(), count);
}

// Buffers of which a part has been moved. They look as they were given again when it is over, for the trace.
class Remaining {
 public:
  explicit Remaining(std::span<iovec> vectors) : vectors_(vectors) {}
  ~Remaining() { restore(); }
  Remaining(const Remaining&) = delete;
  Remaining& operator=(const Remaining&) = delete;

  [[nodiscard]] std::span<iovec> vectors() const { return vectors_; }
  [[nodiscard]] bool empty() const { return vectors_.empty(); }
  void advance(std::size_t moved) {
    while (!vectors_.empty() && moved >= vectors_.front().iov_len) {
      moved -= vectors_.front().iov_len;
      restore();
      vectors_ = vectors_.subspan(1);
    }
    if (moved == 0) return;
    iovec& first = vectors_.front();
    if (!is_cut_) given_ = first;
    is_cut_ = true;
    first.iov_base = static_cast<char*>(first.iov_base) + moved;
    first.iov_len -= moved;
  }

 private:
  void restore() {
    if (is_cut_) vectors_.front() = given_;
    is_cut_ = false;
  }

  std::span<iovec> vectors_;
  iovec given_{};  // the first one, where is_cut_
  bool is_cut_ = false;
};

template <Direction kDirection>
std::expected<std::size_t, Errno> move_stream(Call& call, Descriptor& stream, Iovs& iovs) {
  const bool waits = (stream.flags & fdflag::nonblock) == 0;
  Remaining remaining({iovs.vectors, iovs.count});
  std::size_t total = 0;
  while (true) {
    const ssize_t moved = try_stream<kDirection>(call, stream, remaining.vectors());
    if (moved >= 0) {
      total += static_cast<std::size_t>(moved);
      if (kDirection == Direction::in || !waits || moved == 0) return total;
      // A write that may wait moves everything, as it does on the host: not all programs look at the count.
      remaining.advance(static_cast<std::size_t>(moved));
      if (remaining.empty()) return total;
      continue;
    }
    if (errno == EINTR) {
      if (call.must_stop()) return std::unexpected(Errno::intr);
      continue;
    }
    if (errno != EAGAIN) {
      if (total != 0) return total;
      return std::unexpected(errno_from_host(errno));
    }
    if (!waits) return std::unexpected(Errno::again);
    pollfd waiting{stream.host, kDirection == Direction::in ? POLLIN : POLLOUT, 0};
    if (const auto ready = wait_for(call, {&waiting, 1}, std::nullopt); !ready) return std::unexpected(ready.error());
  }
}

template <class Function>
std::expected<std::size_t, Errno> move_file(Call& call, Function function) {
  while (true) {
    const ssize_t moved = function();
    if (moved >= 0) return static_cast<std::size_t>(moved);
    if (errno != EINTR) return std::unexpected(errno_from_host(errno));
    if (call.must_stop()) return std::unexpected(Errno::intr);
  }
}

// Offsets are unsigned in preview1 and signed on the host.
bool fits(std::optional<std::uint64_t> offset) {
  return !offset || *offset <= static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
}

}  // namespace

std::expected<std::size_t, Errno> read_into(Call& call, Descriptor& from, Iovs& iovs,
                                            std::optional<std::uint64_t> offset) {
  if (from.is_null) return std::size_t{0};
  if (!fits(offset)) return std::unexpected(Errno::inval);
  const auto count = static_cast<int>(iovs.count);
  if (offset) {
    return move_file(call, [&] { return ::preadv(from.host, iovs.vectors, count, static_cast<off_t>(*offset)); });
  }
  if (from.is_stream()) return move_stream<Direction::in>(call, from, iovs);
  return move_file(call, [&] { return ::readv(from.host, iovs.vectors, count); });
}

std::expected<std::size_t, Errno> write_from(Call& call, Descriptor& to, Iovs& iovs,
                                             std::optional<std::uint64_t> offset) {
  if (to.is_null) return total(iovs);
  if (!fits(offset)) return std::unexpected(Errno::inval);
  const auto count = static_cast<int>(iovs.count);
  if (offset) {
    return move_file(call, [&] { return ::pwritev(to.host, iovs.vectors, count, static_cast<off_t>(*offset)); });
  }
  if (to.is_stream()) return move_stream<Direction::out>(call, to, iovs);
  return move_file(call, [&] { return ::writev(to.host, iovs.vectors, count); });
}

std::expected<int, Errno> wait_for(Call& call, std::span<pollfd> fds, std::optional<SteadyTime> until) {
  while (true) {
    if (call.must_stop()) return std::unexpected(Errno::intr);
    const SteadyTime now = std::chrono::steady_clock::now();
    SteadyTime wake = now + kNoticeInterval;
    if (until) wake = std::min(wake, *until);
    if (const auto& deadline = call.host.store.exec().deadline) wake = std::min(wake, *deadline);
    const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(wake - now));
    const timespec timeout{static_cast<time_t>(left.count() / 1'000'000'000),
                           static_cast<long>(left.count() % 1'000'000'000)};
    const int ready = ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
    if (ready > 0) return ready;
    if (ready < 0 && errno != EINTR) return std::unexpected(errno_from_host(errno));
    if (until && std::chrono::steady_clock::now() >= *until) return 0;
  }
}

}  // namespace wasi::preview1

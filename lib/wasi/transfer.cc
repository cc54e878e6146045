// See transfer.h.
#include "wasi/transfer.h"

#include <poll.h>

#include <algorithm>
#include <limits>
#include <span>

#include "wasi/waiting.h"

namespace wasi::preview1 {
namespace {

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

enum class Direction : std::uint8_t { in, out };

// One try, repeated when a signal came in between.
template <class Move>
Count try_to(Call& call, Move move) {
  while (true) {
    const Count moved = move();
    if (moved || moved.error() != Errno::intr || call.must_stop()) return moved;
  }
}

template <Direction kDirection>
Count move_stream(Call& call, Descriptor& stream, Buffers buffers) {
  constexpr bool kIn = kDirection == Direction::in;
  File& file = *stream.file;
  Remaining remaining(buffers);
  std::size_t total = 0;
  while (true) {
    const Count moved = when_ready(call, stream, kIn ? POLLIN : POLLOUT, [&] {
      return kIn ? file.read(remaining.vectors()) : file.write(remaining.vectors());
    });
    if (!moved) {
      if (total != 0 && !call.trap) return total;
      return moved;
    }
    total += *moved;
    // A write that may wait moves everything, as it does on the host: not all programs look at the count.
    if (kIn || (stream.flags & fdflag::nonblock) != 0 || *moved == 0) return total;
    remaining.advance(*moved);
    if (remaining.empty()) return total;
  }
}

// While bytes lie in a connection that are only looked at, poll() cannot tell that more have come. So we look again
// from time to time.
constexpr std::uint64_t kPeekInterval = 2'000'000;  // nanoseconds

// Looks until all buffers are full or nothing more will come.
std::expected<Received, Errno> peek_all(Call& call, Descriptor& from, Buffers buffers) {
  std::size_t wanted = 0;
  for (const iovec& buffer : buffers) wanted += buffer.iov_len;
  bool has_ended = false;
  while (true) {
    auto received =
        when_ready(call, from, POLLIN, [&] { return from.file->as_socket()->receive(buffers, /*peeks=*/true); });
    if (!received || received->size == 0 || received->size >= wanted || has_ended) return received;
    pollfd waiting{from.file->poll_handle(), POLLRDHUP, 0};
    Until until;
    until.monotonic = monotonic_now() + kPeekInterval;
    const auto ended = wait_for(call, {&waiting, 1}, until);
    if (!ended) return std::unexpected(ended.error());
    has_ended = *ended != 0;
  }
}

// Offsets are unsigned in preview1 and signed on the host.
bool fits(std::uint64_t offset) { return offset <= static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()); }

Count write_unlimited(Call& call, Descriptor& to, Buffers buffers, std::optional<std::uint64_t> offset) {
  if (offset) return try_to(call, [&] { return to.file->write_at(buffers, *offset); });
  if (to.file->is_stream()) return move_stream<Direction::out>(call, to, buffers);
  return try_to(call, [&] { return to.file->write(buffers); });
}

// The hole that a write leaves between the file's end and its place.
std::expected<std::uint64_t, Errno> hole_before(Descriptor& file, std::optional<std::uint64_t> offset) {
  if (file.file->is_stream() || (file.flags & fdflag::append) != 0) return 0;
  const auto stat = file.file->stat();
  if (!stat) return std::unexpected(stat.error());
  const auto place = offset ? std::expected<std::uint64_t, Errno>(*offset) : file.file->seek(0, Whence::cur);
  if (!place) return place;
  return *place - std::min(*place, stat->size);
}

// As much as the quota lets through, a part too; EDQUOT for nothing.
Count write_within_quota(Call& call, Descriptor& to, Buffers buffers, std::optional<std::uint64_t> offset) {
  std::uint64_t total = 0;
  for (const iovec& buffer : buffers) total += buffer.iov_len;
  if (total == 0) return write_unlimited(call, to, buffers, offset);
  const auto hole = hole_before(to, offset);
  if (!hole) return std::unexpected(hole.error());
  const std::uint64_t taken = to.quota->take_up_to(*hole + total);
  Count moved = std::unexpected(Errno::dquot);
  if (taken > *hole) {
    const CutBuffers cut(buffers, taken - *hole);
    moved = write_unlimited(call, to, cut.buffers(), offset);
  }
  to.quota->give_back(taken - (moved.value_or(0) == 0 ? 0 : *hole + *moved));
  return moved;
}

}  // namespace

Count read_into(Call& call, Descriptor& from, Iovs& iovs, std::optional<std::uint64_t> offset) {
  const Buffers buffers(iovs.vectors, iovs.count);
  if (offset) {
    if (!fits(*offset)) return std::unexpected(Errno::inval);
    return try_to(call, [&] { return from.file->read_at(buffers, *offset); });
  }
  if (from.file->is_stream()) return move_stream<Direction::in>(call, from, buffers);
  return try_to(call, [&] { return from.file->read(buffers); });
}

Count write_from(Call& call, Descriptor& to, Iovs& iovs, std::optional<std::uint64_t> offset) {
  const Buffers buffers(iovs.vectors, iovs.count);
  if (offset && !fits(*offset)) return std::unexpected(Errno::inval);
  return to.quota != nullptr ? write_within_quota(call, to, buffers, offset)
                             : write_unlimited(call, to, buffers, offset);
}

std::expected<Received, Errno> receive_into(Call& call, Descriptor& from, Iovs& iovs, bool peeks, bool all) {
  const Buffers buffers(iovs.vectors, iovs.count);
  // Of datagrams there is always one; and who does not wait gets what there is.
  if (from.type() != FileType::socket_stream || (from.flags & fdflag::nonblock) != 0) all = false;
  if (peeks && all) return peek_all(call, from, buffers);
  Remaining remaining(buffers);
  std::size_t total = 0;
  while (true) {
    auto received =
        when_ready(call, from, POLLIN, [&] { return from.file->as_socket()->receive(remaining.vectors(), peeks); });
    if (!received && (total == 0 || call.trap)) return received;
    // An error, or the end, behind what has come; the next call meets it again.
    if (!received || received->size == 0) return Received{.size = total};
    total += received->size;
    remaining.advance(received->size);
    if (!all || remaining.empty()) return Received{.size = total, .is_truncated = received->is_truncated};
  }
}

}  // namespace wasi::preview1

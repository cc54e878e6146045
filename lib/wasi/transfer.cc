// See transfer.h.
#include "wasi/transfer.h"

#include <poll.h>

#include <algorithm>
#include <ctime>
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

// What nobody tells us about, a function of the embedder's, is asked again after so many nanoseconds.
constexpr std::uint64_t kMoment = 10'000'000;

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
  const bool waits = (stream.flags & fdflag::nonblock) == 0;
  File& file = *stream.file;
  Remaining remaining(buffers);
  std::size_t total = 0;
  while (true) {
    const Count moved = try_to(call, [&] {
      return kDirection == Direction::in ? file.read(remaining.vectors()) : file.write(remaining.vectors());
    });
    if (moved) {
      total += *moved;
      if (kDirection == Direction::in || !waits || *moved == 0) return total;
      // A write that may wait moves everything, as it does on the host: not all programs look at the count.
      remaining.advance(*moved);
      if (remaining.empty()) return total;
      continue;
    }
    if (moved.error() != Errno::again || !waits) {
      if (total != 0 && !call.trap) return total;
      return moved;
    }
    pollfd waiting{file.poll_handle(), kDirection == Direction::in ? POLLIN : POLLOUT, 0};
    Until until;
    if (waiting.fd < 0) until.monotonic = time_of(CLOCK_MONOTONIC) + kMoment;
    if (const auto ready = wait_for(call, {&waiting, 1}, until); !ready) {
      // What has been moved is told in any case, or the guest would move it again.
      if (total != 0 && !call.trap) return total;
      return std::unexpected(ready.error());
    }
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

}  // namespace wasi::preview1

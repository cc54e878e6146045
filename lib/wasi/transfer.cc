// See transfer.h.
#include "wasi/transfer.h"

#include <poll.h>

#include <cerrno>
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
    if (const auto ready = wait_for(call, {&waiting, 1}); !ready) return std::unexpected(ready.error());
  }
}

// Offsets are unsigned in preview1 and signed on the host.
bool fits(std::uint64_t offset) { return offset <= static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()); }

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
  if (offset) {
    if (!fits(*offset)) return std::unexpected(Errno::inval);
    return try_to(call, [&] { return to.file->write_at(buffers, *offset); });
  }
  if (to.file->is_stream()) return move_stream<Direction::out>(call, to, buffers);
  return try_to(call, [&] { return to.file->write(buffers); });
}

}  // namespace wasi::preview1

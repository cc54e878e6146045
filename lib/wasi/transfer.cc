// See transfer.h.
#include "wasi/transfer.h"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
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
    if (moved != 0) cut(moved);
  }

 private:
  void cut(std::size_t size) {
    iovec& first = vectors_.front();
    first.iov_base = static_cast<char*>(first.iov_base) + size;
    first.iov_len -= size;
    cut_ += size;
  }
  void restore() {
    if (cut_ == 0) return;
    iovec& first = vectors_.front();
    first.iov_base = static_cast<char*>(first.iov_base) - cut_;
    first.iov_len += cut_;
    cut_ = 0;
  }

  std::span<iovec> vectors_;
  std::size_t cut_ = 0;  // from the first one
};

enum class Direction : std::uint8_t { in, out };

// What functions of the embedder's get at a time where they get copies.
constexpr std::size_t kMostCopied = std::size_t{64} << 10;

// A copy of the first bytes of some buffers, in as many pieces.
class Copies {
 public:
  // Null where there is no memory for it.
  static std::unique_ptr<Copies> of(Buffers buffers) {
    std::size_t size = 0;
    for (const iovec& buffer : buffers) size += std::min(buffer.iov_len, kMostCopied - std::min(size, kMostCopied));
    std::unique_ptr<Copies> copies(new (std::nothrow) Copies);
    if (copies == nullptr) return nullptr;
    copies->bytes_.reset(new (std::nothrow) std::uint8_t[std::max<std::size_t>(size, 1)]);
    copies->vectors_.reset(new (std::nothrow) iovec[std::max<std::size_t>(buffers.size(), 1)]);
    if (copies->bytes_ == nullptr || copies->vectors_ == nullptr) return nullptr;
    std::uint8_t* next = copies->bytes_.get();
    for (const iovec& buffer : buffers) {
      const std::size_t taken = std::min(buffer.iov_len, size);
      if (taken < buffer.iov_len && taken == 0) break;
      if (taken != 0) std::memcpy(next, buffer.iov_base, taken);
      copies->vectors_[copies->count_++] = {next, taken};
      next += taken;
      size -= taken;
    }
    return copies;
  }
  [[nodiscard]] Buffers buffers() const { return {vectors_.get(), count_}; }

 private:
  Copies() = default;
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::unique_ptr<iovec[]> vectors_;
  std::size_t count_ = 0;
};

// One try to move between a stream, or a file whose data is the embedder's, and buffers, which are a part of `iovs`.
// Memory that stays where it is is given to functions of the embedder's as it is; memory that may move could do so
// between two buffers, or while the function still has the first, so they get a copy instead.
template <Direction kDirection>
Count try_function(Call& call, File& file, Iovs& iovs, Buffers buffers, std::optional<std::uint64_t> offset = {}) {
  constexpr bool kIn = kDirection == Direction::in;
  const auto move = [&](Buffers given) {
    if (offset) return kIn ? file.read_at(given, *offset) : file.write_at(given, *offset);
    return kIn ? file.read(given) : file.write(given);
  };
  iovs.follow_memory();
  if (!file.is_function() || call.memory == nullptr || !call.memory->moves()) return move(buffers);
  // With what is in them also for reading: what the function does not fill stays as it is.
  const std::unique_ptr<Copies> copies = Copies::of(buffers);
  if (copies == nullptr) return std::unexpected(Errno::nomem);
  const Count moved = move(copies->buffers());
  iovs.follow_memory();
  std::size_t left = kIn ? moved.value_or(0) : 0;
  for (std::size_t i = 0; left != 0; ++i) {
    const iovec& copy = copies->buffers()[i];
    const std::size_t size = std::min(left, copy.iov_len);
    if (size != 0) std::memcpy(buffers[i].iov_base, copy.iov_base, size);
    left -= size;
  }
  return moved;
}

// One try, repeated when a signal came in between.
template <class Move>
Count try_to(Call& call, Move move) {
  while (true) {
    const Count moved = move();
    if (moved || moved.error() != Errno::intr || call.must_stop()) return moved;
  }
}

template <Direction kDirection>
Count move_stream(Call& call, Descriptor& stream, Iovs& iovs, Buffers buffers) {
  constexpr bool kIn = kDirection == Direction::in;
  Remaining remaining(buffers);
  std::size_t total = 0;
  while (true) {
    const Count moved = when_ready(call, stream, kIn ? POLLIN : POLLOUT, [&] {
      return try_function<kDirection>(call, *stream.file, iovs, remaining.vectors());
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
std::expected<Received, Errno> peek_all(Call& call, Descriptor& from, Iovs& iovs, Buffers buffers) {
  std::size_t wanted = 0;
  for (const iovec& buffer : buffers) wanted += buffer.iov_len;
  bool has_ended = false;
  while (true) {
    auto received = when_ready(call, from, POLLIN, [&] {
      iovs.follow_memory();
      return from.file->as_socket()->receive(buffers, /*peeks=*/true);
    });
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

Count write_unlimited(Call& call, Descriptor& to, Iovs& iovs, Buffers buffers, std::optional<std::uint64_t> offset) {
  if (to.file->is_function() && !to.file->is_stream()) {
    return try_to(call, [&] { return try_function<Direction::out>(call, *to.file, iovs, buffers, offset); });
  }
  if (offset) return try_to(call, [&] { return to.file->write_at(buffers, *offset); });
  if (to.file->is_stream()) return move_stream<Direction::out>(call, to, iovs, buffers);
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
Count write_within_quota(Call& call, Descriptor& to, Iovs& iovs, Buffers buffers, std::optional<std::uint64_t> offset) {
  std::uint64_t total = 0;
  for (const iovec& buffer : buffers) total += buffer.iov_len;
  if (total == 0) return write_unlimited(call, to, iovs, buffers, offset);
  const auto hole = hole_before(to, offset);
  if (!hole) return std::unexpected(hole.error());
  const std::uint64_t taken = to.quota->take_up_to(*hole + total);
  Count moved = std::unexpected(Errno::dquot);
  if (taken > *hole) {
    const CutBuffers cut(buffers, taken - *hole);
    moved = write_unlimited(call, to, iovs, cut.buffers(), offset);
  }
  to.quota->give_back(taken - (moved.value_or(0) == 0 ? 0 : *hole + *moved));
  return moved;
}

}  // namespace

Count read_into(Call& call, Descriptor& from, Iovs& iovs, std::optional<std::uint64_t> offset) {
  const Buffers buffers(iovs.vectors, iovs.count);
  if (offset && !fits(*offset)) return std::unexpected(Errno::inval);
  if (!from.file->is_seen()) {
    // What it is matters to those who would have to wait, which files do not.
    const Count moved =
        try_to(call, [&] { return offset ? from.file->read_at(buffers, *offset) : from.file->read(buffers); });
    if (moved || moved.error() != Errno::again) return moved;
  }
  if (from.file->is_function() && !from.file->is_stream()) {
    return try_to(call, [&] { return try_function<Direction::in>(call, *from.file, iovs, buffers, offset); });
  }
  if (offset) return try_to(call, [&] { return from.file->read_at(buffers, *offset); });
  if (from.file->is_stream()) return move_stream<Direction::in>(call, from, iovs, buffers);
  return try_to(call, [&] { return from.file->read(buffers); });
}

Count write_from(Call& call, Descriptor& to, Iovs& iovs, std::optional<std::uint64_t> offset) {
  const Buffers buffers(iovs.vectors, iovs.count);
  if (offset && !fits(*offset)) return std::unexpected(Errno::inval);
  return to.quota != nullptr ? write_within_quota(call, to, iovs, buffers, offset)
                             : write_unlimited(call, to, iovs, buffers, offset);
}

std::expected<Received, Errno> receive_into(Call& call, Descriptor& from, Iovs& iovs, bool peeks, bool all) {
  const Buffers buffers(iovs.vectors, iovs.count);
  // Of datagrams there is always one; and who does not wait gets what there is.
  if (from.type() != FileType::socket_stream || (from.flags & fdflag::nonblock) != 0) all = false;
  if (peeks && all) return peek_all(call, from, iovs, buffers);
  Remaining remaining(buffers);
  std::size_t total = 0;
  while (true) {
    auto received = when_ready(call, from, POLLIN, [&] {
      iovs.follow_memory();
      return from.file->as_socket()->receive(remaining.vectors(), peeks);
    });
    if (!received && (total == 0 || call.trap)) return received;
    // An error, or the end, behind what has come; the next call meets it again.
    if (!received || received->size == 0) return Received{.size = total};
    total += received->size;
    remaining.advance(received->size);
    if (!all || remaining.empty()) return Received{.size = total, .is_truncated = received->is_truncated};
  }
}

}  // namespace wasi::preview1

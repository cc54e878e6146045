#include "os/reservation_pool.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"

namespace wasi::os {

namespace {

// Enough for those who make and drop instances by turns, on all threads; each keeps 256 KiB of memory at most.
constexpr std::size_t kMostKept = 64;

struct Kept {
  Reservation reservation;
  std::size_t accessible = 0;
};

struct Pool {
  std::mutex mutex;
  std::vector<Kept> kept;
};

// Never destroyed: the last users may go after the statics.
Pool& pool() {
  static Pool& pool = *new Pool;
  return pool;
}

std::optional<Kept> take_kept(std::size_t size) {
  Pool& all = pool();
  const std::lock_guard lock(all.mutex);
  const auto found =
      std::find_if(all.kept.rbegin(), all.kept.rend(), [&](const Kept& one) { return one.reservation.size() == size; });
  if (found == all.kept.rend()) return std::nullopt;
  Kept taken = std::move(*found);
  all.kept.erase(std::next(found).base());
  return taken;
}

// All zero again, without the kernel where it is small.
Result<void> clear(Reservation& reservation, std::size_t accessible, KeptMemory kept) {
  const std::size_t begin = std::min(kept.at_begin, accessible);
  const std::size_t end = std::max(begin, accessible - std::min(kept.at_end, accessible));
  WASI_TRY(reservation.discard(begin, end - begin));
  std::memset(reservation.base(), 0, begin);
  std::memset(reservation.base() + end, 0, accessible - end);
  return {};
}

}  // namespace

Result<Reservation> take_reservation(std::size_t size, std::size_t accessible) {
  if (auto kept = take_kept(size)) {
    // What is more is zero, as it has to be when it is made accessible again.
    const auto adjusted = kept->accessible > accessible
                              ? kept->reservation.protect(accessible, kept->accessible - accessible)
                              : kept->reservation.commit(kept->accessible, accessible - kept->accessible);
    if (adjusted) return std::move(kept->reservation);
  }
  Reservation reservation = WASI_TRY(Reservation::reserve(size));
  WASI_TRY(reservation.commit(0, accessible));
  return reservation;
}

void give_back_reservation(Reservation reservation, std::size_t accessible, KeptMemory kept) {
  if (reservation.base() == nullptr || !clear(reservation, accessible, kept)) return;
  Pool& all = pool();
  const std::lock_guard lock(all.mutex);
  if (all.kept.size() < kMostKept) all.kept.push_back({std::move(reservation), accessible});
}

bool free_kept_reservations() {
  std::vector<Kept> freed;
  Pool& all = pool();
  const std::lock_guard lock(all.mutex);
  freed.swap(all.kept);
  return !freed.empty();
}

}  // namespace wasi::os

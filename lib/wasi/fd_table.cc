// See fd_table.h.
#include "wasi/fd_table.h"

#include <algorithm>
#include <utility>

namespace wasi::preview1 {
std::shared_ptr<Descriptor> FdTable::find(std::uint32_t fd) const {
  const std::lock_guard lock(mutex_);
  return is_open(fd) ? entries_[fd] : nullptr;
}

std::optional<std::uint32_t> FdTable::insert(std::shared_ptr<Descriptor> descriptor) {
  const std::lock_guard lock(mutex_);
  if (is_full()) return std::nullopt;
  while (lowest_free_ < entries_.size() && entries_[lowest_free_] != nullptr) ++lowest_free_;
  if (lowest_free_ == entries_.size()) entries_.emplace_back();
  entries_[lowest_free_] = std::move(descriptor);
  count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return static_cast<std::uint32_t>(lowest_free_++);
}

std::shared_ptr<Descriptor> FdTable::take(std::uint32_t fd) {
  const std::lock_guard lock(mutex_);
  if (!is_open(fd)) return nullptr;
  lowest_free_ = std::min<std::size_t>(lowest_free_, fd);
  count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return std::exchange(entries_[fd], nullptr);
}

bool FdTable::renumber(std::uint32_t from, std::uint32_t to) {
  std::shared_ptr<Descriptor> closed;  // outside of the lock: the host's close may take its time
  const std::lock_guard lock(mutex_);
  if (!is_open(from) || !is_open(to)) return false;
  if (from == to) return true;
  closed = std::exchange(entries_[to], std::exchange(entries_[from], nullptr));
  lowest_free_ = std::min<std::size_t>(lowest_free_, from);
  count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  return true;
}

}  // namespace wasi::preview1

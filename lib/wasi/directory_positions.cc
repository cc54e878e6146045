// See directory_positions.h.
#include "wasi/directory_positions.h"

#include <algorithm>
#include <new>

namespace wasi::preview1 {

bool PositionBudget::take() {
  std::uint64_t left = left_.load(std::memory_order_relaxed);
  do {
    if (left == 0) return false;
  } while (!left_.compare_exchange_weak(left, left - 1, std::memory_order_relaxed));
  return true;
}

DirectoryPositions::~DirectoryPositions() { budget_->give(charged_); }

void DirectoryPositions::forget_oldest() {
  kept_.pop_front();
  ++first_;
}

void DirectoryPositions::forget_all() {
  budget_->give(std::exchange(charged_, 0));
  kept_.clear();
  first_ = 0;
}

std::expected<std::int64_t, Errno> DirectoryPositions::go_to(std::uint64_t cookie) {
  // Numbers begin again with a listing, long before there are none left.
  if (cookie == 0 && end() > kMostNumbers / 2) forget_all();
  expected_ = first_;
  if (cookie < kFirstOwn) return static_cast<std::int64_t>(cookie);
  const std::uint64_t number = cookie - kFirstOwn;
  if (number >= end()) return std::unexpected(Errno::inval);
  if (number < first_) return std::unexpected(Errno::noent);
  expected_ = number + 1;
  return kept_[number - first_];
}

std::expected<std::uint64_t, Errno> DirectoryPositions::cookie_of(std::int64_t position) {
  if (position >= 0 && static_cast<std::uint64_t>(position) < kFirstOwn) return static_cast<std::uint64_t>(position);
  expected_ = std::max(expected_, first_);
  const std::uint64_t stop = std::min(expected_ + kLookAhead, end());
  for (std::uint64_t number = expected_; number < stop; ++number) {
    if (kept_[number - first_] != position) continue;
    expected_ = number + 1;
    return kFirstOwn + number;
  }
  // New. What was expected may still come behind it.
  const bool is_at_end = expected_ == end();
  if (const Errno error = remember(position); error != Errno::success) return std::unexpected(error);
  const std::uint64_t number = end() - 1;
  if (is_at_end) expected_ = end();
  return kFirstOwn + number;
}

Errno DirectoryPositions::remember(std::int64_t position) {
  if (end() == kMostNumbers) return Errno::overflow;
  if (kept_.size() >= kAlwaysKept) {
    if (budget_->take()) {
      ++charged_;
    } else {
      forget_oldest();
    }
  }
  try {
    kept_.push_back(position);
  } catch (const std::bad_alloc&) {
    return Errno::nomem;
  }
  return Errno::success;
}

}  // namespace wasi::preview1

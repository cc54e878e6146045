// Where listings of a host's directory stand, in numbers that programs can keep.
//
// A cookie of fd_readdir has 64 bits, but C libraries for Wasm hand it on in a `long` of 32 (telldir, seekdir). Many
// file systems (ext4, XFS, Btrfs) give positions of 63 bits, hashes of the names that come next. So what does not fit
// gets a small number here, for one open directory. Positions that fit are cookies as they are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <utility>

#include "wasi/abi.h"

namespace wasi::preview1 {

// How many positions the directories below one preopen remember together: a guest may have many open, each of millions
// of entries. Thread-safe.
class PositionBudget {
 public:
  static constexpr std::uint64_t kDefault = std::uint64_t{1} << 20;

  explicit PositionBudget(std::uint64_t positions = kDefault) : left_(positions) {}
  [[nodiscard]] bool take();
  void give(std::uint64_t positions) { left_.fetch_add(positions, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t left() const { return left_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> left_;
};

// Of one open directory. Not thread-safe: who lists it locks.
class DirectoryPositions {
 public:
  // Cookies below are the host's positions; from here on they are ours, up to the largest positive `long` of a guest.
  static constexpr std::uint64_t kFirstOwn = std::uint64_t{1} << 30;
  // As many are always remembered, with or without budget: more than a program can have in hand while it goes on from
  // where it was.
  static constexpr std::size_t kAlwaysKept = 256;

  explicit DirectoryPositions(std::shared_ptr<PositionBudget> budget) : budget_(std::move(budget)) {}
  ~DirectoryPositions();
  DirectoryPositions(const DirectoryPositions&) = delete;
  DirectoryPositions& operator=(const DirectoryPositions&) = delete;

  // A listing goes on at a cookie: the host's position. EINVAL for one that was never given, ENOENT for one that is
  // forgotten, because too many others were given since.
  std::expected<std::int64_t, Errno> go_to(std::uint64_t cookie);
  // The cookie of the position behind the next entry of that listing. The same position has the same cookie, as long as
  // the directory does not change much. EOVERFLOW after a billion of them without go_to(0), ENOMEM.
  std::expected<std::uint64_t, Errno> cookie_of(std::int64_t position);

 private:
  // How far entries are looked for behind the one before, when others in between have gone.
  static constexpr std::uint64_t kLookAhead = 8;
  static constexpr std::uint64_t kMostNumbers = kFirstOwn;

  [[nodiscard]] std::uint64_t end() const { return first_ + kept_.size(); }
  Errno remember(std::int64_t position);
  void forget_oldest();
  void forget_all();

  const std::shared_ptr<PositionBudget> budget_;
  std::deque<std::int64_t> kept_;  // the host's positions, by number
  std::uint64_t first_ = 0;        // the number of the first that is kept
  std::uint64_t charged_ = 0;      // of the budget
  std::uint64_t expected_ = 0;     // the number that the next entry had when it was listed before
};

}  // namespace wasi::preview1

// The contents of a file in memory, and the budget that they are taken from.
//
// Storage comes in chunks, where something was written: holes cost nothing, and appending never moves what is there.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <map>
#include <memory>
#include <span>

#include "wasi/abi.h"

namespace wasi::preview1 {

// How many bytes a tree of files may take. Thread-safe.
class Budget {
 public:
  explicit Budget(std::uint64_t limit) : limit_(limit) {}
  [[nodiscard]] bool take(std::uint64_t bytes);
  void give(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t limit() const { return limit_; }

 private:
  std::uint64_t limit_;
  std::atomic<std::uint64_t> used_ = 0;
};

// Bytes that somebody else made and that do not change; what owns them is kept.
struct SharedBytes {
  std::span<const std::uint8_t> bytes;
  std::shared_ptr<const void> owner;
};

// Not thread-safe: who uses it locks. Errors leave the contents as they were.
class FileData {
 public:
  // As far as an offset goes on any host.
  static constexpr std::uint64_t kMaxSize = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  static constexpr std::size_t kChunk = 4096;

  explicit FileData(Budget& budget) : budget_(budget) {}
  FileData(Budget& budget, SharedBytes base)
      : budget_(budget), size_(base.bytes.size()), visible_(base.bytes.size()), base_(std::move(base)) {}
  ~FileData() { drop_from(0); }
  FileData(const FileData&) = delete;
  FileData& operator=(const FileData&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // How many bytes were there to be read.
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> out) const;
  // How many bytes there was room for: ENOSPC or EFBIG for none of some.
  std::expected<std::size_t, Errno> write(std::uint64_t offset, std::span<const std::uint8_t> bytes);
  Errno set_size(std::uint64_t size);
  // Storage for a range, which ends at kMaxSize or before.
  Errno allocate(std::uint64_t offset, std::uint64_t length);

 private:
  using Chunk = std::array<std::uint8_t, kChunk>;
  // By number. An empty one was allocated and reads as zeros.
  using Chunks = std::map<std::uint64_t, std::unique_ptr<Chunk>>;

  void read_base(std::uint64_t offset, std::span<std::uint8_t> out) const;
  std::expected<Chunk*, Errno> writable(std::uint64_t number, bool is_overwritten);
  void drop_from(std::uint64_t number);

  Budget& budget_;
  std::uint64_t size_ = 0;
  std::uint64_t visible_ = 0;  // bytes of base_ that were not cut off
  SharedBytes base_;           // what is read where no chunk is
  Chunks chunks_;
};

}  // namespace wasi::preview1

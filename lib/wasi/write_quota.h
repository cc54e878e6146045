// How much a program may write below a directory of the host in all.
//
// It belongs to the directory that was given, and to every descriptor that was opened from there, so neither reopening
// nor renumbering nor writing the same place again gets around it. What is removed is not given back.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string_view>

#include "wasi/file.h"

namespace wasi::preview1 {

// Thread-safe.
class WriteQuota {
 public:
  // What a new file, directory or link counts, besides a link's target: none of them is free on the host.
  static constexpr std::uint64_t kNameCost = 256;

  explicit WriteQuota(std::uint64_t bytes) : left_(bytes) {}
  // As much of `bytes` as there is left.
  std::uint64_t take_up_to(std::uint64_t bytes);
  [[nodiscard]] bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { left_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> left_;
};

// Does something that counts `bytes`, of which nothing is counted when it fails; EDQUOT where there is not as much
// left. Without a quota it is just done.
template <class Function>
Errno within_quota(const std::shared_ptr<WriteQuota>& quota, std::uint64_t bytes, Function function) {
  if (quota == nullptr) return function();
  if (!quota->take(bytes)) return Errno::dquot;
  const Errno error = function();
  if (error != Errno::success) quota->give_back(bytes);
  return error;
}

// Directory::open, where a file that is created counts.
std::expected<std::shared_ptr<File>, Errno> open_within_quota(const std::shared_ptr<WriteQuota>& quota,
                                                              Directory& directory, std::string_view path,
                                                              const Opening& opening);

// Buffers, of which no more than `bytes` are shown while this lives.
class CutBuffers {
 public:
  CutBuffers(Buffers buffers, std::uint64_t bytes);
  ~CutBuffers();
  CutBuffers(const CutBuffers&) = delete;
  CutBuffers& operator=(const CutBuffers&) = delete;
  [[nodiscard]] Buffers buffers() const { return buffers_; }

 private:
  Buffers buffers_;
  std::size_t given_ = 0;  // the last one's length
};

}  // namespace wasi::preview1

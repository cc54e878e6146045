// Numbers that are given out in runs and taken back: from the lowest free ones on, so that they stay small.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace wasi::wasm {

class IdSpace {
 public:
  // Ids are below `limit`, which is at most 2^31.
  explicit IdSpace(std::uint32_t limit) : limit_(limit) {}

  // Takes `count` (not 0) ids in a row and returns the first; empty where there are none.
  std::optional<std::uint32_t> take(std::uint32_t count);
  void give_back(std::uint32_t first, std::uint32_t count) noexcept;

  [[nodiscard]] bool is_taken(std::uint32_t id) const {
    return id / 64 < taken_.size() && (taken_[id / 64] >> id % 64 & 1) != 0;
  }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  // Above all ids that are taken, or have been.
  [[nodiscard]] std::uint32_t end() const { return static_cast<std::uint32_t>(taken_.size() * 64); }

 private:
  [[nodiscard]] std::uint32_t find(std::uint32_t count, std::uint32_t from) const;
  void set(std::uint32_t first, std::uint32_t count, bool is_taken) noexcept;

  std::uint32_t limit_;
  std::uint32_t size_ = 0;
  std::vector<std::uint64_t> taken_;  // one bit each
  // By k: no 2^k free ids in a row begin below. So what was searched in vain is not searched again.
  std::array<std::uint32_t, 32> searched_{};
};

}  // namespace wasi::wasm

// What all clients together may make a server keep in memory: bodies of requests and responses.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace wasirun::serve {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t limit) : limit_(limit) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Given back with its owner, on any thread, before the budget goes.
  class Share {
   public:
    explicit Share(MemoryBudget& budget) : budget_(&budget) {}
    Share(Share&& other) noexcept : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      if (this == &other) return *this;
      set(0);
      budget_ = other.budget_;
      bytes_ = std::exchange(other.bytes_, 0);
      return *this;
    }
    ~Share() { set(0); }

    // Counts so many bytes from now on. False: all shares together are beyond the limit.
    bool set(std::uint64_t bytes) {
      const std::uint64_t before = std::exchange(bytes_, bytes);
      if (before == bytes) return true;
      return budget_->used_.fetch_add(bytes - before, std::memory_order_relaxed) + (bytes - before) <= budget_->limit_;
    }

   private:
    MemoryBudget* budget_;
    std::uint64_t bytes_ = 0;
  };

  [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_ = 0;
};

}  // namespace wasirun::serve

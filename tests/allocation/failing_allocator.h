// Lets the n-th allocation fail, and those behind it or not. Replaces this test binary's operator new.
#pragma once

#include <cstdint>

namespace wasi::test {

// While one exists, allocations of all threads are counted, and fail from number `first` on (from 0), `count` of them.
class FailingAllocator {
 public:
  FailingAllocator(std::uint64_t first, std::uint64_t count);
  ~FailingAllocator();
  FailingAllocator(const FailingAllocator&) = delete;
  FailingAllocator& operator=(const FailingAllocator&) = delete;
  // Whether any has failed.
  [[nodiscard]] bool has_failed() const;
};

}  // namespace wasi::test

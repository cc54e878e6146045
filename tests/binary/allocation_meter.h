// How much memory a piece of code has allocated at its peak. Replaces this test binary's operator new.
#pragma once

#include <cstddef>

namespace wasi::test {

// Bytes allocated beyond what was live when the meter was made; for the thread that made it, one at a time.
class AllocationMeter {
 public:
  AllocationMeter();
  [[nodiscard]] std::size_t peak() const;

 private:
  std::size_t start_;
};

}  // namespace wasi::test

// Where a store's exceptions lie: memory that is only ever added to, up to a limit.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace wasi::runtime {

class ExceptionArena {
 public:
  // Aligned for slots; null where the limit is reached.
  void* allocate(std::size_t size) {
    if (size > left_ && !add_chunk(size)) return nullptr;
    std::byte* memory = free_;
    free_ += size;
    left_ -= size;
    return memory;
  }

 private:
  static constexpr std::size_t kChunkBytes = 64U << 10;
  static constexpr std::size_t kMaxBytes = 256U << 20;

  bool add_chunk(std::size_t size) {
    const std::size_t bytes = size > kChunkBytes ? size : kChunkBytes;
    if (bytes > kMaxBytes - total_) return false;
    total_ += bytes;
    free_ = chunks_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(bytes)).get();
    left_ = bytes;
    return true;
  }

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* free_ = nullptr;
  std::size_t left_ = 0;
  std::size_t total_ = 0;
};

}  // namespace wasi::runtime

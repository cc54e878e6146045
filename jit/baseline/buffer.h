// A growing array of what can be copied as bytes, made for many small additions: growing is out of line, and memory
// stays when it is emptied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace wasi::jit::baseline {

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  [[nodiscard]] bool empty() const { return end_ == begin(); }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end_ - begin()); }
  [[nodiscard]] std::uint64_t held_bytes() const { return static_cast<std::uint64_t>(limit_ - begin()) * sizeof(T); }
  [[nodiscard]] T* data() const { return begin(); }
  [[nodiscard]] T* begin() const { return data_.get(); }
  [[nodiscard]] T* end() const { return end_; }
  [[nodiscard]] T& operator[](std::size_t index) const { return begin()[index]; }
  [[nodiscard]] T& back() const { return end_[-1]; }
  [[nodiscard]] std::span<const T> view() const { return {begin(), size()}; }

  // One more, whatever was in its place.
  T& add() {
    if (end_ == limit_) [[unlikely]]
      grow();
    return *end_++;
  }
  void push_back(const T& value) { add() = value; }
  void pop_back() { --end_; }
  void clear() { end_ = begin(); }

 private:
  [[gnu::noinline, gnu::cold]] void grow() {
    constexpr std::size_t kLeast = 64;
    const std::size_t used = size();
    const std::size_t capacity = used == 0 ? kLeast : 2 * used;
    auto data = std::make_unique<T[]>(capacity);
    if (used != 0) std::memcpy(static_cast<void*>(data.get()), begin(), used * sizeof(T));
    data_ = std::move(data);
    end_ = begin() + used;
    limit_ = begin() + capacity;
  }

  std::unique_ptr<T[]> data_;
  T* end_ = nullptr;
  T* limit_ = nullptr;
};

}  // namespace wasi::jit::baseline

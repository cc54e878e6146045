// Where the translator writes code: bytes that grow, and positions in them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace wasi::interp {

class CodeBuffer {
 public:
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_.get(), size_}; }
  void clear() { size_ = 0; }
  void truncate(std::uint32_t size) { size_ = size; }

  // Makes room for `count` more bytes; the writers below do not look.
  void reserve(std::uint32_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(count);
  }
  template <class T>
  void put(T value) {
    std::memcpy(data_.get() + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  void append(std::span<const std::uint8_t> bytes) {
    reserve(static_cast<std::uint32_t>(bytes.size()));
    std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
    size_ += static_cast<std::uint32_t>(bytes.size());
  }
  template <class T>
  [[nodiscard]] T read(std::uint32_t at) const {
    T value;
    std::memcpy(&value, data_.get() + at, sizeof value);
    return value;
  }
  template <class T>
  void write(std::uint32_t at, T value) {
    std::memcpy(data_.get() + at, &value, sizeof value);
  }

 private:
  [[gnu::noinline]] void grow(std::uint32_t count) {
    const std::uint32_t capacity = std::max<std::uint32_t>({4096, capacity_ * 2, size_ + count});
    auto data = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    std::copy_n(data_.get(), size_, data.get());
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::unique_ptr<std::uint8_t[]> data_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace wasi::interp

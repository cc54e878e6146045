// Where the translator writes code: bytes that grow, and positions in them.
#pragma once

#include <wasi/error.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "base/result.h"
#include "runtime/preparation.h"
#include "wasm/limits.h"

namespace wasi::interp {

// Thrown where a translation cannot go on, from the depth of a walk to translate(), which returns the error.
struct Stopped {
  Error error;
};

inline void stop_unless(Result<void> allowed) {
  if (!allowed) throw Stopped{std::move(allowed).error()};
}

class CodeBuffer {
 public:
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_.get(), size_}; }
  void clear() { size_ = 0; }
  // Clears it. What memory it has, and gets, is `preparation`'s.
  void start(runtime::Preparation& preparation) {
    clear();
    stop_unless(preparation.take(capacity_));
    preparation_ = &preparation;
  }
  void truncate(std::uint32_t size) { size_ = size; }
  // Between two functions: only so much memory is kept.
  void trim(std::uint32_t most) {
    if (capacity_ > most) *this = CodeBuffer();
  }

  // Makes room for `count` more bytes; the writers below do not look.
  void reserve(std::uint64_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(count);
  }
  template <class T>
  void put(T value) {
    std::memcpy(data_.get() + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  void append(std::span<const std::uint8_t> bytes) {
    reserve(bytes.size());
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
  [[gnu::noinline]] void grow(std::uint64_t count) {
    const std::uint64_t least = size_ + count;
    if (least > wasm::kMaxCodeBytes) {
      stop_unless(fail(ErrorKind::limit, "the function is too large: it would become more than {} bytes of code",
                       wasm::kMaxCodeBytes));
    }
    const std::uint64_t capacity =
        std::min(wasm::kMaxCodeBytes, std::max<std::uint64_t>({4096, std::uint64_t{capacity_} * 2, least}));
    stop_unless(preparation_->take(capacity));
    auto data = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    std::copy_n(data_.get(), size_, data.get());
    data_ = std::move(data);
    preparation_->give_back(std::exchange(capacity_, static_cast<std::uint32_t>(capacity)));
  }

  std::unique_ptr<std::uint8_t[]> data_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
  runtime::Preparation* preparation_ = nullptr;  // of the present function
};

}  // namespace wasi::interp

// Address space: reserved without memory behind it, made accessible piece by piece.
//
// 64-bit hosts only. Sizes and offsets are multiples of page_size() unless a function says otherwise.
#pragma once

#include <wasi/error.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace wasi::os {

std::size_t page_size();
// `size` rounded up to whole pages; sizes within a page of the address space's end do not occur.
std::size_t round_up_to_pages(std::size_t size);

// A range of addresses that nobody else is given. Inaccessible until committed; freed with the object.
class Reservation {
 public:
  Reservation() = default;
  ~Reservation() { release(); }
  Reservation(Reservation&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept;
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  // `io` error where the host has no such range to give (address space limits, too many mappings).
  static Result<Reservation> reserve(std::size_t size);
  // The same, accessible at once: zero pages that take memory when they are touched.
  static Result<Reservation> reserve_committed(std::size_t size);

  // Makes [offset, offset + size) readable and writable. Its pages are zero when first touched.
  Result<void> commit(std::size_t offset, std::size_t size);
  // The range is worth large pages, where the host has them.
  void prefer_large_pages(std::size_t offset, std::size_t size);
  // Makes the range inaccessible; what stood there stays until release.
  Result<void> protect(std::size_t offset, std::size_t size);
  // Gives the range's memory back: its pages are zero when next touched.
  Result<void> discard(std::size_t offset, std::size_t size);
  // Makes the range readable and writable, with what the file has from `file_offset` on, in whole pages: nothing is
  // read before it is touched, and what is written stays here. The file must stay as it is: file_mapping.h. After an
  // Error clear() has to be tried.
  Result<void> map_file(std::size_t offset, std::size_t size, int fd, std::uint64_t file_offset);
  // Makes the range readable, writable and zero, whatever it was.
  Result<void> clear(std::size_t offset, std::size_t size);
  // Grows or shrinks an accessible reservation, moving it where it must: base() changes then.
  Result<void> resize_committed(std::size_t size);

  [[nodiscard]] std::uint8_t* base() const { return base_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool contains(std::uintptr_t address) const {
    return address - reinterpret_cast<std::uintptr_t>(base_) < size_;
  }

 private:
  Reservation(std::uint8_t* base, std::size_t size) : base_(base), size_(size) {}
  static Result<Reservation> map(std::size_t size, int protection);
  void release();

  std::uint8_t* base_ = nullptr;
  std::size_t size_ = 0;
};

namespace detail {
void* allocate_zeroed(std::size_t bytes);
void free_zeroed(void* data, std::size_t bytes);
}  // namespace detail

// A fixed array of objects whose initial state is all zero bytes. Large ones are untouched zero pages:
// they cost address space until elements are used. Destructors are not run.
template <class T>
class ZeroedArray {
  static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(std::max_align_t));

 public:
  ZeroedArray() = default;
  explicit ZeroedArray(std::size_t count)
      : data_(static_cast<T*>(detail::allocate_zeroed(count * sizeof(T)))), count_(count) {}
  ~ZeroedArray() { detail::free_zeroed(data_, count_ * sizeof(T)); }
  ZeroedArray(ZeroedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  ZeroedArray& operator=(ZeroedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ZeroedArray(const ZeroedArray&) = delete;
  ZeroedArray& operator=(const ZeroedArray&) = delete;

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return count_; }
  T& operator[](std::size_t index) const { return data_[index]; }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace wasi::os

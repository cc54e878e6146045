// Reservations are mmap and mprotect; resizing is mremap.

#include "os/virtual_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>
#include <system_error>

#include "base/result.h"
#include "os/reservation_pool.h"

namespace wasi::os {

namespace {

// Below this an array comes from the heap: a system call and a page cost more than clearing it.
constexpr std::size_t kMappedArrayBytes = 32U << 10;

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up_to_pages(std::size_t size) {
  const std::size_t page = page_size();
  return (size + page - 1) & ~(page - 1);
}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    release();
    base_ = std::exchange(other.base_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Reservation::release() {
  if (base_ != nullptr) ::munmap(base_, size_);
}

Result<Reservation> Reservation::map(std::size_t size, int protection) {
  if (size == 0) return Reservation();
  // Memory is accounted for when it is touched, by whoever limits the process.
  const auto try_map = [&] {
    return ::mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  };
  void* base = try_map();
  if (base == MAP_FAILED && free_kept_reservations()) base = try_map();
  if (base == MAP_FAILED)
    return fail(ErrorKind::io, "cannot reserve {} bytes of address space: {}", size, reason(errno));
  return Reservation(static_cast<std::uint8_t*>(base), size);
}

Result<Reservation> Reservation::reserve(std::size_t size) { return map(size, PROT_NONE); }

Result<Reservation> Reservation::reserve_committed(std::size_t size) { return map(size, PROT_READ | PROT_WRITE); }

Result<void> Reservation::commit(std::size_t offset, std::size_t size) {
  if (size != 0 && ::mprotect(base_ + offset, size, PROT_READ | PROT_WRITE) != 0) {
    return fail(ErrorKind::io, "cannot make {} bytes of memory accessible: {}", size, reason(errno));
  }
  return {};
}

void Reservation::prefer_large_pages(std::size_t offset, std::size_t size) {
#if defined(MADV_HUGEPAGE)
  ::madvise(base_ + offset, size, MADV_HUGEPAGE);  // advice: a refusal changes nothing
#else
  static_cast<void>(offset), static_cast<void>(size);
#endif
}

Result<void> Reservation::protect(std::size_t offset, std::size_t size) {
  if (size != 0 && ::mprotect(base_ + offset, size, PROT_NONE) != 0) {
    return fail(ErrorKind::io, "cannot protect {} bytes of memory: {}", size, reason(errno));
  }
  return {};
}

Result<void> Reservation::discard(std::size_t offset, std::size_t size) {
  if (size != 0 && ::madvise(base_ + offset, size, MADV_DONTNEED) != 0) {
    return fail(ErrorKind::io, "cannot give back {} bytes of memory: {}", size, reason(errno));
  }
  return {};
}

Result<void> Reservation::map_file(std::size_t offset, std::size_t size, int fd, std::uint64_t file_offset) {
  const int flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE;
  if (::mmap(base_ + offset, size, PROT_READ | PROT_WRITE, flags, fd, static_cast<off_t>(file_offset)) == MAP_FAILED) {
    return fail(ErrorKind::io, "cannot map {} bytes of a file into memory: {}", size, reason(errno));
  }
  return {};
}

Result<void> Reservation::clear(std::size_t offset, std::size_t size) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  if (::mmap(base_ + offset, size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) {
    return fail(ErrorKind::io, "cannot clear {} bytes of memory: {}", size, reason(errno));
  }
  return {};
}

Result<void> Reservation::resize_committed(std::size_t size) {
  if (base_ == nullptr) {
    *this = WASI_TRY(reserve_committed(size));
    return {};
  }
  void* base = ::mremap(base_, size_, size, MREMAP_MAYMOVE);
  if (base == MAP_FAILED) return fail(ErrorKind::io, "cannot grow memory to {} bytes: {}", size, reason(errno));
  base_ = static_cast<std::uint8_t*>(base);
  size_ = size;
  return {};
}

namespace detail {

void* allocate_zeroed(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes < kMappedArrayBytes) {
    void* data = std::calloc(1, bytes);
    if (data == nullptr) throw std::bad_alloc();
    return data;
  }
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  return data;
}

void free_zeroed(void* data, std::size_t bytes) {
  if (data == nullptr) return;
  if (bytes < kMappedArrayBytes) {
    std::free(data);
  } else {
    ::munmap(data, bytes);
  }
}

}  // namespace detail

}  // namespace wasi::os

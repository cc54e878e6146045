// How small objects get their memory: size classes, and the cursors from which running code takes cells.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace wasi::runtime {

class GcHeap;
struct TypeLayout;

inline constexpr std::size_t kLargestCell = 32U << 10;

// Size classes: multiples of 8 bytes up to 64, then four per doubling.
inline constexpr std::uint32_t kSizeClasses = 43;
inline constexpr std::uint32_t kLargeClass = kSizeClasses;  // no cells: its cursor is always empty

constexpr std::uint32_t size_class_of(std::uint64_t bytes) {
  const std::uint64_t units = (bytes + 7) / 8;
  if (units <= 2) return 0;
  if (units <= 8) return static_cast<std::uint32_t>(units) - 2;
  if (bytes > kLargestCell) return kLargeClass;
  const auto top = static_cast<std::uint32_t>(std::bit_width(units - 1)) - 1;
  return 7 + (top - 3) * 4 + static_cast<std::uint32_t>((units - 1) >> (top - 2)) - 4;
}
constexpr std::uint32_t cell_bytes_of(std::uint32_t size_class) {
  if (size_class < 7) return (size_class + 2) * 8;
  const std::uint32_t doubling = (size_class - 7) / 4;
  return ((size_class - 7) % 4 + 5) << (doubling + 1) << 3;
}
static_assert(size_class_of(kLargestCell) == kSizeClasses - 1 && cell_bytes_of(kSizeClasses - 1) == kLargestCell);
static_assert(cell_bytes_of(size_class_of(65)) == 80 && cell_bytes_of(size_class_of(129)) == 160);

// Where the next cell of a size class is taken from: memory whose heads are zero.
struct Cursor {
  std::uint8_t* next = nullptr;
  std::uint8_t* end = nullptr;
};

// The part of a store's heap that running code uses by itself; it is in ExecState. Where the bytes from `next` to `end`
// do not suffice, GcHeap::take_slowly is asked.
struct GcState {
  Cursor cursors[kSizeClasses + 1];     // by size class
  const TypeLayout* layouts = nullptr;  // by TypeId
  GcHeap* heap = nullptr;               // null until something needs it
};

}  // namespace wasi::runtime

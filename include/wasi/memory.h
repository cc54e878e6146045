// A linear memory, seen from the host.
//
// The guest may hand over any address: every access here is checked, and fails instead of reaching outside.
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#memory-instances
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>
#include <wasi/detail/store_ref.h>
#include <wasi/error.h>
#include <wasi/store.h>
#include <wasi/types.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wasi {

namespace runtime {
class Memory;
class MemoryStorage;
}  // namespace runtime

class Memory;

// A memory that stores on several threads share: it is given to each of them by a Linker, or as a handle in(store). It
// lives until the last handle and the last store that has it are gone, and never moves.
// Thread-safe, and copies refer to the same memory; what threads do to its bytes at once is for them to order.
class SharedMemory {
 public:
  SharedMemory(const SharedMemory&) = default;  // no moves: a moved-from handle stays valid
  SharedMemory& operator=(const SharedMemory&) = default;

  // `type` says is_shared and has a maximum not below its minimum, else `argument`; `limit` or `io` when it cannot be
  // had.
  WASI_API static Result<SharedMemory> create(const Engine& engine, const MemoryType& type);

  [[nodiscard]] WASI_API MemoryType type() const;
  [[nodiscard]] std::uint64_t size() const { return bytes().size(); }  // in bytes
  // Adds pages; the old number of pages, or empty when the type's maximum forbids it. No store's limit counts.
  WASI_API std::optional<std::uint64_t> grow(std::uint64_t delta_pages) const;
  // All bytes that there are now. They stay where they are.
  [[nodiscard]] WASI_API std::span<std::uint8_t> bytes() const;

  // The memory as an object of `store`, whose limit it counts for; the same one each time.
  [[nodiscard]] WASI_API Result<Memory> in(Store& store) const;

 private:
  friend struct detail::Internals;
  explicit SharedMemory(std::shared_ptr<runtime::MemoryStorage> storage) : storage_(std::move(storage)) {}
  std::shared_ptr<runtime::MemoryStorage> storage_;
};

// A handle; copies refer to the same memory. A default-made one is empty: its size is 0 and every access fails.
// Same thread as its store. Handles that come from a Caller do not keep their store alive, and are empty when it is
// gone; all others keep it alive.
class Memory {
 public:
  Memory() = default;
  // A memory of the host's, to be imported by guests. Fails with `argument` for a type that no module could
  // declare (a maximum below the minimum, shared without a maximum), with `limit` or `io` when it cannot be had.
  WASI_API static Result<Memory> create(Store& store, const MemoryType& type);

  explicit operator bool() const { return memory() != nullptr; }
  [[nodiscard]] WASI_API MemoryType type() const;
  [[nodiscard]] std::uint64_t size() const { return bytes().size(); }  // in bytes
  [[nodiscard]] WASI_API std::uint64_t pages() const;
  // Adds pages; the old number of pages, or empty when the type's maximum or the store's limit forbids it.
  WASI_API std::optional<std::uint64_t> grow(std::uint64_t delta_pages);

  // The memory to be given to other stores; empty where it is not shared.
  [[nodiscard]] WASI_API std::optional<SharedMemory> shared() const;

  // All bytes. Growing (by the guest as well) may move them: take the span again after any call into the guest.
  [[nodiscard]] WASI_API std::span<std::uint8_t> bytes() const;
  // [address, address + size), or empty when that is not inside of the memory. The same caution about growing.
  [[nodiscard]] WASI_API std::optional<std::span<std::uint8_t>> range(std::uint64_t address, std::uint64_t size) const;
  // The same as text.
  [[nodiscard]] WASI_API std::optional<std::string_view> text(std::uint64_t address, std::uint64_t size) const;
  // Reads and writes a plain object (little-endian, any alignment).
  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::optional<T> read(std::uint64_t address) const {
    const auto part = range(address, sizeof(T));
    if (!part) return std::nullopt;
    T value;
    std::memcpy(&value, part->data(), sizeof(T));
    return value;
  }
  // False, and nothing written, when the object would not be inside.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] bool write(std::uint64_t address, const T& value) const {
    const auto part = range(address, sizeof(T));
    if (!part) return false;
    std::memcpy(part->data(), &value, sizeof(T));
    return true;
  }

 private:
  friend struct detail::Internals;
  friend class Extern;
  [[nodiscard]] runtime::Memory* memory() const { return store_.get() == nullptr ? nullptr : memory_; }
  detail::StoreRef store_;
  runtime::Memory* memory_ = nullptr;
};

}  // namespace wasi

// Linear memories: reservations with guard pages, or plain growing storage with explicit checks.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "os/virtual_memory.h"
#include "runtime/bounds_checks.h"
#include "runtime/vmcontext.h"
#include "wasm/types.h"

namespace wasi::runtime {

class Store;

// One linear memory. Lives as long as its store; instances refer to its view.
class Memory {
 public:
  // Reserves and commits the minimum. `checks` asks for guard pages; where the reservation fails
  // (address space limits) the memory has explicit checks instead: ask checks(). Memories with 64-bit
  // addresses always have explicit checks. Shared ones are refused as `unsupported`, sizes beyond the store's
  // limit or what the host can address as `limit`.
  static Result<std::unique_ptr<Memory>> create(Store& store, const wasm::MemoryType& type, BoundsChecks checks);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  [[nodiscard]] const wasm::MemoryType& type() const { return type_; }
  [[nodiscard]] BoundsChecks checks() const { return checks_; }
  [[nodiscard]] std::uint64_t pages() const { return view_.byte_size / wasm::kPageSize; }
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return {view_.base, view_.byte_size}; }
  [[nodiscard]] MemoryView* view() { return &view_; }
  // The address lies in the memory or in its guard pages.
  [[nodiscard]] bool owns(std::uintptr_t address) const { return storage_.contains(address); }

  // Adds `delta` pages within the type's maximum and the store's limit; the old size in pages, or -1.
  std::int64_t grow(std::uint64_t delta);

  // [address, address + size) as a span; empty optional when it is not inside (overflow-safe).
  [[nodiscard]] std::optional<std::span<std::uint8_t>> range(std::uint64_t address, std::uint64_t size) const {
    if (address > view_.byte_size || size > view_.byte_size - address) return std::nullopt;
    return std::span(view_.base + address, size);
  }

 private:
  Memory(Store& store, const wasm::MemoryType& type);
  Result<void> reserve(BoundsChecks checks);
  Result<void> set_size(std::uint64_t bytes);

  MemoryView view_;
  wasm::MemoryType type_;
  BoundsChecks checks_ = BoundsChecks::explicit_checks;
  bool moves_ = false;  // the storage is exactly as large as the memory and moves when it grows
  Store* store_;
  os::Reservation storage_;  // of address space, guards included
};

}  // namespace wasi::runtime

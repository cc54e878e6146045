// Linear memories as a store has them.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "runtime/memory_storage.h"

namespace wasi::runtime {

class Store;

// One linear memory in a store, and its share of the store's limit. Lives as long as its store; instances refer to
// its view. Of a shared memory, each store has a Memory of its own on one storage.
class Memory {
 public:
  // `limit` for sizes beyond the store's limit or what the host can address.
  static Result<std::unique_ptr<Memory>> create(Store& store, const wasm::MemoryType& type, BoundsChecks checks);
  // A shared memory that exists; what it has grown to counts for the store's limit.
  static Result<std::unique_ptr<Memory>> adopt(Store& store, std::shared_ptr<MemoryStorage> storage);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  [[nodiscard]] const wasm::MemoryType& type() const { return storage_->type(); }
  [[nodiscard]] BoundsChecks checks() const { return storage_->checks(); }
  [[nodiscard]] std::uint64_t pages() const { return storage_->pages(); }
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return storage_->bytes(); }
  [[nodiscard]] bool moves() const { return storage_->moves(); }  // when it grows
  [[nodiscard]] MemoryView* view() { return &storage_->view(); }
  [[nodiscard]] bool owns(std::uintptr_t address) const { return storage_->owns(address); }
  [[nodiscard]] const std::shared_ptr<MemoryStorage>& storage() const { return storage_; }

  // Adds `delta` pages within the type's maximum and the store's limit; the old size in pages, or -1.
  std::int64_t grow(std::uint64_t delta);

  // [address, address + size) as a span; empty optional when it is not inside (overflow-safe).
  [[nodiscard]] std::optional<std::span<std::uint8_t>> range(std::uint64_t address, std::uint64_t size) const {
    const std::span<std::uint8_t> all = bytes();
    if (address > all.size() || size > all.size() - address) return std::nullopt;
    return all.subspan(address, size);
  }

 private:
  Memory(Store& store, std::shared_ptr<MemoryStorage> storage, std::uint64_t accounted)
      : storage_(std::move(storage)), store_(&store), accounted_(accounted) {}

  std::shared_ptr<MemoryStorage> storage_;
  Store* store_;
  // Bytes of the store's limit. Others may have grown a shared memory since: that counts when this store grows it.
  std::uint64_t accounted_;
};

}  // namespace wasi::runtime

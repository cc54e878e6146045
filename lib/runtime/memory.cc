// Memories in a store: what its limit allows.
#include "runtime/memory.h"

#include "base/result.h"
#include "runtime/store.h"

namespace wasi::runtime {

namespace {

Result<void> account(Store& store, std::uint64_t bytes) {
  if (store.reserve_memory(bytes)) return {};
  return fail(ErrorKind::limit, "a memory of {} bytes exceeds the store's limit of {} bytes", bytes,
              store.options().limits.memory_bytes);
}

}  // namespace

// The accounting ends with the store, like the memory itself.
Result<std::unique_ptr<Memory>> Memory::create(Store& store, const wasm::MemoryType& type, BoundsChecks checks) {
  const std::uint64_t bytes = WASI_TRY(MemoryStorage::bytes_of(type));
  WASI_TRY(account(store, bytes));
  auto storage = MemoryStorage::create(type, checks);
  if (!storage) {
    store.release_memory(bytes);
    return std::unexpected(std::move(storage).error());
  }
  return std::unique_ptr<Memory>(new Memory(store, std::move(*storage), bytes));
}

Result<std::unique_ptr<Memory>> Memory::adopt(Store& store, std::shared_ptr<MemoryStorage> storage) {
  const std::uint64_t bytes = storage->byte_size();
  WASI_TRY(account(store, bytes));
  return std::unique_ptr<Memory>(new Memory(store, std::move(storage), bytes));
}

std::int64_t Memory::grow(std::uint64_t delta) {
  const std::lock_guard lock(storage_->growth());
  const std::uint64_t old_pages = pages();
  const std::optional<std::uint64_t> bytes = storage_->size_after(delta);
  if (!bytes || !store_->reserve_memory(*bytes - accounted_)) return -1;
  if (!storage_->set_size(*bytes)) {
    store_->release_memory(*bytes - accounted_);
    return -1;
  }
  accounted_ = *bytes;
  return static_cast<std::int64_t>(old_pages);
}

}  // namespace wasi::runtime

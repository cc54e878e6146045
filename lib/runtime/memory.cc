// Memories in a store: what its limit allows.
#include "runtime/memory.h"

#include <algorithm>

#include "base/result.h"
#include "runtime/store.h"
#include "wasm/limits.h"

namespace wasi::runtime {

namespace {

std::uint64_t most_bytes(const wasm::MemoryType& type) {
  const std::uint64_t pages = wasm::max_pages(type.address, type.page_log2);
  const std::uint64_t most = std::min(type.limits.max.value_or(pages), pages);
  return most > UINT64_MAX >> type.page_log2 ? UINT64_MAX : most << type.page_log2;
}

Result<void> account(Store& store, const wasm::MemoryType& type, std::uint64_t bytes) {
  if (!store.reserve_memory(bytes)) {
    return fail(ErrorKind::limit, "a memory of {} bytes exceeds the store's limit of {} bytes", bytes,
                store.options().limits.memory_bytes);
  }
  if (store.may_grow(Resource::memory, 0, bytes, most_bytes(type))) return {};
  store.release_memory(bytes);
  return fail(ErrorKind::limit, "the embedder's limiter refuses a memory of {} bytes", bytes);
}

}  // namespace

// The accounting ends with the store, like the memory itself.
Result<std::unique_ptr<Memory>> Memory::create(Store& store, const wasm::MemoryType& type, BoundsChecks checks) {
  const std::uint64_t bytes = WASI_TRY(MemoryStorage::bytes_of(type));
  WASI_TRY(account(store, type, bytes));
  auto storage = MemoryStorage::create(type, checks);
  if (!storage) {
    store.release_memory(bytes);
    return std::unexpected(std::move(storage).error());
  }
  return std::unique_ptr<Memory>(new Memory(store, std::move(*storage), bytes));
}

Result<std::unique_ptr<Memory>> Memory::adopt(Store& store, std::shared_ptr<MemoryStorage> storage) {
  const std::uint64_t bytes = storage->byte_size();
  WASI_TRY(account(store, storage->type(), bytes));
  return std::unique_ptr<Memory>(new Memory(store, std::move(storage), bytes));
}

std::int64_t Memory::grow(std::uint64_t delta) {
  std::unique_lock lock(storage_->growth());
  while (true) {
    const std::uint64_t old_pages = pages();
    const std::uint64_t old_bytes = storage_->byte_size();
    const std::optional<std::uint64_t> bytes = storage_->size_after(delta);
    if (!bytes || !store_->reserve_memory(*bytes - accounted_)) return -1;
    const std::uint64_t taken = *bytes - accounted_;
    if (*bytes != old_bytes && store_->options().limiter != nullptr) {
      // The embedder is asked without the lock, so the memory may be another size by now: then it is asked again.
      lock.unlock();
      const bool may_grow = store_->may_grow(Resource::memory, old_bytes, *bytes, most_bytes(type()));
      lock.lock();
      const bool is_as_before = storage_->byte_size() == old_bytes;
      if (!may_grow || !is_as_before) store_->release_memory(taken);
      if (!may_grow) return -1;
      if (!is_as_before) continue;
    }
    if (!storage_->set_size(*bytes)) {
      store_->release_memory(taken);
      return -1;
    }
    accounted_ = *bytes;
    return static_cast<std::int64_t>(old_pages);
  }
}

}  // namespace wasi::runtime

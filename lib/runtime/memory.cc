// Linear memories: where their bytes stand and how they grow.
#include "runtime/memory.h"

#include <algorithm>

#include "base/result.h"
#include "runtime/memory_faults.h"
#include "runtime/store.h"
#include "runtime/tuning.h"

namespace wasi::runtime {

namespace {

// What this host can address, whatever the type allows.
constexpr std::uint64_t kMostPages64 = kMostMemoryBytes / wasm::kPageSize;

std::uint64_t most_pages(wasm::AddressType address) {
  return address == wasm::AddressType::i64 ? kMostPages64 : wasm::kMaxPages32;
}

std::uint64_t maximum_pages(const wasm::MemoryType& type) {
  const std::uint64_t most = most_pages(type.address);
  return std::min(type.limits.max.value_or(most), most);
}

}  // namespace

Memory::Memory(Store& store, const wasm::MemoryType& type) : type_(type), store_(&store) {
  view_.index_mask = index_mask(type.address);
}

Result<std::unique_ptr<Memory>> Memory::create(Store& store, const wasm::MemoryType& type, BoundsChecks checks) {
  if (type.is_shared) return fail(ErrorKind::unsupported, "not yet supported: shared memories");
  if (const std::uint64_t most = most_pages(type.address); type.limits.min > most) {
    return fail(ErrorKind::limit, "a memory of {} pages cannot be had: at most {} are possible", type.limits.min, most);
  }
  const std::uint64_t bytes = type.limits.min * wasm::kPageSize;
  if (!store.reserve_memory(bytes)) {
    return fail(ErrorKind::limit, "a memory of {} bytes exceeds the store's limit of {} bytes", bytes,
                store.options().limits.memory_bytes);
  }
  std::unique_ptr<Memory> memory(new Memory(store, type));
  Result<void> done = memory->reserve(checks);
  if (done) done = memory->set_size(bytes);
  if (!done) {
    store.release_memory(bytes);
    return std::unexpected(std::move(done).error());
  }
  return memory;
}

// The accounting ends with the store, like the memory itself.
Memory::~Memory() = default;

// Chooses the storage: guarded, as large as it can ever be, or as large as it is.
Result<void> Memory::reserve(BoundsChecks checks) {
  // No reservation reaches as far as a 64-bit address.
  if (checks == BoundsChecks::guard_pages && type_.address == wasm::AddressType::i32) {
    if (auto reserved = os::Reservation::reserve(kGuardedReservation + kGuardBytes)) {
      WASI_TRY(install_memory_fault_handler());
      storage_ = std::move(*reserved);
      checks_ = BoundsChecks::guard_pages;
      return {};
    }
  }
  checks_ = BoundsChecks::explicit_checks;
  const std::uint64_t maximum = maximum_pages(type_) * wasm::kPageSize;
  if (maximum <= kReserveMaximumBelow) {
    if (auto reserved = os::Reservation::reserve(maximum)) {
      storage_ = std::move(*reserved);
      return {};
    }
  }
  moves_ = true;
  return {};
}

Result<void> Memory::set_size(std::uint64_t bytes) {
  if (bytes == view_.byte_size) {
    view_.base = storage_.base();
    return {};
  }
  if (moves_) {
    WASI_TRY(storage_.resize_committed(bytes));
  } else {
    WASI_TRY(storage_.commit(view_.byte_size, bytes - view_.byte_size));
  }
  view_.base = storage_.base();
  view_.byte_size = bytes;
  return {};
}

std::int64_t Memory::grow(std::uint64_t delta) {
  const std::uint64_t old_pages = pages();
  const std::uint64_t maximum = maximum_pages(type_);
  if (delta > maximum || old_pages > maximum - delta) return -1;
  const std::uint64_t bytes = delta * wasm::kPageSize;
  if (!store_->reserve_memory(bytes)) return -1;
  if (!set_size(view_.byte_size + bytes)) {
    store_->release_memory(bytes);
    return -1;
  }
  return static_cast<std::int64_t>(old_pages);
}

}  // namespace wasi::runtime

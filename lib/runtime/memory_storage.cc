#include "runtime/memory_storage.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/result.h"
#include "os/reservation_pool.h"
#include "runtime/guarded_memory.h"
#include "runtime/memory_faults.h"
#include "runtime/tuning.h"
#include "wasm/limits.h"

namespace wasi::runtime {

namespace {

constexpr std::uint64_t kMostGuardedBytes = kGuardedReservation - kNeverInMemory;

// That are there now, in all stores.
std::atomic<std::uint64_t> guarded_memories = 0;

// What this host can address, whatever the type allows.
std::uint64_t most_pages(const wasm::MemoryType& type) {
  return std::min(wasm::max_pages(type.address, type.page_log2), kMostMemoryBytes >> type.page_log2);
}

std::uint64_t maximum_pages(const wasm::MemoryType& type) {
  const std::uint64_t most = most_pages(type);
  return std::min(type.limits.max.value_or(most), most);
}

}  // namespace

MemoryStorage::MemoryStorage(const wasm::MemoryType& type) : type_(type) {
  view_.index_mask = index_mask(type.address);
  view_.page_log2 = type.page_log2;
}

// No reservation reaches as far as a 64-bit address, and no guard begins within a page of the host's.
bool MemoryStorage::can_be_guarded(const wasm::MemoryType& type) {
  return type.address == wasm::AddressType::i32 && type.page_size() >= os::page_size() &&
         type.limits.min <= kMostGuardedBytes >> type.page_log2;
}

Result<std::uint64_t> MemoryStorage::bytes_of(const wasm::MemoryType& type) {
  if (const std::uint64_t most = most_pages(type); type.limits.min > most) {
    return fail(ErrorKind::limit, "a memory of {} pages cannot be had: at most {} are possible", type.limits.min, most);
  }
  return type.limits.min << type.page_log2;
}

Result<std::shared_ptr<MemoryStorage>> MemoryStorage::create(const wasm::MemoryType& type, BoundsChecks checks) {
  const std::uint64_t bytes = WASI_TRY(bytes_of(type));
  std::shared_ptr<MemoryStorage> storage(new MemoryStorage(type));
  WASI_TRY(storage->reserve(checks, bytes));
  WASI_TRY(storage->set_size(bytes));
  return storage;
}

MemoryStorage::~MemoryStorage() {
  if (checks_ != BoundsChecks::guard_pages) return;
  guarded_memories.fetch_sub(1, std::memory_order_relaxed);
  if (view_.size() > kMostPooledMemoryBytes) return;
  // To others it is to be zero, and a file is no place to get pages of zeros from.
  if (is_mapped_ && !storage_.clear(mapped_begin_, mapped_end_ - mapped_begin_)) return;
  os::give_back_reservation(std::move(storage_), view_.size(), {.at_begin = is_mapped_ ? 0 : kKeptMemoryBytes});
}

// With `bytes` accessible at once.
bool MemoryStorage::reserve_guarded(std::uint64_t bytes) {
  if (guarded_memories.fetch_add(1, std::memory_order_relaxed) < kMostGuardedMemories) {
    if (auto reserved = os::take_reservation(kGuardedReservation + kGuardBytes, bytes)) {
      storage_ = std::move(*reserved);
      checks_ = BoundsChecks::guard_pages;
      view_.byte_size.store(bytes);
      return true;
    }
  }
  guarded_memories.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

// Chooses the storage: guarded, as large as it can ever be, or as large as it is.
Result<void> MemoryStorage::reserve(BoundsChecks checks, std::uint64_t bytes) {
  if (checks == BoundsChecks::guard_pages && can_be_guarded(type_)) {
    WASI_TRY(install_memory_fault_handler());
    if (reserve_guarded(bytes)) return {};
  }
  checks_ = BoundsChecks::explicit_checks;
  const std::uint64_t maximum = os::round_up_to_pages(maximum_pages(type_) << type_.page_log2);
  if (type_.is_shared) return reserve_for_good(maximum);
  if (maximum <= kReserveMaximumBelow) {
    if (auto reserved = os::Reservation::reserve(maximum)) {
      storage_ = std::move(*reserved);
      return {};
    }
  }
  moves_ = true;
  return {};
}

// A shared memory cannot move. Of a maximum that the host has no room for it gets as much as there is: growing
// beyond fails, as growing may.
Result<void> MemoryStorage::reserve_for_good(std::uint64_t most_bytes) {
  const std::uint64_t least_bytes = os::round_up_to_pages(type_.limits.min << type_.page_log2);
  for (;;) {
    auto reserved = os::Reservation::reserve(most_bytes);
    if (reserved) {
      storage_ = std::move(*reserved);
      return {};
    }
    if (most_bytes == least_bytes) return std::unexpected(std::move(reserved).error());
    most_bytes = std::max(least_bytes, os::round_up_to_pages(most_bytes / 2));
  }
}

Result<void> MemoryStorage::set_size(std::uint64_t bytes) {
  // The host gives whole pages of its own.
  const std::uint64_t old_committed = os::round_up_to_pages(view_.size());
  const std::uint64_t committed = os::round_up_to_pages(bytes);
  if (committed != old_committed) {
    if (moves_) {
      WASI_TRY(storage_.resize_committed(committed));
    } else {
      WASI_TRY(storage_.commit(old_committed, committed - old_committed));
    }
  }
  if (view_.base != storage_.base()) view_.base = storage_.base();
  view_.byte_size.store(bytes);
  return {};
}

Result<void> MemoryStorage::write_image(const wasm::MemoryImage& image) {
  // What moves is one mapping, and stays one.
  const int file = moves_ ? -1 : image.file;
  for (const wasm::MemoryImage::Run& run : image.runs) WASI_TRY(write_run(run, file));
  return {};
}

Result<void> MemoryStorage::write_run(const wasm::MemoryImage::Run& run, int file) {
  const std::size_t page = os::page_size();
  const auto address = static_cast<std::size_t>(run.address);
  const std::size_t size = run.bytes.size();
  const bool can_be_mapped = file >= 0 && address % page == 0 && size % page == 0 && run.file_offset % page == 0;
  if (can_be_mapped && size >= kLeastMappedImage) {
    if (!is_mapped_) mapped_begin_ = address;
    is_mapped_ = true;
    mapped_end_ = address + size;
    if (storage_.map_file(address, size, file, run.file_offset)) return {};
    WASI_TRY(storage_.clear(address, size));
  }
  std::memcpy(storage_.base() + address, run.bytes.data(), size);
  return {};
}

std::optional<std::uint64_t> MemoryStorage::size_after(std::uint64_t delta) const {
  const bool is_guarded = checks_ == BoundsChecks::guard_pages;
  const std::uint64_t maximum =
      std::min(maximum_pages(type_), is_guarded ? kMostGuardedBytes >> type_.page_log2 : UINT64_MAX);
  if (delta > maximum || pages() > maximum - delta) return std::nullopt;
  const std::uint64_t bytes = (pages() + delta) << type_.page_log2;
  if (!moves_ && bytes > storage_.size()) return std::nullopt;
  return bytes;
}

}  // namespace wasi::runtime

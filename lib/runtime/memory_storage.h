// Where the bytes of a linear memory stand, and how they grow: guarded reservations, or plain storage with
// explicit checks.
//
// A memory of one store has a storage to itself. That of a shared memory belongs to all stores that were given it:
// it never moves, and grows under its lock.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "os/virtual_memory.h"
#include "runtime/bounds_checks.h"
#include "runtime/vmcontext.h"
#include "wasm/memory_image.h"
#include "wasm/types.h"

namespace wasi::runtime {

class MemoryStorage {
 public:
  // Reserves and commits the minimum. `checks` asks for guard pages; where there cannot be any (64-bit addresses, no
  // room in the address space) the storage has explicit checks instead: ask checks(). What this host cannot address
  // is refused as `limit`.
  static Result<std::shared_ptr<MemoryStorage>> create(const wasm::MemoryType& type, BoundsChecks checks);
  // Whether guard pages can stand around such a memory, if the host has the address space.
  static bool can_be_guarded(const wasm::MemoryType& type);
  // What create() would allocate; `limit` where it is more than this host can address.
  static Result<std::uint64_t> bytes_of(const wasm::MemoryType& type);

  ~MemoryStorage();
  MemoryStorage(const MemoryStorage&) = delete;
  MemoryStorage& operator=(const MemoryStorage&) = delete;

  [[nodiscard]] const wasm::MemoryType& type() const { return type_; }
  [[nodiscard]] BoundsChecks checks() const { return checks_; }
  [[nodiscard]] MemoryView& view() { return view_; }
  [[nodiscard]] std::uint64_t byte_size() const { return view_.size(); }
  [[nodiscard]] std::uint64_t pages() const { return view_.size() >> type_.page_log2; }
  // The bytes may stand elsewhere after the memory has grown.
  [[nodiscard]] bool moves() const { return moves_; }
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return {view_.base, view_.size()}; }
  // The address lies in the memory or in its guard pages.
  [[nodiscard]] bool owns(std::uintptr_t address) const { return storage_.contains(address); }

  // Writes what fits() this memory, to which nobody has written yet: by mapping, where that is possible and pays. `io`
  // error where the host refuses memory.
  Result<void> write_image(const wasm::MemoryImage& image);

  // Growth: whoever grows holds the lock from the question to the answer.
  [[nodiscard]] std::mutex& growth() { return growth_; }
  // The size with `delta` more pages; empty where type or host forbid it.
  [[nodiscard]] std::optional<std::uint64_t> size_after(std::uint64_t delta) const;
  Result<void> set_size(std::uint64_t bytes);

 private:
  explicit MemoryStorage(const wasm::MemoryType& type);
  bool reserve_guarded(std::uint64_t bytes);
  Result<void> reserve(BoundsChecks checks, std::uint64_t bytes);
  Result<void> reserve_for_good(std::uint64_t most_bytes);
  Result<void> write_run(const wasm::MemoryImage::Run& run, int file);

  MemoryView view_;
  wasm::MemoryType type_;
  BoundsChecks checks_ = BoundsChecks::explicit_checks;
  bool moves_ = false;      // the storage is exactly as large as the memory and moves when it grows
  bool is_mapped_ = false;  // of [mapped_begin_, mapped_end_) something is a file's
  std::size_t mapped_begin_ = 0;
  std::size_t mapped_end_ = 0;
  std::mutex growth_;
  os::Reservation storage_;  // of address space, guards included
};

}  // namespace wasi::runtime

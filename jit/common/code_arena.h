// An engine's machine code: pieces of one reserved range, so that a rel32 reaches from any piece to any other.
//
// A compiler asks for a piece, whose address is known from then on, writes it through writable(), and publishes it; the
// piece's memory goes back with the object. Freed code is overwritten with trap instructions before anyone can get its
// place, and chunks without code lose their memory. What is never writable and executable at once, what happens where
// the host refuses executable memory, and what fork() does: os/code_memory.h. The arena's mutex may be held by another
// thread at a fork, so a child leaves the arena of its parent alone.
// Thread-safe; a piece belongs to one thread at a time.
#pragma once

#include <wasi/error.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "jit/common/free_ranges.h"
#include "os/code_memory.h"
#include "os/virtual_memory.h"
#include "runtime/native_tuning.h"

namespace wasi::jit {

class CodeArena;

inline constexpr std::size_t kCodeAlignment = 64;

struct CodeArenaOptions {
  // Address space, a power of two from a chunk to kMostReservedCodeBytes. A host that has less gives less, but not
  // less than `least_reserved`.
  std::size_t reserved = runtime::kReservedCodeBytes;
  std::size_t least_reserved = runtime::kLeastReservedCodeBytes;
  std::size_t limit = runtime::kReservedCodeBytes;  // of bytes in pieces
  os::CodeViews views = os::CodeViews::any;
};

struct CodeArenaStatistics {
  std::size_t reserved = 0;   // address space
  std::size_t limit = 0;      // of used bytes
  std::size_t committed = 0;  // with memory behind it
  std::size_t used = 0;       // in pieces, as rounded up
  std::size_t pieces = 0;
};

// A place for machine code, freed with the object: no thread may be in its code then, or come back to it.
class CodePiece {
 public:
  CodePiece() = default;
  ~CodePiece() { reset(); }
  CodePiece(CodePiece&& other) noexcept { *this = std::move(other); }
  CodePiece& operator=(CodePiece&& other) noexcept;
  CodePiece(const CodePiece&) = delete;
  CodePiece& operator=(const CodePiece&) = delete;

  // Where it runs, aligned to kCodeAlignment; of the size that was asked for.
  [[nodiscard]] std::span<const std::uint8_t> code() const { return code_; }
  // Where it is written; trap instructions at first. Empty once it is published.
  [[nodiscard]] std::span<std::uint8_t> writable() const { return writable_; }
  // Ends writing: what was written can be executed. After an Error it cannot, and the piece is of no use.
  Result<void> publish();

 private:
  friend class CodeArena;
  void reset();

  CodeArena* arena_ = nullptr;
  std::span<const std::uint8_t> code_;
  std::span<std::uint8_t> writable_;
};

class CodeArena {
 public:
  // `io` error where the host refuses the address space, or memory that can be executed.
  static Result<std::unique_ptr<CodeArena>> create(const CodeArenaOptions& options = {});
  // All pieces are gone by then.
  ~CodeArena();
  CodeArena(const CodeArena&) = delete;
  CodeArena& operator=(const CodeArena&) = delete;

  // `limit` error beyond the limit or without a free range that is long enough, `io` error without memory.
  Result<CodePiece> allocate(std::size_t size);

  // The range that all pieces lie in.
  [[nodiscard]] std::span<const std::uint8_t> range() const { return {memory_.code(), memory_.size()}; }
  [[nodiscard]] bool has_two_views() const { return memory_.has_two_views(); }
  [[nodiscard]] CodeArenaStatistics statistics() const;

 private:
  friend class CodePiece;
  struct Chunk {
    std::uint32_t used = 0;  // bytes in pieces
    bool is_committed = false;
  };

  CodeArena(os::CodeMemory memory, std::size_t limit);
  [[nodiscard]] std::size_t rounded(std::size_t size) const;
  Result<void> commit(std::size_t offset, std::size_t size);
  Result<void> publish(std::span<const std::uint8_t> code);
  void free(std::span<const std::uint8_t> code);
  Result<void> overwrite(std::size_t offset, std::size_t size);
  void count_in_chunks(std::size_t offset, std::size_t size);
  void count_out_of_chunks(std::size_t offset, std::size_t size);
  void keep_or_discard(std::size_t chunk);

  mutable std::mutex mutex_;  // guards all below, but not what is in the memory
  os::CodeMemory memory_;
  FreeRanges free_;  // in units of kCodeAlignment
  os::ZeroedArray<Chunk> chunks_;
  std::size_t committed_ = 0;
  // Chunks whose last piece was freed and that have their memory still: the lowest ones, which are used first. One more
  // while it is being decided which to discard.
  std::array<std::size_t, runtime::kKeptCodeBytes / runtime::kCodeChunkBytes + 1> kept_{};
  std::size_t kept_count_ = 0;
  std::size_t limit_ = 0;
  std::size_t used_ = 0;
  std::size_t pieces_ = 0;
};

}  // namespace wasi::jit

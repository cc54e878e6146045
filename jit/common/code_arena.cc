// Pieces are units of a FreeRanges; chunks of memory are committed under the first piece in them.

#include "jit/common/code_arena.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/guard.h"
#include "base/result.h"

namespace wasi::jit {

namespace {

constexpr std::size_t kChunk = runtime::kCodeChunkBytes;

// Calls f(chunk, bytes) for each chunk that [offset, offset + size) has bytes of.
template <class F>
void for_chunks(std::size_t offset, std::size_t size, F&& f) {
  while (size != 0) {
    const std::size_t here = std::min(size, kChunk - offset % kChunk);
    f(offset / kChunk, here);
    offset += here;
    size -= here;
  }
}

}  // namespace

CodePiece& CodePiece::operator=(CodePiece&& other) noexcept {
  if (this != &other) {
    reset();
    arena_ = std::exchange(other.arena_, nullptr);
    code_ = std::exchange(other.code_, {});
    writable_ = std::exchange(other.writable_, {});
  }
  return *this;
}

void CodePiece::reset() {
  if (arena_ != nullptr) std::exchange(arena_, nullptr)->free(code_);
  code_ = {};
  writable_ = {};
}

Result<void> CodePiece::publish() {
  WASI_CHECK(!writable_.empty());
  writable_ = {};
  return arena_->publish(code_);
}

CodeArena::CodeArena(os::CodeMemory memory, std::size_t limit)
    : memory_(std::move(memory)),
      free_(memory_.size() / kCodeAlignment),
      chunks_(memory_.size() / kChunk),
      limit_(limit) {}

CodeArena::~CodeArena() { WASI_CHECK(pieces_ == 0); }

Result<std::unique_ptr<CodeArena>> CodeArena::create(const CodeArenaOptions& options) {
  return guarded([&]() -> Result<std::unique_ptr<CodeArena>> {
    if (!std::has_single_bit(options.reserved) || options.reserved < kChunk ||
        options.reserved > runtime::kMostReservedCodeBytes) {
      return fail(ErrorKind::argument,
                  "cannot reserve {} bytes for machine code: expected a power of two from {} to {}", options.reserved,
                  kChunk, runtime::kMostReservedCodeBytes);
    }
    auto memory = os::CodeMemory::reserve(options.reserved, options.views);
    const std::size_t least = std::max(options.least_reserved, kChunk);
    for (std::size_t size = options.reserved / 2; !memory && size >= least; size /= 2) {
      auto smaller = os::CodeMemory::reserve(size, options.views);
      if (smaller) memory = std::move(smaller);
    }
    if (!memory) return std::unexpected(std::move(memory).error());
    return std::unique_ptr<CodeArena>(new CodeArena(*std::move(memory), options.limit));
  });
}

std::size_t CodeArena::rounded(std::size_t size) const {
  const std::size_t unit = std::max(kCodeAlignment, memory_.write_unit());
  return (size + unit - 1) & ~(unit - 1);
}

Result<CodePiece> CodeArena::allocate(std::size_t size) {
  return guarded([&]() -> Result<CodePiece> {
    if (size == 0) return fail(ErrorKind::argument, "machine code of no bytes");
    const std::lock_guard lock(mutex_);
    const std::size_t left = limit_ - std::min(used_, limit_);
    const std::size_t taken = size <= memory_.size() ? rounded(size) : size;
    if (taken > left) {
      return fail(ErrorKind::limit, "{} bytes of machine code are more than the {} that are left of {}", size, left,
                  limit_);
    }
    const auto unit = taken <= memory_.size() ? free_.take(taken / kCodeAlignment) : std::nullopt;
    if (!unit) {
      return fail(ErrorKind::limit, "no room for {} bytes of machine code: {} of {} are in use", size, used_,
                  memory_.size());
    }
    const std::size_t offset = *unit * kCodeAlignment;
    // Without these bytes its neighbours are as they were.
    auto writable = [&]() -> Result<std::span<std::uint8_t>> {
      WASI_TRY(commit(offset, taken));
      return memory_.begin_write(offset, size);
    }();
    if (!writable) {
      free_.give_back(*unit, taken / kCodeAlignment);
      return std::unexpected(std::move(writable).error());
    }
    count_in_chunks(offset, taken);
    used_ += taken;
    ++pieces_;
    CodePiece piece;
    piece.arena_ = this;
    piece.code_ = {memory_.code() + offset, size};
    piece.writable_ = *writable;
    return piece;
  });
}

Result<void> CodeArena::commit(std::size_t offset, std::size_t size) {
  const std::size_t end = (offset + size - 1) / kChunk + 1;
  for (std::size_t first = offset / kChunk; first < end;) {
    std::size_t behind = first;
    while (behind < end && !chunks_[behind].is_committed) ++behind;
    if (behind == first) {
      ++first;
      continue;
    }
    const std::size_t bytes = (behind - first) * kChunk;
    WASI_TRY(memory_.commit(first * kChunk, bytes));
    committed_ += bytes;
    for (; first < behind; ++first) chunks_[first].is_committed = true;
  }
  return {};
}

void CodeArena::count_in_chunks(std::size_t offset, std::size_t size) {
  for_chunks(offset, size, [&](std::size_t chunk, std::size_t bytes) {
    if (chunks_[chunk].used == 0) {
      const auto kept = kept_.begin() + static_cast<std::ptrdiff_t>(kept_count_);
      kept_count_ = static_cast<std::size_t>(std::remove(kept_.begin(), kept, chunk) - kept_.begin());
    }
    chunks_[chunk].used += static_cast<std::uint32_t>(bytes);
  });
}

void CodeArena::count_out_of_chunks(std::size_t offset, std::size_t size) {
  for_chunks(offset, size, [&](std::size_t chunk, std::size_t bytes) {
    chunks_[chunk].used -= static_cast<std::uint32_t>(bytes);
    if (chunks_[chunk].used == 0) keep_or_discard(chunk);
  });
}

void CodeArena::keep_or_discard(std::size_t chunk) {
  kept_[kept_count_++] = chunk;
  if (kept_count_ < kept_.size()) return;
  std::swap(*std::max_element(kept_.begin(), kept_.end()), kept_.back());
  const std::size_t discarded = kept_[--kept_count_];
  // Whether or not the host took all of it, it is committed anew before it is used.
  std::ignore = memory_.discard(discarded * kChunk, kChunk);
  chunks_[discarded].is_committed = false;
  committed_ -= kChunk;
}

Result<void> CodeArena::publish(std::span<const std::uint8_t> code) {
  return memory_.publish(static_cast<std::size_t>(code.data() - memory_.code()), code.size());
}

Result<void> CodeArena::overwrite(std::size_t offset, std::size_t size) {
  const std::span<std::uint8_t> writable = WASI_TRY(memory_.begin_write(offset, size));
  std::memset(writable.data(), os::kTrapByte, size);
  return memory_.publish(offset, size);
}

void CodeArena::free(std::span<const std::uint8_t> code) {
  const auto offset = static_cast<std::size_t>(code.data() - memory_.code());
  // Before anyone else can be given the place. Where the host refuses it, nobody is.
  const bool is_clean = overwrite(offset, code.size()).has_value();
  const std::lock_guard lock(mutex_);
  --pieces_;
  if (!is_clean) return;
  const std::size_t taken = rounded(code.size());
  used_ -= taken;
  free_.give_back(offset / kCodeAlignment, taken / kCodeAlignment);
  count_out_of_chunks(offset, taken);
}

CodeArenaStatistics CodeArena::statistics() const {
  const std::lock_guard lock(mutex_);
  return {.reserved = memory_.size(), .limit = limit_, .committed = committed_, .used = used_, .pieces = pieces_};
}

}  // namespace wasi::jit

// See memory_data.h.
#include "wasi/memory_data.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace wasi::preview1 {

bool Budget::take(std::uint64_t bytes) {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ || used > limit_ - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

void FileData::read_base(std::uint64_t offset, std::span<std::uint8_t> out) const {
  const std::size_t covered =
      offset < visible_ ? static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), visible_ - offset)) : 0;
  if (covered != 0) std::memcpy(out.data(), base_.bytes.data() + offset, covered);
  std::memset(out.data() + covered, 0, out.size() - covered);
}

std::size_t FileData::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset >= size_ || out.empty()) return 0;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
  std::size_t done = 0;
  auto next = chunks_.lower_bound(offset / kChunk);
  while (done < count) {
    const std::uint64_t at = offset + done;
    const std::size_t within = at % kChunk;
    if (next == chunks_.end() || next->first != at / kChunk) {
      // Up to the next chunk nothing was written.
      const std::uint64_t end = next == chunks_.end() ? offset + count : next->first * kChunk;
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(count - done, end - at));
      read_base(at, out.subspan(done, length));
      done += length;
      continue;
    }
    const std::size_t length = std::min(kChunk - within, count - done);
    if (next->second != nullptr) {
      std::memcpy(out.data() + done, next->second->data() + within, length);
    } else {
      std::memset(out.data() + done, 0, length);
    }
    done += length;
    ++next;
  }
  return count;
}

std::expected<FileData::Chunk*, Errno> FileData::writable(std::uint64_t number, bool is_overwritten) {
  auto place = chunks_.lower_bound(number);
  const bool is_there = place != chunks_.end() && place->first == number;
  if (is_there && place->second != nullptr) return place->second.get();
  if (!is_there && !budget_.take(kChunk)) return std::unexpected(Errno::nospc);
  try {
    auto chunk = std::make_unique_for_overwrite<Chunk>();
    if (!is_overwritten) {
      if (is_there) {
        chunk->fill(0);
      } else {
        read_base(number * kChunk, *chunk);
      }
    }
    if (!is_there) place = chunks_.emplace_hint(place, number, nullptr);
    place->second = std::move(chunk);
  } catch (const std::bad_alloc&) {
    if (!is_there) budget_.give(kChunk);
    return std::unexpected(Errno::nospc);
  }
  return place->second.get();
}

std::expected<std::size_t, Errno> FileData::write(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return 0;
  if (offset >= kMaxSize) return std::unexpected(Errno::fbig);
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), kMaxSize - offset));
  std::size_t done = 0;
  while (done < count) {
    const std::uint64_t at = offset + done;
    const std::size_t within = at % kChunk;
    const std::size_t length = std::min(kChunk - within, count - done);
    const auto chunk = writable(at / kChunk, length == kChunk);
    if (!chunk) {
      if (done == 0) return std::unexpected(chunk.error());
      break;
    }
    std::memcpy((*chunk)->data() + within, bytes.data() + done, length);
    done += length;
  }
  size_ = std::max(size_, offset + done);
  return done;
}

void FileData::drop_from(std::uint64_t number) {
  for (auto chunk = chunks_.lower_bound(number); chunk != chunks_.end();) {
    chunk = chunks_.erase(chunk);
    budget_.give(kChunk);
  }
}

Errno FileData::set_size(std::uint64_t size) {
  if (size < size_) {
    drop_from(size / kChunk + (size % kChunk != 0 ? 1 : 0));
    // What is cut off must not come back when the file grows again.
    if (const auto last = chunks_.find(size / kChunk); last != chunks_.end() && last->second != nullptr) {
      std::memset(last->second->data() + size % kChunk, 0, kChunk - size % kChunk);
    }
    visible_ = std::min(visible_, size);
    if (visible_ == 0) base_ = {};
  }
  size_ = size;
  return Errno::success;
}

Errno FileData::allocate(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return Errno::inval;
  const std::uint64_t first = offset / kChunk;
  const std::uint64_t last = (offset + length - 1) / kChunk;
  // What is asked for is more than all there is: said before anything is made.
  if (last - first >= budget_.limit() / kChunk) return Errno::nospc;
  std::uint64_t missing = last - first + 1;
  for (auto chunk = chunks_.lower_bound(first); chunk != chunks_.end() && chunk->first <= last; ++chunk) --missing;
  if (!budget_.take(missing * kChunk)) return Errno::nospc;
  std::uint64_t made = 0;
  try {
    auto next = chunks_.lower_bound(first);
    for (std::uint64_t number = first; number <= last; ++number) {
      if (next != chunks_.end() && next->first == number) {
        ++next;
        continue;
      }
      std::unique_ptr<Chunk> chunk;
      if (number * kChunk < visible_) {
        chunk = std::make_unique_for_overwrite<Chunk>();
        read_base(number * kChunk, *chunk);
      }
      chunks_.emplace_hint(next, number, std::move(chunk));
      ++made;
    }
  } catch (const std::bad_alloc&) {
    budget_.give((missing - made) * kChunk);
    return Errno::nospc;
  }
  size_ = std::max(size_, offset + length);
  return Errno::success;
}

}  // namespace wasi::preview1

// The layout: u32 count of blocks; per block u32 first code offset, u32 begin in the stream; the stream. Numbers are in
// the machine's order of bytes, as the code is of the machine's kind.

#include "runtime/offset_table.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/guard.h"
#include "base/result.h"

namespace wasi::runtime {

namespace {

struct Block {
  std::uint32_t code_offset = 0;
  std::uint32_t begin = 0;
};

constexpr std::size_t kCountBytes = sizeof(std::uint32_t);

void append_leb(std::vector<std::uint8_t>& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value) | 0x80);
  out.push_back(static_cast<std::uint8_t>(value));
}

// 0 where the bytes end; bits beyond 64 are lost.
std::uint64_t read_leb(std::span<const std::uint8_t>& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; !bytes.empty(); shift += 7) {
    const std::uint8_t byte = bytes.front();
    bytes = bytes.subspan(1);
    if (shift < 64) value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) break;
  }
  return value;
}

// Differences of either sign as small numbers: 0, -1, 1, -2, ...
std::uint64_t zigzag(std::uint64_t difference) {
  return difference << 1 ^ (difference >> 63 != 0 ? ~std::uint64_t{0} : 0);
}
std::uint64_t unzigzag(std::uint64_t number) { return number >> 1 ^ ((number & 1) != 0 ? ~std::uint64_t{0} : 0); }

}  // namespace

Result<std::vector<std::uint8_t>> encode_offset_table(std::span<const OffsetEntry> entries) {
  return guarded([&]() -> Result<std::vector<std::uint8_t>> {
    std::vector<Block> blocks;
    std::vector<std::uint8_t> stream;
    OffsetEntry before;
    std::size_t in_block = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const OffsetEntry& entry = entries[i];
      if (i + 1 < entries.size()) {
        WASI_CHECK(entry.code_offset <= entries[i + 1].code_offset);
        if (entry.code_offset == entries[i + 1].code_offset) continue;
      }
      if (in_block == 0) {
        if (stream.size() > std::numeric_limits<std::uint32_t>::max()) {
          return fail(ErrorKind::limit, "a table of {} code offsets is too large", entries.size());
        }
        blocks.push_back({entry.code_offset, static_cast<std::uint32_t>(stream.size())});
        append_leb(stream, entry.value);
      } else {
        append_leb(stream, entry.code_offset - before.code_offset);
        append_leb(stream, zigzag(entry.value - before.value));
      }
      before = entry;
      in_block = (in_block + 1) % OffsetTable::kBlockEntries;
    }
    std::vector<std::uint8_t> table;
    if (blocks.empty()) return table;
    table.resize(kCountBytes + blocks.size() * sizeof(Block) + stream.size());
    const auto count = static_cast<std::uint32_t>(blocks.size());
    std::memcpy(table.data(), &count, kCountBytes);
    std::memcpy(table.data() + kCountBytes, blocks.data(), blocks.size() * sizeof(Block));
    std::copy(stream.begin(), stream.end(), table.end() - static_cast<std::ptrdiff_t>(stream.size()));
    return table;
  });
}

namespace {

// A table's blocks.
class Blocks {
 public:
  // False where the bytes are no table.
  bool open(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kCountBytes) return false;
    std::uint32_t count = 0;
    std::memcpy(&count, bytes.data(), kCountBytes);
    index_ = bytes.subspan(kCountBytes);
    if (count > index_.size() / sizeof(Block)) return false;
    count_ = count;
    stream_ = index_.subspan(count_ * sizeof(Block));
    return true;
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] Block operator[](std::size_t index) const {
    Block read;
    std::memcpy(&read, index_.data() + index * sizeof(Block), sizeof(Block));
    return read;
  }
  // The part of the stream that belongs to a block.
  [[nodiscard]] std::span<const std::uint8_t> stream(std::size_t index) const {
    const std::size_t begin = (*this)[index].begin;
    const std::size_t end = index + 1 < count_ ? (*this)[index + 1].begin : stream_.size();
    return begin <= end && end <= stream_.size() ? stream_.subspan(begin, end - begin) : stream_.first(0);
  }

 private:
  std::span<const std::uint8_t> index_;
  std::span<const std::uint8_t> stream_;
  std::size_t count_ = 0;
};

}  // namespace

std::optional<OffsetEntry> OffsetTable::at_or_before(std::uint32_t code_offset) const noexcept {
  Blocks blocks;
  if (!blocks.open(bytes_)) return std::nullopt;
  // The first block that begins beyond.
  std::size_t low = 0;
  std::size_t high = blocks.count();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (blocks[middle].code_offset <= code_offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return std::nullopt;
  std::span<const std::uint8_t> left = blocks.stream(low - 1);
  if (left.empty()) return std::nullopt;
  OffsetEntry entry{blocks[low - 1].code_offset, read_leb(left)};
  while (!left.empty()) {
    const std::uint64_t step = read_leb(left);
    const std::uint64_t difference = unzigzag(read_leb(left));
    if (step > code_offset - entry.code_offset) break;
    entry.code_offset += static_cast<std::uint32_t>(step);
    entry.value += difference;
  }
  return entry;
}

std::vector<OffsetEntry> OffsetTable::entries() const {
  std::vector<OffsetEntry> entries;
  Blocks blocks;
  if (!blocks.open(bytes_)) return entries;
  for (std::size_t index = 0; index < blocks.count(); ++index) {
    std::span<const std::uint8_t> left = blocks.stream(index);
    if (left.empty()) continue;
    OffsetEntry entry{blocks[index].code_offset, read_leb(left)};
    entries.push_back(entry);
    while (!left.empty()) {
      entry.code_offset += static_cast<std::uint32_t>(read_leb(left));
      entry.value += unzigzag(read_leb(left));
      entries.push_back(entry);
    }
  }
  return entries;
}

std::optional<std::uint64_t> OffsetTable::at(std::uint32_t code_offset) const noexcept {
  const std::optional<OffsetEntry> entry = at_or_before(code_offset);
  if (!entry || entry->code_offset != code_offset) return std::nullopt;
  return entry->value;
}

}  // namespace wasi::runtime

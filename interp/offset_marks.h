// Where instructions came from: pairs of (position in the code, byte offset in the module), of those at which a frame
// can stand. Kept as LEB128 differences, with an index beside them, so that a look-up takes no longer in a large
// function.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/trim.h"
#include "interp/code_buffer.h"

namespace wasi::interp {

// Every kIndexedMarks-th pair, and where the differences to it begin.
struct IndexedMark {
  std::uint64_t offset = 0;
  std::uint32_t position = 0;
  std::uint32_t behind = 0;
};
inline constexpr std::uint32_t kIndexedMarks = 64;

struct OffsetTable {
  std::span<const std::uint8_t> differences;
  std::span<const IndexedMark> index;

  [[nodiscard]] std::uint64_t size_bytes() const { return differences.size_bytes() + index.size_bytes(); }
  // The byte offset of the instruction whose code begins at `position`. Neither allocates nor locks.
  [[nodiscard]] std::optional<std::uint64_t> find(std::uint32_t position) const;
};

// A table while the function is translated. Positions only rise.
class OffsetMarks {
 public:
  void start(runtime::Preparation& preparation) { bytes_.start(preparation); }
  void clear() {
    bytes_.clear();
    index_.clear();
    has_newest_ = false;
    count_ = 0;
    encoded_ = {};
  }
  void trim(std::uint32_t most) {
    bytes_.trim(most);
    wasi::trim(index_, most);
  }
  // Of several at one position the last one counts.
  void add(std::uint32_t position, std::uint64_t offset) {
    if (!has_newest_ || newest_.position != position) finish();
    newest_ = {offset, position, 0};
    has_newest_ = true;
  }
  // The newest one is of the instruction at `from`, if there is one; then that is at `to` now.
  void move(std::uint32_t from, std::uint32_t to) {
    if (has_newest_ && newest_.position == from) newest_.position = to;
  }
  // Before table().
  void finish() {
    if (has_newest_) encode();
  }
  [[nodiscard]] OffsetTable table() const { return {bytes_.bytes(), index_}; }
  // Memory that is not the buffer's own.
  [[nodiscard]] std::uint64_t held_bytes() const { return index_.capacity() * sizeof(IndexedMark); }

 private:
  void encode();
  void put_leb(std::uint64_t value);

  CodeBuffer bytes_;
  std::vector<IndexedMark> index_;
  IndexedMark newest_;  // not encoded yet: its instruction may still move
  bool has_newest_ = false;
  std::uint32_t count_ = 0;
  IndexedMark encoded_;  // the last one that is
};

}  // namespace wasi::interp

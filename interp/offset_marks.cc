#include "interp/offset_marks.h"

#include <algorithm>

namespace wasi::interp {

namespace {

std::uint64_t read_leb(const std::uint8_t*& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint8_t byte = *at++;
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
}

constexpr std::uint32_t kLongestPair = 5 + 10;

}  // namespace

// Called from the fault handler, too.
std::optional<std::uint64_t> OffsetTable::find(std::uint32_t wanted) const {
  const auto after = std::ranges::upper_bound(index, wanted, {}, &IndexedMark::position);
  IndexedMark mark;
  if (after != index.begin()) mark = *(after - 1);
  if (after != index.begin() && mark.position == wanted) return mark.offset;
  std::uint64_t position = mark.position;
  std::uint64_t offset = mark.offset;
  const std::uint8_t* const end = differences.data() + differences.size();
  for (const std::uint8_t* at = differences.data() + mark.behind; at != end;) {
    position += read_leb(at);
    offset += read_leb(at);
    if (position == wanted) return offset;
    if (position > wanted) return std::nullopt;
  }
  return std::nullopt;
}

void OffsetMarks::put_leb(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.put(static_cast<std::uint8_t>(value | 0x80));
  bytes_.put(static_cast<std::uint8_t>(value));
}

void OffsetMarks::encode() {
  has_newest_ = false;
  bytes_.reserve(kLongestPair);
  put_leb(newest_.position - encoded_.position);
  put_leb(newest_.offset - encoded_.offset);
  encoded_ = newest_;
  encoded_.behind = bytes_.size();
  if (++count_ % kIndexedMarks == 0) index_.push_back(encoded_);
}

}  // namespace wasi::interp

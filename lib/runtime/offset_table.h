// Sorted tables from offsets in machine code to a number, in a few bytes per entry: to the place in the module
// (marks), and to the trap code (trap sites).
//
// A table is plain bytes, so it can lie in a file and be read where that is mapped. Entries stand in blocks of
// kBlockEntries. The first of a block has its code offset in the index in front, which is bisected, and its value in
// full; the others are differences to the one before, as LEB128, signed ones zigzag. Reading allocates nothing, takes
// no lock, ends and stays within the bytes whatever they are: signal handlers do it.
#pragma once

#include <wasi/error.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace wasi::runtime {

struct OffsetEntry {
  std::uint32_t code_offset = 0;  // from the function's begin
  std::uint64_t value = 0;
  friend bool operator==(const OffsetEntry&, const OffsetEntry&) = default;
};

// `entries` are in the order of their code offsets; of equal ones the last counts. `limit` error where the table would
// be larger than its own offsets can tell, or memory runs out.
Result<std::vector<std::uint8_t>> encode_offset_table(std::span<const OffsetEntry> entries);

// A view of a table's bytes, which outlive it.
class OffsetTable {
 public:
  static constexpr std::size_t kBlockEntries = 16;

  OffsetTable() = default;
  explicit OffsetTable(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  // The last entry whose code offset is not beyond this one.
  [[nodiscard]] std::optional<OffsetEntry> at_or_before(std::uint32_t code_offset) const noexcept;
  // The value at exactly this code offset.
  [[nodiscard]] std::optional<std::uint64_t> at(std::uint32_t code_offset) const noexcept;
  // All, in order. Throws std::bad_alloc.
  [[nodiscard]] std::vector<OffsetEntry> entries() const;

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace wasi::runtime

// A function's translation: what a call of it needs to know. FunctionCode::interpreter points to it.
#pragma once

#include <cstdint>
#include <optional>

#include "interp/offset_marks.h"

namespace wasi::interp {

// Slots that a call clears without counting: most functions have fewer locals than that, and no branch
// on their number is cheaper than any.
inline constexpr std::uint32_t kClearedSlots = 4;

struct CatchTable;

struct Translation {
  const std::uint8_t* code = nullptr;  // the first instruction
  std::uint32_t frame_slots = 0;       // most slots that the frame uses, its callees' arguments included
  std::uint32_t parameter_slots = 0;
  std::uint32_t local_slots = 0;  // behind the parameters: zero at entry
  std::uint32_t call_cost = 1;    // what a call takes from the budget: more than 1 where much code is in no loop
  std::uint32_t code_size = 0;
  std::uint32_t offsets_size = 0;  // of the differences of an OffsetTable, which lie behind the code
  std::uint32_t index_size = 0;    // and of its index, of which few functions have any
  const IndexedMark* index = nullptr;
  const CatchTable* catches = nullptr;  // null where the function catches nothing
  const OffsetTable* loops = nullptr;   // where they begin, and their `loop` instructions; null where there are none

  [[nodiscard]] bool contains(std::uintptr_t address) const {
    return address - reinterpret_cast<std::uintptr_t>(code) < code_size;
  }
  [[nodiscard]] OffsetTable offsets() const { return {{code + code_size, offsets_size}, {index, index_size}}; }
  // The byte offset in the module of the instruction whose code begins at `ip`. Called from the fault handler, too.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(const std::uint8_t* ip) const {
    if (!contains(reinterpret_cast<std::uintptr_t>(ip))) return std::nullopt;
    return offsets().find(static_cast<std::uint32_t>(ip - code));
  }
  // The byte offset in the module of the loop whose code begins at `ip`.
  [[nodiscard]] std::optional<std::uint64_t> loop_at(const std::uint8_t* ip) const {
    if (loops == nullptr) return std::nullopt;
    return loops->find(static_cast<std::uint32_t>(ip - code));
  }
};

}  // namespace wasi::interp

// The interpreter's instructions as C++ data: enumerators, names, layouts, lengths. The table is isa.def.
//
// An instruction in memory is the handler's offset (32 bits, from the dispatch's base) and then its
// operands without padding, in the order of the layout; slots are 16-bit numbers. Any 2-byte address will do.
#pragma once

#include <cstdint>
#include <string_view>

namespace wasi::interp {

enum class Code : std::uint16_t {
#define ISA(name, layout, ...) name,
#include "interp/forms.def"
#undef ISA
};

inline constexpr std::uint16_t kCodeCount = 0
#define ISA(name, layout, ...) +1
#include "interp/forms.def"
#undef ISA
    ;

// The handler's offset, at the head of each instruction.
inline constexpr std::uint32_t kHeadSize = 4;

// Bytes that the operand of this layout letter takes; a branch table's targets are not counted.
constexpr std::uint32_t operand_size(char letter) {
  switch (letter) {
    case 'I':
      return 8;
    case 'i':
    case 'o':
    case 'b':
    case 'x':
    case 't':
      return 4;
    default:
      return 2;
  }
}

constexpr std::uint32_t length_of_layout(std::string_view layout) {
  std::uint32_t length = kHeadSize;
  for (char letter : layout) length += operand_size(letter);
  return length;
}

struct CodeInfo {
  std::string_view name;
  std::string_view layout;
  std::uint32_t length;  // of the head and all operands
};

inline constexpr CodeInfo kCodes[] = {
#define ISA(name, layout, ...) {#name, layout, length_of_layout(layout)},
#include "interp/forms.def"
#undef ISA
};

constexpr const CodeInfo& info(Code code) { return kCodes[static_cast<std::uint16_t>(code)]; }

// The forms of a family follow each other; this is the one that stands `form` behind `first`.
constexpr Code form_of(Code first, unsigned form) {
  return static_cast<Code>(static_cast<std::uint16_t>(first) + form);
}

// Where an instruction that writes a slot names it.
inline constexpr std::uint32_t kDestinationAt = kHeadSize;

}  // namespace wasi::interp

// The interpreter's instructions as C++ data: enumerators, names, layouts, lengths. The tables are isa.def and
// isa_simd.def.
//
// An instruction in memory is the handler's offset (32 bits, from the dispatch's base) and then its
// operands without padding, in the order of the layout; slots are 16-bit numbers. Any 2-byte address will do.
//
// A fused instruction (fused.def) is two that follow each other and stay as they are in memory: only the
// head of the first one changes. So its unfused expansion is itself with that head put back, and a branch may
// lead to the second part.
#pragma once

#include <cstdint>
#include <string_view>

namespace wasi::interp {

enum class Code : std::uint16_t {
#define ISA(name, layout, ...) name,
#include "interp/forms.def"
#undef ISA
#define ISA_FUSE(first, second) first##__##second,
#define ISA_FUSE_TEMP(first, second) first##_t_##second,
#include "interp/fused.def"
#undef ISA_FUSE
#undef ISA_FUSE_TEMP
};

// The unfused ones come first.
inline constexpr std::uint16_t kPlainCodeCount = 0
#define ISA(name, layout, ...) +1
#include "interp/forms.def"
#undef ISA
    ;
inline constexpr std::uint16_t kCodeCount = kPlainCodeCount
#define ISA_FUSE(first, second) +1
#define ISA_FUSE_TEMP(first, second) +1
#include "interp/fused.def"
#undef ISA_FUSE
#undef ISA_FUSE_TEMP
    ;

// The handler's offset, at the head of each instruction.
inline constexpr std::uint32_t kHeadSize = 4;
// Bytes of an instruction. None but br_table is longer.
inline constexpr std::uint32_t kMaxInstructionSize = 32;

// Bytes that the operand of this layout letter takes; a branch table's targets are not counted.
constexpr std::uint32_t operand_size(char letter) {
  switch (letter) {
    case 'V':
      return 16;
    case 'I':
    case 'O':
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

// Of an unfused instruction.
constexpr const CodeInfo& info(Code code) { return kCodes[static_cast<std::uint16_t>(code)]; }

// What a fused instruction consists of; `first` may be fused itself.
struct Fusion {
  Code first;
  Code second;
  bool temporary;  // the first one's result is read by the second one alone
  Code fused;
};

inline constexpr Fusion kFusions[] = {
#define ISA_FUSE(first, second) {Code::first, Code::second, false, Code::first##__##second},
#define ISA_FUSE_TEMP(first, second) {Code::first, Code::second, true, Code::first##_t_##second},
#include "interp/fused.def"
#undef ISA_FUSE
#undef ISA_FUSE_TEMP
};

constexpr bool is_fused(Code code) { return static_cast<std::uint16_t>(code) >= kPlainCodeCount; }
constexpr const Fusion& fusion_of(Code fused) { return kFusions[static_cast<std::uint16_t>(fused) - kPlainCodeCount]; }

// The fused instruction that these two make; Code::exit where there is none.
Code find_fusion(Code first, Code second, bool temporary);

// The forms of a family follow each other; this is the one that stands `form` behind `first`.
constexpr Code form_of(Code first, unsigned form) {
  return static_cast<Code>(static_cast<std::uint16_t>(first) + form);
}

// Where an instruction that writes a slot names it.
inline constexpr std::uint32_t kDestinationAt = kHeadSize;

}  // namespace wasi::interp

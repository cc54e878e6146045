// Instructions of x86-64 as numbers: what an encoder has to know of them, and of their operands.
#pragma once

#include <cstdint>

#include "jit/common/assembler_x64.h"

namespace wasi::jit::baseline {

namespace Inst = x64::Inst;

struct InstructionForms {
  // An instruction with a register and another operand, which is a register or memory; and what asmjit calls it.
  struct Form {
    std::uint16_t opcode = 0;  // one byte, or two of which 0F is the first
    std::uint8_t prefix = 0;   // or none
    std::uint8_t rex = 0;      // what is set in it anyway
    std::uint16_t inst = 0;
    std::uint16_t flags : 4 = 0;
    std::uint16_t reg_size : 6 = 0;  // 16: a vector
    std::uint16_t other_size : 6 = 0;
  };
  enum FormFlag : std::uint8_t {
    kLong = 1,    // two bytes
    kStored = 2,  // the register is the second operand
    kAlone = 4,   // the other operand is the only one, and in place of a register stands a number
  };
  static constexpr std::uint8_t kOperandSize = 0x66;  // the prefix of 16 bits
  static constexpr std::uint8_t kRex = 0x40;
  static constexpr std::uint8_t kRexW = 0x48;

  static constexpr std::uint16_t two_bytes(std::uint32_t opcode) {
    return static_cast<std::uint16_t>(0x0F | opcode << 8);
  }
  static constexpr std::uint8_t rex_of(std::uint32_t size) { return size == 8 ? kRexW : 0; }
  // A byte register that is named as ah to dh would be, without the prefix.
  static constexpr std::uint8_t rex_of_byte(const x64::Gp& reg) { return reg.size() == 1 && reg.id() >= 4 ? kRex : 0; }

  // `opcode` is that for more than 8 bits.
  static constexpr Form general(std::uint32_t inst, std::uint32_t opcode, std::uint32_t size) {
    return {.opcode = static_cast<std::uint16_t>(opcode - (size == 1 ? 1 : 0)),
            .prefix = size == 2 ? kOperandSize : std::uint8_t{0},
            .rex = rex_of(size),
            .inst = static_cast<std::uint16_t>(inst),
            .reg_size = static_cast<std::uint16_t>(size),
            .other_size = static_cast<std::uint16_t>(size)};
  }
  static constexpr Form general(std::uint32_t inst, std::uint32_t opcode, const x64::Gp& reg) {
    Form form = general(inst, opcode, reg.size());
    form.rex |= rex_of_byte(reg);
    return form;
  }
  static constexpr Form general(std::uint32_t inst, std::uint32_t opcode, const x64::Gp& reg, const x64::Gp& other) {
    Form form = general(inst, opcode, reg);
    form.rex |= rex_of_byte(other);
    return form;
  }
  // From 8 bits, or 16 by the opcode behind that.
  static constexpr Form extended(std::uint32_t inst, std::uint32_t opcode, std::uint32_t size, std::uint32_t other) {
    return {.opcode = two_bytes(opcode + (other == 2 ? 1 : 0)),
            .rex = rex_of(size),
            .inst = static_cast<std::uint16_t>(inst),
            .flags = kLong,
            .reg_size = static_cast<std::uint16_t>(size),
            .other_size = static_cast<std::uint16_t>(other)};
  }
  static constexpr Form extended(std::uint32_t inst, std::uint32_t opcode, std::uint32_t size, const x64::Gp& other) {
    Form form = extended(inst, opcode, size, other.size());
    form.rex |= rex_of_byte(other);
    return form;
  }
  static constexpr Form vector(std::uint32_t inst, std::uint32_t opcode, std::uint32_t prefix, std::uint32_t size) {
    return {.opcode = two_bytes(opcode),
            .prefix = static_cast<std::uint8_t>(prefix),
            .inst = static_cast<std::uint16_t>(inst),
            .flags = kLong,
            .reg_size = 16,
            .other_size = static_cast<std::uint16_t>(size)};
  }
  static constexpr Form stored(Form form) {
    form.flags |= kStored;
    return form;
  }
  static constexpr Form lea_form(std::uint32_t size) {
    Form form = general(Inst::kIdLea, 0x8D, size);
    form.other_size = 0;
    return form;
  }
  static constexpr Form movsxd_form() {
    Form form = general(Inst::kIdMovsxd, 0x63, 8);
    form.other_size = 4;
    return form;
  }
  // To what a register or memory says.
  static constexpr Form jump_form(std::uint32_t inst) {
    return {.opcode = 0xFF, .inst = static_cast<std::uint16_t>(inst), .flags = kAlone, .other_size = 8};
  }
  static constexpr Form set_form(x64::CondCode condition, const x64::Gp& to) {
    return {.opcode = two_bytes(0x90 | static_cast<std::uint32_t>(condition)),
            .rex = rex_of_byte(to),
            .inst = static_cast<std::uint16_t>(Inst::setccFromCond(condition)),
            .flags = kLong | kAlone,
            .other_size = 1};
  }
  static constexpr Form cmov_form(x64::CondCode condition, std::uint32_t size) {
    return {.opcode = two_bytes(0x40 | static_cast<std::uint32_t>(condition)),
            .rex = rex_of(size),
            .inst = static_cast<std::uint16_t>(Inst::cmovccFromCond(condition)),
            .flags = kLong,
            .reg_size = static_cast<std::uint16_t>(size),
            .other_size = static_cast<std::uint16_t>(size)};
  }

  // An operand of one register or two, and a displacement: what it becomes in the instruction.
  struct Address {
    std::uint8_t rex = 0;
    std::uint8_t rm = 0;   // in the ModRM byte
    std::uint8_t sib = 0;  // behind it, where there is one
    std::uint8_t flags = 0;
    std::int32_t displacement = 0;
  };
  enum AddressFlag : std::uint8_t {
    kDisplaced = 1,  // also by 0: rbp and r13 have no other form
    kHasSib = 2,
    kHasIndex = 4,
  };
  [[gnu::always_inline]] static constexpr bool is_plain(const x64::Mem& memory) {
    using Signature = asmjit::OperandSignature;
    constexpr std::uint32_t kLooked = Signature::kMemBaseTypeMask | Signature::kMemIndexTypeMask |
                                      Signature::kMemRegHomeFlag | x64::Mem::kSignatureMemAddrTypeMask |
                                      x64::Mem::kSignatureMemSegmentMask | x64::Mem::kSignatureMemBroadcastMask;
    constexpr std::uint32_t kBase = Signature::fromMemBaseType(asmjit::RegType::kX86_Gpq).bits();
    constexpr std::uint32_t kIndex = Signature::fromMemIndexType(asmjit::RegType::kX86_Gpq).bits();
    const std::uint32_t found = memory.signature().bits() & kLooked;
    return found == kBase || (found == (kBase | kIndex) && memory.indexId() != x64::Gp::kIdSp);
  }
  [[gnu::always_inline]] static constexpr Address address_of(const x64::Mem& memory) {
    constexpr std::uint32_t kNoIndex = 4;
    const bool has_index = memory.hasIndex();
    const std::uint32_t base = memory.baseId();
    const std::uint32_t index = has_index ? memory.indexId() : kNoIndex;
    const bool has_sib = has_index || (base & 7) == x64::Gp::kIdSp;
    return {.rex = static_cast<std::uint8_t>((index & 8) >> 2 | base >> 3),
            .rm = static_cast<std::uint8_t>(has_sib ? 4 : base & 7),
            .sib = static_cast<std::uint8_t>(memory.shift() << 6 | (index & 7) << 3 | (base & 7)),
            .flags = static_cast<std::uint8_t>(((base & 7) == x64::Gp::kIdBp ? kDisplaced : 0) |
                                               (has_sib ? kHasSib : 0) | (has_index ? kHasIndex : 0)),
            .displacement = memory.offsetLo32()};
  }
};

}  // namespace wasi::jit::baseline

// Source of the encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2. Where there are
// several, asmjit's choice is made.
#include "jit/baseline/encoder_x64.h"

#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/result.h"

namespace wasi::jit::baseline {

namespace Inst = x64::Inst;

namespace {

constexpr std::uint8_t kOperandSize = 0x66;  // the prefix of 16 bits
constexpr std::uint8_t kRex = 0x40;
constexpr std::uint8_t kRexW = 0x48;

bool fits_8(std::int64_t value) { return value == static_cast<std::int8_t>(value); }
bool fits_32(std::int64_t value) { return value == static_cast<std::int32_t>(value); }

// A byte register that is named as ah to dh would be without a REX prefix.
std::uint8_t rex_of_byte(const x64::Gp& reg) { return reg.size() == 1 && reg.id() >= 4 ? kRex : 0; }

void write_32(std::uint8_t* at, std::int64_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  std::memcpy(at, &bits, sizeof bits);
}
std::uint32_t read_32(const std::uint8_t* at) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return bits;
}

}  // namespace

struct Encoder::Opcode {
  std::uint8_t byte;
  std::uint8_t prefix = 0;
  bool is_long = false;  // behind an 0F
  std::uint8_t rex = 0;  // what must be set in it, or 0

  // Of operands of this size, where `byte` is that of more than 8 bits.
  static Opcode general(std::uint8_t byte, std::uint32_t size) {
    return {.byte = static_cast<std::uint8_t>(byte - (size == 1 ? 1 : 0)),
            .prefix = size == 2 ? kOperandSize : std::uint8_t{0},
            .rex = size == 8 ? kRexW : std::uint8_t{0}};
  }
  static Opcode extended(std::uint8_t byte, std::uint32_t size) {
    return {.byte = byte, .is_long = true, .rex = size == 8 ? kRexW : std::uint8_t{0}};
  }
};

// --- the buffer

bool Encoder::make_room() {
  if (is_listed()) return false;
  tell_size();
  const asmjit::Error error = code()->growBuffer(&_section->_buffer, static_cast<std::size_t>(kLongest));
  if (error != asmjit::kErrorOk) reportError(error);
  return error == asmjit::kErrorOk;
}

asmjit::Error Encoder::_emit(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b,
                             const asmjit::Operand_& c, const asmjit::Operand_* others) {
  tell_size();
  return Assembler::_emit(inst, a, b, c, others);
}

asmjit::Error Encoder::align(asmjit::AlignMode mode, std::uint32_t alignment) {
  tell_size();
  return Assembler::align(mode, alignment);
}

asmjit::Error Encoder::embed(const void* data, std::size_t size) {
  tell_size();
  return Assembler::embed(data, size);
}

asmjit::Error Encoder::embedConstPool(const Label& label, const asmjit::ConstPool& pool) {
  tell_size();
  return Assembler::embedConstPool(label, pool);
}

// All is asmjit's then, labels too.
void Encoder::setLogger(asmjit::Logger* logger) {
  WASI_CHECK(labels_.empty());
  least_room_ = std::numeric_limits<std::ptrdiff_t>::max();
  Assembler::setLogger(logger);
}

Result<std::vector<std::uint8_t>> Encoder::take() {
  tell_size();
  auto code = Assembler::take();
  if (code && (open_fields_ != 0 || !short_jumps_.empty() || is_too_far_)) {
    return fail(ErrorKind::unsupported, "machine code has a jump to a label that has no place, or is too far away");
  }
  return code;
}

// --- labels

asmjit::Label Encoder::newLabel() {
  if (is_listed()) return Assembler::newLabel();
  labels_.push_back(0);
  return Label(static_cast<std::uint32_t>(labels_.size() - 1) | kOwn);
}

// The lowest bit of a label's state says that it is bound.
asmjit::Error Encoder::bind(const Label& label) {
  if ((label.id() & kOwn) == 0) return Assembler::bind(label);
  std::uint32_t& state = state_of(label);
  WASI_CHECK((state & 1) == 0);
  const auto here = static_cast<std::uint32_t>(offset());
  for (std::uint32_t field = state >> 1; field != 0; --open_fields_) {
    const std::uint32_t before = read_32(_bufferData + field);
    write_32(_bufferData + field, std::int64_t{here} - (std::int64_t{field} + 4));
    field = before;
  }
  state = here << 1 | 1;
  if (!short_jumps_.empty()) [[unlikely]]
    bind_short(label.id(), here);
  return asmjit::kErrorOk;
}

void Encoder::bind_short(std::uint32_t id, std::uint32_t here) {
  std::erase_if(short_jumps_, [&](const ShortJump& jump) {
    if (jump.label != id) return false;
    const std::int64_t distance = std::int64_t{here} - (std::int64_t{jump.field} + 1);
    if (!fits_8(distance)) is_too_far_ = true;
    _bufferData[jump.field] = static_cast<std::uint8_t>(distance);
    return true;
  });
}

std::uint64_t Encoder::label_offset(const Label& label) const {
  if ((label.id() & kOwn) == 0) return code()->labelOffset(label);
  const std::uint32_t state = labels_[label.id() & ~kOwn];
  WASI_CHECK((state & 1) != 0);
  return state >> 1;
}

void Encoder::put_distance(const Label& target) {
  std::uint32_t& state = state_of(target);
  const auto field = static_cast<std::uint32_t>(offset());
  if ((state & 1) != 0) {
    write_32(_bufferPtr, std::int64_t{state >> 1} - (std::int64_t{field} + 4));
  } else {
    write_32(_bufferPtr, state >> 1);
    state = field << 1;
    ++open_fields_;
  }
  _bufferPtr += 4;
}

// A jump in two bytes, where it goes back and not far.
bool Encoder::jump_back(std::uint8_t opcode, const Label& target) {
  const std::uint32_t state = state_of(target);
  if ((state & 1) == 0) return false;
  const std::int64_t distance = std::int64_t{state >> 1} - (static_cast<std::int64_t>(offset()) + 2);
  if (!fits_8(distance)) return false;
  *_bufferPtr++ = opcode;
  *_bufferPtr++ = static_cast<std::uint8_t>(distance);
  return true;
}

void Encoder::jmp(const Label& target) {
  if (!has_room()) {
    Assembler::jmp(target);
    return;
  }
  if (jump_back(0xEB, target)) return;
  *_bufferPtr++ = 0xE9;
  put_distance(target);
}

void Encoder::call(const Label& target) {
  if (!has_room()) {
    Assembler::call(target);
    return;
  }
  *_bufferPtr++ = 0xE8;
  put_distance(target);
}

void Encoder::j(CondCode condition, const Label& target) {
  if (!has_room()) {
    Assembler::j(condition, target);
    return;
  }
  const auto code = static_cast<std::uint8_t>(condition);
  if (jump_back(0x70 | code, target)) return;
  *_bufferPtr++ = 0x0F;
  *_bufferPtr++ = 0x80 | code;
  put_distance(target);
}

void Encoder::jump_short(CondCode condition, const Label& target) {
  if (!has_room()) {
    Assembler::short_().j(condition, target);
    return;
  }
  const auto code = static_cast<std::uint8_t>(condition);
  if (jump_back(0x70 | code, target)) return;
  if ((state_of(target) & 1) != 0) is_too_far_ = true;
  *_bufferPtr++ = 0x70 | code;
  short_jumps_.push_back({target.id(), static_cast<std::uint32_t>(offset())});
  *_bufferPtr++ = 0;
}

// --- the shapes of instructions

bool Encoder::is_plain(const Mem& memory) {
  using Signature = asmjit::OperandSignature;
  constexpr std::uint32_t kLooked = Signature::kMemBaseTypeMask | Signature::kMemIndexTypeMask |
                                    Signature::kMemRegHomeFlag | Mem::kSignatureMemAddrTypeMask |
                                    Mem::kSignatureMemSegmentMask | Mem::kSignatureMemBroadcastMask;
  constexpr std::uint32_t kBase = Signature::fromMemBaseType(asmjit::RegType::kX86_Gpq).bits();
  constexpr std::uint32_t kIndex = Signature::fromMemIndexType(asmjit::RegType::kX86_Gpq).bits();
  const std::uint32_t found = memory._signature.bits() & kLooked;
  return found == kBase || (found == (kBase | kIndex) && memory.indexId() != Gp::kIdSp);
}

void Encoder::registers(Opcode opcode, unsigned reg, unsigned other) {
  std::uint8_t* at = _bufferPtr;
  *at = opcode.prefix;
  at += opcode.prefix != 0 ? 1 : 0;
  const unsigned rex = opcode.rex | (reg & 8) >> 1 | other >> 3;
  *at = static_cast<std::uint8_t>(kRex | rex);
  at += rex != 0 ? 1 : 0;
  *at = 0x0F;
  at += opcode.is_long ? 1 : 0;
  *at++ = opcode.byte;
  *at++ = static_cast<std::uint8_t>(0xC0 | (reg & 7) << 3 | (other & 7));
  _bufferPtr = at;
}

void Encoder::memory(Opcode opcode, unsigned reg, const Mem& memory) {
  constexpr unsigned kNoIndex = 4;
  const bool has_index = memory.hasIndex();
  const unsigned base = memory.baseId();
  const unsigned index = has_index ? memory.indexId() : kNoIndex;
  const std::int32_t displacement = memory.offsetLo32();
  std::uint8_t* at = _bufferPtr;
  *at = opcode.prefix;
  at += opcode.prefix != 0 ? 1 : 0;
  const unsigned rex = opcode.rex | (reg & 8) >> 1 | (index & 8) >> 2 | base >> 3;
  *at = static_cast<std::uint8_t>(kRex | rex);
  at += rex != 0 ? 1 : 0;
  *at = 0x0F;
  at += opcode.is_long ? 1 : 0;
  *at++ = opcode.byte;
  // rbp and r13 have no form without a displacement; rsp and r12 are named in a second byte.
  const bool has_second = has_index || (base & 7) == 4;
  const unsigned mode = displacement == 0 && (base & 7) != 5 ? 0 : fits_8(displacement) ? 1 : 2;
  *at++ = static_cast<std::uint8_t>(mode << 6 | (reg & 7) << 3 | (has_second ? 4 : base & 7));
  *at = static_cast<std::uint8_t>(memory.shift() << 6 | (index & 7) << 3 | (base & 7));
  at += has_second ? 1 : 0;
  write_32(at, displacement);
  _bufferPtr = at + (mode == 2 ? 4 : mode);
}

void Encoder::put_8(std::int64_t value) { *_bufferPtr++ = static_cast<std::uint8_t>(value); }
void Encoder::put_32(std::int64_t value) {
  write_32(_bufferPtr, value);
  _bufferPtr += 4;
}

// --- jumps elsewhere

void Encoder::jmp(const Gp& target) {
  if (has_room()) return registers({.byte = 0xFF}, 4, target.id());
  Assembler::jmp(target);
}
void Encoder::jmp(const Mem& target) {
  if (is_plain(target) && has_room()) return memory({.byte = 0xFF}, 4, target);
  Assembler::jmp(target);
}
void Encoder::call(const Gp& target) {
  if (has_room()) return registers({.byte = 0xFF}, 2, target.id());
  Assembler::call(target);
}
void Encoder::call(const Mem& target) {
  if (is_plain(target) && has_room()) return memory({.byte = 0xFF}, 2, target);
  Assembler::call(target);
}
void Encoder::ret() {
  if (has_room()) return put_8(0xC3);
  Assembler::ret();
}

// --- moves

void Encoder::mov(const Gp& to, const Gp& from) {
  if (to.size() >= 4 && has_room()) return registers(Opcode::general(0x89, to.size()), from.id(), to.id());
  Assembler::mov(to, from);
}
void Encoder::mov(const Gp& to, const Mem& from) {
  if (to.size() >= 4 && is_plain(from) && has_room()) {
    return memory(Opcode::general(0x8B, to.size()), to.id(), from);
  }
  Assembler::mov(to, from);
}
void Encoder::mov(const Gp& to, const Imm& value) {
  const std::int64_t bits = value.value();
  if (to.size() < 4 || !has_room()) {
    Assembler::mov(to, value);
  } else if (to.size() == 4) {
    *_bufferPtr = kRex | 1;
    _bufferPtr += to.id() >> 3;
    put_8(0xB8 | (to.id() & 7));
    put_32(bits);
  } else if (fits_32(bits)) {
    registers(Opcode::general(0xC7, 8), 0, to.id());
    put_32(bits);
  } else {
    put_8(kRexW | to.id() >> 3);
    put_8(0xB8 | (to.id() & 7));
    put_32(bits);
    put_32(bits >> 32);
  }
}
void Encoder::mov(const Mem& to, const Gp& from) {
  if (is_plain(to) && has_room()) {
    Opcode opcode = Opcode::general(0x89, from.size());
    opcode.rex |= rex_of_byte(from);
    return memory(opcode, from.id(), to);
  }
  Assembler::mov(to, from);
}
void Encoder::mov(const Mem& to, const Imm& value) {
  const std::int64_t bits = value.value();
  const std::uint32_t size = to.size();
  if (!is_plain(to) || (size != 4 && !(size == 8 && fits_32(bits)) && size != 1) || !has_room()) {
    Assembler::mov(to, value);
    return;
  }
  memory(Opcode::general(0xC7, size), 0, to);
  size == 1 ? put_8(bits) : put_32(bits);
}

void Encoder::movzx(const Gp& to, const Gp& from) {
  if (to.size() < 4 || !has_room()) {
    Assembler::movzx(to, from);
    return;
  }
  Opcode opcode = Opcode::extended(from.size() == 1 ? 0xB6 : 0xB7, to.size());
  opcode.rex |= rex_of_byte(from);
  registers(opcode, to.id(), from.id());
}
void Encoder::movzx(const Gp& to, const Mem& from) {
  if (to.size() < 4 || from.size() == 0 || !is_plain(from) || !has_room()) {
    Assembler::movzx(to, from);
    return;
  }
  memory(Opcode::extended(from.size() == 1 ? 0xB6 : 0xB7, to.size()), to.id(), from);
}
void Encoder::movsx(const Gp& to, const Gp& from) {
  if (to.size() < 4 || !has_room()) {
    Assembler::movsx(to, from);
    return;
  }
  Opcode opcode = Opcode::extended(from.size() == 1 ? 0xBE : 0xBF, to.size());
  opcode.rex |= rex_of_byte(from);
  registers(opcode, to.id(), from.id());
}
void Encoder::movsx(const Gp& to, const Mem& from) {
  if (to.size() < 4 || from.size() == 0 || !is_plain(from) || !has_room()) {
    Assembler::movsx(to, from);
    return;
  }
  memory(Opcode::extended(from.size() == 1 ? 0xBE : 0xBF, to.size()), to.id(), from);
}
void Encoder::movsxd(const Gp& to, const Gp& from) {
  if (to.size() == 8 && has_room()) return registers(Opcode::general(0x63, 8), to.id(), from.id());
  Assembler::movsxd(to, from);
}
void Encoder::movsxd(const Gp& to, const Mem& from) {
  if (to.size() == 8 && is_plain(from) && has_room()) return memory(Opcode::general(0x63, 8), to.id(), from);
  Assembler::movsxd(to, from);
}

void Encoder::lea(const Gp& to, const Mem& address) {
  if (to.size() >= 4 && is_plain(address) && has_room()) {
    return memory(Opcode::general(0x8D, to.size()), to.id(), address);
  }
  // Relative to the code.
  if (to.size() == 8 && address.hasBaseLabel() && (address.baseId() & kOwn) != 0 && !address.hasIndex() &&
      address.offset() == 0 && has_room()) {
    put_8(kRexW | (to.id() & 8) >> 1);
    put_8(0x8D);
    put_8((to.id() & 7) << 3 | 5);
    return put_distance(Label(address.baseId()));
  }
  Assembler::lea(to, address);
}

void Encoder::push(const Gp& reg) {
  if (reg.size() == 8 && has_room()) {
    *_bufferPtr = kRex | 1;
    _bufferPtr += reg.id() >> 3;
    return put_8(0x50 | (reg.id() & 7));
  }
  Assembler::push(reg);
}
void Encoder::pop(const Gp& reg) {
  if (reg.size() == 8 && has_room()) {
    *_bufferPtr = kRex | 1;
    _bufferPtr += reg.id() >> 3;
    return put_8(0x58 | (reg.id() & 7));
  }
  Assembler::pop(reg);
}
void Encoder::leave() {
  if (has_room()) return put_8(0xC9);
  Assembler::leave();
}

void Encoder::set(CondCode condition, const Gp& to) {
  if (!has_room()) {
    Assembler::set(condition, to);
    return;
  }
  registers({.byte = static_cast<std::uint8_t>(0x90 | static_cast<unsigned>(condition)),
             .is_long = true,
             .rex = rex_of_byte(to)},
            0, to.id());
}
void Encoder::cmov(CondCode condition, const Gp& to, const Gp& from) {
  if (to.size() >= 4 && has_room()) {
    return registers(Opcode::extended(0x40 | static_cast<std::uint8_t>(condition), to.size()), to.id(), from.id());
  }
  Assembler::cmov(condition, to, from);
}

void Encoder::movss(const Xmm& to, const Mem& from) {
  if (is_plain(from) && has_room()) return memory({.byte = 0x10, .prefix = 0xF3, .is_long = true}, to.id(), from);
  Assembler::movss(to, from);
}
void Encoder::movss(const Mem& to, const Xmm& from) {
  if (is_plain(to) && has_room()) return memory({.byte = 0x11, .prefix = 0xF3, .is_long = true}, from.id(), to);
  Assembler::movss(to, from);
}
void Encoder::movsd(const Xmm& to, const Mem& from) {
  if (is_plain(from) && has_room()) return memory({.byte = 0x10, .prefix = 0xF2, .is_long = true}, to.id(), from);
  Assembler::movsd(to, from);
}
void Encoder::movsd(const Mem& to, const Xmm& from) {
  if (is_plain(to) && has_room()) return memory({.byte = 0x11, .prefix = 0xF2, .is_long = true}, from.id(), to);
  Assembler::movsd(to, from);
}
void Encoder::movups(const Xmm& to, const Mem& from) {
  if (is_plain(from) && has_room()) return memory({.byte = 0x10, .is_long = true}, to.id(), from);
  Assembler::movups(to, from);
}
void Encoder::movups(const Mem& to, const Xmm& from) {
  if (is_plain(to) && has_room()) return memory({.byte = 0x11, .is_long = true}, from.id(), to);
  Assembler::movups(to, from);
}
void Encoder::xorps(const Xmm& to, const Xmm& from) {
  if (has_room()) return registers({.byte = 0x57, .is_long = true}, to.id(), from.id());
  Assembler::xorps(to, from);
}

// --- integers

namespace {

constexpr asmjit::InstId kArithmeticIds[] = {Inst::kIdAdd, Inst::kIdOr,  Inst::kIdAdc, Inst::kIdSbb,
                                             Inst::kIdAnd, Inst::kIdSub, Inst::kIdXor, Inst::kIdCmp};

}  // namespace

void Encoder::arithmetic(Arithmetic operation, const Gp& to, const Gp& from) {
  const auto number = static_cast<unsigned>(operation);
  if (has_room()) {
    Opcode opcode = Opcode::general(static_cast<std::uint8_t>(number << 3 | 1), to.size());
    opcode.rex |= rex_of_byte(to) | rex_of_byte(from);
    return registers(opcode, from.id(), to.id());
  }
  Assembler::emit(kArithmeticIds[number], to, from);
}

void Encoder::arithmetic(Arithmetic operation, const Gp& to, const Mem& from) {
  const auto number = static_cast<unsigned>(operation);
  if (to.size() >= 4 && is_plain(from) && has_room()) {
    return memory(Opcode::general(static_cast<std::uint8_t>(number << 3 | 3), to.size()), to.id(), from);
  }
  Assembler::emit(kArithmeticIds[number], to, from);
}

void Encoder::arithmetic(Arithmetic operation, const Gp& to, const Imm& value) {
  const auto number = static_cast<unsigned>(operation);
  const std::int64_t bits = to.size() == 4 ? static_cast<std::int32_t>(value.value()) : value.value();
  if (to.size() < 4 || !fits_32(bits) || !has_room()) {
    Assembler::emit(kArithmeticIds[number], to, value);
  } else if (fits_8(bits)) {
    registers(Opcode::general(0x83, to.size()), number, to.id());
    put_8(bits);
  } else if (to.id() == Gp::kIdAx) {
    if (to.size() == 8) put_8(kRexW);
    put_8(number << 3 | 5);
    put_32(bits);
  } else {
    registers(Opcode::general(0x81, to.size()), number, to.id());
    put_32(bits);
  }
}

void Encoder::arithmetic(Arithmetic operation, const Mem& to, const Gp& from) {
  const auto number = static_cast<unsigned>(operation);
  if (from.size() >= 4 && is_plain(to) && has_room()) {
    return memory(Opcode::general(static_cast<std::uint8_t>(number << 3 | 1), from.size()), from.id(), to);
  }
  Assembler::emit(kArithmeticIds[number], to, from);
}

void Encoder::arithmetic(Arithmetic operation, const Mem& to, const Imm& value) {
  const auto number = static_cast<unsigned>(operation);
  const std::uint32_t size = to.size();
  const std::int64_t bits = size == 4 ? static_cast<std::int32_t>(value.value()) : value.value();
  if ((size != 4 && size != 8) || !fits_32(bits) || !is_plain(to) || !has_room()) {
    Assembler::emit(kArithmeticIds[number], to, value);
  } else if (fits_8(bits)) {
    memory(Opcode::general(0x83, size), number, to);
    put_8(bits);
  } else {
    memory(Opcode::general(0x81, size), number, to);
    put_32(bits);
  }
}

void Encoder::test(const Gp& a, const Gp& b) {
  if (a.size() >= 4 && has_room()) return registers(Opcode::general(0x85, a.size()), b.id(), a.id());
  Assembler::test(a, b);
}

// --- by name

bool Encoder::emit_arithmetic(Arithmetic operation, const asmjit::Operand_& a, const asmjit::Operand_& b) {
  if (a.isReg()) {
    const auto& to = a.as<Gp>();
    b.isReg()   ? arithmetic(operation, to, b.as<Gp>())
    : b.isMem() ? arithmetic(operation, to, b.as<Mem>())
                : arithmetic(operation, to, b.as<Imm>());
  } else {
    const auto& to = a.as<Mem>();
    b.isReg() ? arithmetic(operation, to, b.as<Gp>()) : arithmetic(operation, to, b.as<Imm>());
  }
  return true;
}

// By a constant or by cl.
bool Encoder::emit_shift(unsigned operation, const asmjit::Operand_& a, const asmjit::Operand_& b) {
  const auto& reg = a.as<Gp>();
  if (!a.isReg() || reg.size() < 4 || !has_room()) return false;
  if (b.isReg()) {
    registers(Opcode::general(0xD3, reg.size()), operation, reg.id());
    return true;
  }
  const std::int64_t count = b.as<Imm>().value() & 0xFF;
  if (count == 1) {
    registers(Opcode::general(0xD1, reg.size()), operation, reg.id());
  } else {
    registers(Opcode::general(0xC1, reg.size()), operation, reg.id());
    put_8(count);
  }
  return true;
}

bool Encoder::emit_own(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b) {
  switch (inst) {
    case Inst::kIdAdd:
      return emit_arithmetic(Arithmetic::add, a, b);
    case Inst::kIdAnd:
      return emit_arithmetic(Arithmetic::and_, a, b);
    case Inst::kIdCmp:
      return emit_arithmetic(Arithmetic::cmp, a, b);
    case Inst::kIdOr:
      return emit_arithmetic(Arithmetic::or_, a, b);
    case Inst::kIdSub:
      return emit_arithmetic(Arithmetic::sub, a, b);
    case Inst::kIdXor:
      return emit_arithmetic(Arithmetic::xor_, a, b);
    case Inst::kIdRol:
      return emit_shift(0, a, b);
    case Inst::kIdRor:
      return emit_shift(1, a, b);
    case Inst::kIdShl:
      return emit_shift(4, a, b);
    case Inst::kIdShr:
      return emit_shift(5, a, b);
    case Inst::kIdSar:
      return emit_shift(7, a, b);
    case Inst::kIdTest:
      if (!a.isReg() || !b.isReg()) return false;
      test(a.as<Gp>(), b.as<Gp>());
      return true;
    case Inst::kIdMov:
      if (!a.isMem() || !b.isImm()) return false;
      mov(a.as<Mem>(), b.as<Imm>());
      return true;
    case Inst::kIdImul: {
      const auto& to = a.as<Gp>();
      if (to.size() < 4 || b.isImm() || !has_room()) return false;
      const Opcode opcode = Opcode::extended(0xAF, to.size());
      if (b.isReg()) {
        registers(opcode, to.id(), b.id());
        return true;
      }
      if (!is_plain(b.as<Mem>())) return false;
      memory(opcode, to.id(), b.as<Mem>());
      return true;
    }
    default:
      return false;
  }
}

// Shifts of BMI2: a third operand in the VEX prefix, whose bits are inverted.
bool Encoder::emit_own(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b,
                       const asmjit::Operand_& c) {
  unsigned prefix = 0;
  switch (inst) {
    case Inst::kIdShlx:
      prefix = 1;
      break;
    case Inst::kIdSarx:
      prefix = 2;
      break;
    case Inst::kIdShrx:
      prefix = 3;
      break;
    default:
      return false;
  }
  if (!a.isReg() || !b.isReg() || !c.isReg() || !has_room()) return false;
  const unsigned to = a.id();
  const unsigned from = b.id();
  put_8(0xC4);
  put_8((to < 8 ? 0x80 : 0) | 0x40 | (from < 8 ? 0x20 : 0) | 2);
  put_8((a.as<Gp>().size() == 8 ? 0x80 : 0) | (c.id() ^ 15) << 3 | prefix);
  put_8(0xF7);
  put_8(0xC0 | (to & 7) << 3 | (from & 7));
  return true;
}

}  // namespace wasi::jit::baseline

// Source of the encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2. Where there are
// several, asmjit's choice is made.
#include "jit/baseline/encoder_x64.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/result.h"

namespace wasi::jit::baseline {

namespace {

static_assert(std::endian::native == std::endian::little);

bool fits_8(std::int64_t value) { return value == static_cast<std::int8_t>(value); }
bool fits_32(std::int64_t value) { return value == static_cast<std::int32_t>(value); }

void write_16(std::uint8_t* at, std::uint32_t value) {
  const auto bits = static_cast<std::uint16_t>(value);
  std::memcpy(at, &bits, sizeof bits);
}
void write_32(std::uint8_t* at, std::int64_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  std::memcpy(at, &bits, sizeof bits);
}
std::uint32_t read_32(const std::uint8_t* at) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, at, sizeof bits);
  return bits;
}

x64::Gp gp_of_size(std::uint32_t size, std::uint32_t id) {
  return size == 8   ? x64::Gp(x64::gpq(id))
         : size == 4 ? x64::Gp(x64::gpd(id))
         : size == 2 ? x64::Gp(x64::gpw(id))
                     : x64::Gp(x64::gpb(id));
}
asmjit::Operand reg_of_size(std::uint32_t size, std::uint32_t id) {
  return size == 16 ? asmjit::Operand(x64::xmm(id)) : asmjit::Operand(gp_of_size(size, id));
}

}  // namespace

// --- the buffer

[[gnu::noinline, gnu::cold]] bool Encoder::make_room() {
  if (is_listed()) return false;
  tell_size();
  const asmjit::Error error = code()->growBuffer(&_section->_buffer, static_cast<std::size_t>(kLongest));
  if (error != asmjit::kErrorOk) reportError(error);
  return error == asmjit::kErrorOk;
}

asmjit::Error Encoder::_emit(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b,
                             const asmjit::Operand_& c, const asmjit::Operand_* others) {
  tell_size();
  const asmjit::Operand_* operands[] = {&a, &b, &c};
  for (const asmjit::Operand_*& operand : operands) {
    if (!operand->isMem()) continue;
    const auto& memory = operand->as<Mem>();
    if (!memory.hasBaseLabel() || (memory.baseId() & kOwn) == 0 || memory.hasIndex()) continue;
    // Behind the distance stands at most an immediate of one byte.
    constexpr std::int32_t kUnknown = 0x7654'3210;
    const Mem relative = x64::ptr(x64::rip, kUnknown, memory.size());
    operand = &relative;
    const asmjit::Error error = Assembler::_emit(inst, *operands[0], *operands[1], *operands[2], others);
    if (error != asmjit::kErrorOk) return error;
    const std::uint32_t behind = read_32(_bufferPtr - 4) == kUnknown ? 0 : 1;
    const auto field = static_cast<std::uint32_t>(offset()) - 4 - behind;
    WASI_CHECK(read_32(_bufferData + field) == kUnknown);
    references_.push_back({memory.baseId(), field, memory.offsetLo32() - static_cast<std::int32_t>(behind)});
    return error;
  }
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
  if ((label.id() & kOwn) == 0) return Assembler::embedConstPool(label, pool);
  align(asmjit::AlignMode::kData, static_cast<std::uint32_t>(pool.alignment()));
  bind(label);
  std::vector<std::uint8_t> bytes(pool.size());
  pool.fill(bytes.data());
  return embed(bytes.data(), bytes.size());
}

// asmjit has no labels and relocations of such code.
void Encoder::reset() {
  if (is_listed() || has_failed()) {
    Assembler::reset();
    least_room_ = kLongest;
  }
  _bufferPtr = _bufferData;
  labels_.clear();
  short_jumps_.clear();
  references_.clear();
  open_fields_ = 0;
  is_too_far_ = false;
}

// All is asmjit's then, labels too.
void Encoder::setLogger(asmjit::Logger* logger) {
  WASI_CHECK(labels_.empty());
  least_room_ = std::numeric_limits<std::ptrdiff_t>::max();
  Assembler::setLogger(logger);
}

Result<std::vector<std::uint8_t>> Encoder::take() {
  tell_size();
  for (const Reference& reference : references_) {
    const std::uint32_t state = state_of(reference.label);
    if ((state & 1) == 0) ++open_fields_;
    write_32(_bufferData + reference.field,
             std::int64_t{state >> 1} + reference.addend - (std::int64_t{reference.field} + 4));
  }
  auto code = Assembler::take();
  if (code && (open_fields_ != 0 || !short_jumps_.empty() || is_too_far_)) {
    return fail(ErrorKind::unsupported, "machine code has a jump to a label that has no place, or is too far away");
  }
  return code;
}

// --- asmjit's way

[[gnu::noinline, gnu::cold]] void Encoder::by_asmjit(std::uint32_t inst, const asmjit::Operand_& a,
                                                     const asmjit::Operand_& b) {
  Assembler::emit(inst, a, b);
}

[[gnu::noinline, gnu::cold]] void Encoder::access_by_asmjit(Form form, std::uint32_t reg,
                                                            const asmjit::Operand_& other) {
  if ((form.flags & kAlone) != 0) {
    Assembler::emit(form.inst, other);
  } else if ((form.flags & kStored) != 0) {
    Assembler::emit(form.inst, other, reg_of_size(form.reg_size, reg));
  } else {
    Assembler::emit(form.inst, reg_of_size(form.reg_size, reg), other);
  }
}

// The buffer is full, or all is asmjit's.
[[gnu::noinline, gnu::cold]] void Encoder::registers_slowly(Form form, std::uint32_t reg, std::uint32_t other) {
  make_room() ? write_registers(form, reg, other) : access_by_asmjit(form, reg, reg_of_size(form.other_size, other));
}

[[gnu::noinline, gnu::cold]] void Encoder::memory_slowly(Form form, std::uint32_t reg, Address address) {
  make_room() ? write_memory(form, reg, address) : access_by_asmjit(form, reg, memory_of(address, form.other_size));
}

x64::Mem Encoder::memory_of(Address address, std::uint32_t size) {
  const bool has_sib = (address.flags & kHasSib) != 0;
  const x64::Gp base = x64::gpq((address.rex & 1U) << 3 | (has_sib ? address.sib & 7U : address.rm));
  if ((address.flags & kHasIndex) == 0) return {base, address.displacement, size};
  const x64::Gp index = x64::gpq((address.rex & 2U) << 2 | (address.sib >> 3 & 7U));
  return {base, index, static_cast<std::uint32_t>(address.sib) >> 6, address.displacement, size};
}

// --- the shapes of instructions

// What may be there is written anyway; what comes next goes over it if it is not.
inline void Encoder::write_registers(Form form, std::uint32_t reg, std::uint32_t other) {
  std::uint8_t* at = _bufferPtr;
  if (form.prefix != 0) *at++ = form.prefix;
  const std::uint32_t rex = form.rex | (reg & 8) >> 1 | other >> 3;
  *at = static_cast<std::uint8_t>(kRex | rex);
  at += rex != 0 ? 1 : 0;
  write_16(at, form.opcode);
  at += 1 + (form.flags & kLong);
  *at = static_cast<std::uint8_t>(0xC0 | (reg & 7) << 3 | (other & 7));
  _bufferPtr = at + 1;
}

inline void Encoder::write_memory(Form form, std::uint32_t reg, Address address) {
  std::uint8_t* at = _bufferPtr;
  if (form.prefix != 0) *at++ = form.prefix;
  const std::uint32_t rex = form.rex | (reg & 8) >> 1 | address.rex;
  *at = static_cast<std::uint8_t>(kRex | rex);
  at += rex != 0 ? 1 : 0;
  write_16(at, form.opcode);
  at += 1 + (form.flags & kLong);
  const std::int32_t displacement = address.displacement;
  const std::uint32_t mode = displacement == 0 ? address.flags & kDisplaced : fits_8(displacement) ? 1U : 2U;
  write_16(at, mode << 6 | (reg & 7) << 3 | address.rm | std::uint32_t{address.sib} << 8);
  at += 1 + (address.flags >> 1 & 1);
  write_32(at, displacement);
  _bufferPtr = at + (mode == 2 ? 4 : mode);
}

inline void Encoder::put_32(std::int64_t value) {
  write_32(_bufferPtr, value);
  _bufferPtr += 4;
}

void Encoder::registers(Form form, std::uint32_t reg, std::uint32_t other) {
  if (!is_room()) [[unlikely]]
    return registers_slowly(form, reg, other);
  write_registers(form, reg, other);
}

void Encoder::memory(Form form, std::uint32_t reg, Address address) {
  if (!is_room()) [[unlikely]]
    return memory_slowly(form, reg, address);
  write_memory(form, reg, address);
}

void Encoder::byte(std::uint32_t inst, std::uint8_t opcode) {
  if (!has_room()) [[unlikely]] {
    Assembler::emit(inst);
    return;
  }
  put_8(opcode);
}

void Encoder::short_register(std::uint32_t inst, std::uint8_t opcode, std::uint32_t reg) {
  if (!has_room()) [[unlikely]] {
    Assembler::emit(inst, x64::gpq(reg));
    return;
  }
  *_bufferPtr = kRex | 1;
  _bufferPtr += reg >> 3;
  put_8(opcode | (reg & 7));
}

void Encoder::constant(std::uint32_t size, std::uint32_t reg, std::int64_t value) {
  if (size < 4 || !has_room()) [[unlikely]]
    return by_asmjit(Inst::kIdMov, gp_of_size(size, reg), asmjit::imm(value));
  if (size == 4) {
    *_bufferPtr = kRex | 1;
    _bufferPtr += reg >> 3;
    put_8(0xB8 | (reg & 7));
    put_32(value);
  } else if (fits_32(value)) {
    write_registers(general(Inst::kIdMov, 0xC7, 8), 0, reg);
    put_32(value);
  } else {
    put_8(kRexW | reg >> 3);
    put_8(0xB8 | (reg & 7));
    put_32(value);
    put_32(value >> 32);
  }
}

void Encoder::store_constant(std::uint32_t size, Address address, std::int64_t value) {
  const bool fits = size == 1 || size == 4 || (size == 8 && fits_32(value));
  if (!fits || !has_room()) [[unlikely]]
    return by_asmjit(Inst::kIdMov, memory_of(address, size), asmjit::imm(value));
  write_memory(general(Inst::kIdMov, 0xC7, size), 0, address);
  size == 1 ? put_8(value) : put_32(value);
}

// Relative to the code.
void Encoder::lea_label(const Gp& to, const Mem& address) {
  const bool is_own = (address.baseId() & kOwn) != 0 && !address.hasIndex() && address.offset() == 0;
  if (!is_own || to.size() != 8 || !has_room()) return by_asmjit(Inst::kIdLea, to, address);
  put_8(kRexW | (to.id() & 8) >> 1);
  put_8(0x8D);
  put_8((to.id() & 7) << 3 | 5);
  put_distance(address.baseId());
}

void Encoder::arithmetic_constant(Arithmetic operation, std::uint32_t size, std::uint32_t reg, std::int64_t value) {
  const auto number = static_cast<std::uint32_t>(operation);
  const std::int64_t bits = size == 4 ? static_cast<std::int32_t>(value) : value;
  if (size < 4 || !fits_32(bits) || !has_room()) [[unlikely]]
    return by_asmjit(kArithmetic[number], gp_of_size(size, reg), asmjit::imm(value));
  if (fits_8(bits)) {
    write_registers(general(kArithmetic[number], 0x83, size), number, reg);
    put_8(bits);
  } else if (reg == Gp::kIdAx) {
    if (size == 8) put_8(kRexW);
    put_8(number << 3 | 5);
    put_32(bits);
  } else {
    write_registers(general(kArithmetic[number], 0x81, size), number, reg);
    put_32(bits);
  }
}

void Encoder::arithmetic_constant(Arithmetic operation, std::uint32_t size, Address address, std::int64_t value) {
  const auto number = static_cast<std::uint32_t>(operation);
  const std::int64_t bits = size == 4 ? static_cast<std::int32_t>(value) : value;
  if (size < 4 || !fits_32(bits) || !has_room()) [[unlikely]]
    return by_asmjit(kArithmetic[number], memory_of(address, size), asmjit::imm(value));
  const bool is_short = fits_8(bits);
  write_memory(general(kArithmetic[number], is_short ? 0x83 : 0x81, size), number, address);
  is_short ? put_8(bits) : put_32(bits);
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
bool Encoder::emit_shift(std::uint32_t operation, const asmjit::Operand_& a, const asmjit::Operand_& b) {
  const std::uint32_t size = a.as<Gp>().size();
  if (!a.isReg() || size < 4 || !has_room()) return false;
  if (b.isReg()) {
    write_registers(general(0, 0xD3, size), operation, a.id());
    return true;
  }
  const std::int64_t count = b.as<Imm>().value() & 0xFF;
  write_registers(general(0, count == 1 ? 0xD1 : 0xC1, size), operation, a.id());
  if (count != 1) put_8(count);
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
      const std::uint32_t size = a.as<Gp>().size();
      if (size < 4 || b.isImm()) return false;
      const Form form = extended(Inst::kIdImul, 0xAF, size, size);
      b.isReg() ? registers(form, a.id(), b.id()) : access(form, a.id(), b.as<Mem>());
      return true;
    }
    default:
      return false;
  }
}

// Shifts of BMI2: a third operand in the VEX prefix, whose bits are inverted.
bool Encoder::emit_own(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b,
                       const asmjit::Operand_& c) {
  std::uint32_t prefix = 0;
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
  const std::uint32_t to = a.id();
  const std::uint32_t from = b.id();
  put_8(0xC4);
  put_8((to < 8 ? 0x80 : 0) | 0x40 | (from < 8 ? 0x20 : 0) | 2);
  put_8((a.as<Gp>().size() == 8 ? 0x80 : 0) | (c.id() ^ 15) << 3 | prefix);
  put_8(0xF7);
  put_8(0xC0 | (to & 7) << 3 | (from & 7));
  return true;
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
  std::uint32_t& state = state_of(label.id());
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

void Encoder::bind_short(std::uint32_t label, std::uint32_t here) {
  std::erase_if(short_jumps_, [&](const ShortJump& jump) {
    if (jump.label != label) return false;
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

inline void Encoder::put_distance(std::uint32_t label) {
  std::uint32_t& state = state_of(label);
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
inline bool Encoder::jump_back(std::uint8_t opcode, std::uint32_t label) {
  const std::uint32_t state = state_of(label);
  if ((state & 1) == 0) return false;
  const std::int64_t distance = std::int64_t{state >> 1} - (static_cast<std::int64_t>(offset()) + 2);
  if (!fits_8(distance)) return false;
  put_8(opcode);
  put_8(distance);
  return true;
}

void Encoder::jump(std::uint32_t label) {
  if (!has_room()) [[unlikely]] {
    Assembler::jmp(Label(label));
    return;
  }
  if (jump_back(0xEB, label)) return;
  put_8(0xE9);
  put_distance(label);
}

void Encoder::call_label(std::uint32_t label) {
  if (!has_room()) [[unlikely]] {
    Assembler::call(Label(label));
    return;
  }
  put_8(0xE8);
  put_distance(label);
}

void Encoder::jump_if(CondCode condition, std::uint32_t label) {
  if (!has_room()) [[unlikely]] {
    Assembler::j(condition, Label(label));
    return;
  }
  const auto code = static_cast<std::uint8_t>(condition);
  if (jump_back(0x70 | code, label)) return;
  put_8(0x0F);
  put_8(0x80 | code);
  put_distance(label);
}

void Encoder::jump_short(CondCode condition, std::uint32_t label) {
  if (!has_room()) [[unlikely]] {
    Assembler::short_().j(condition, Label(label));
    return;
  }
  const auto code = static_cast<std::uint8_t>(condition);
  if (jump_back(0x70 | code, label)) return;
  if ((state_of(label) & 1) != 0) is_too_far_ = true;
  put_8(0x70 | code);
  short_jumps_.push_back({label, static_cast<std::uint32_t>(offset())});
  put_8(0);
}

}  // namespace wasi::jit::baseline

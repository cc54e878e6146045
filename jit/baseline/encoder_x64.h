// An assembler that encodes the commonest instructions by itself: the forms that the compiler emits most, in a tenth of
// the time. All others are asmjit's, into the same buffer, and so are all while a logger writes a listing; the bytes
// are the same.
//
// Its functions have the names and operands of asmjit's, which they hide, but for registers of names like ah. They are
// inline up to a few numbers, so that of operands which are known nothing is left in the program. Labels are its own,
// unless there is a listing: asmjit refuses them, so an instruction with a label that is not among these here cannot be
// encoded wrongly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "jit/baseline/instruction_forms_x64.h"
#include "jit/common/assembler_x64.h"

// Where its operands are known, a call of a few numbers is left of it.
#define ENCODER_INLINE [[gnu::always_inline]]

namespace wasi::jit::baseline {

class Encoder : public Assembler, private InstructionForms {
 public:
  using Gp = x64::Gp;
  using Xmm = x64::Xmm;
  using Mem = x64::Mem;
  using Imm = asmjit::Imm;
  using Label = asmjit::Label;
  using CondCode = x64::CondCode;

  // As a new one. Its memory is kept.
  void reset();
  // For a listing, of the whole code.
  void setLogger(asmjit::Logger* logger);
  // As Assembler::take().
  Result<std::vector<std::uint8_t>> take();

  // --- labels, and jumps to them

  Label newLabel() override;
  asmjit::Error bind(const Label& label) override;
  // From the begin of the code; it is bound.
  [[nodiscard]] std::uint64_t label_offset(const Label& label) const;

  void jmp(const Label& target) { jump(target.id()); }
  void call(const Label& target) { call_label(target.id()); }
  void j(CondCode condition, const Label& target) { jump_if(condition, target.id()); }
  void ja(const Label& target) { j(CondCode::kA, target); }
  void jae(const Label& target) { j(CondCode::kAE, target); }
  void jb(const Label& target) { j(CondCode::kB, target); }
  void jbe(const Label& target) { j(CondCode::kBE, target); }
  void jc(const Label& target) { j(CondCode::kC, target); }
  void je(const Label& target) { j(CondCode::kE, target); }
  void jne(const Label& target) { j(CondCode::kNE, target); }
  void jz(const Label& target) { j(CondCode::kZ, target); }
  void jnz(const Label& target) { j(CondCode::kNZ, target); }
  void jo(const Label& target) { j(CondCode::kO, target); }
  void jp(const Label& target) { j(CondCode::kP, target); }
  void js(const Label& target) { j(CondCode::kS, target); }

  // Jumps of two bytes, to a label that will be bound near by.
  class Short {
   public:
    explicit Short(Encoder& encoder) : encoder_(encoder) {}
    void j(CondCode condition, const Label& target) { encoder_.jump_short(condition, target.id()); }
    void jp(const Label& target) { j(CondCode::kP, target); }
    void js(const Label& target) { j(CondCode::kS, target); }

   private:
    Encoder& encoder_;
  };
  Short short_() { return Short(*this); }

  // --- jumps elsewhere

  ENCODER_INLINE void jmp(const Gp& target) { registers(jump_form(Inst::kIdJmp), 4, target.id()); }
  ENCODER_INLINE void jmp(const Mem& target) { access(jump_form(Inst::kIdJmp), 4, target); }
  ENCODER_INLINE void call(const Gp& target) { registers(jump_form(Inst::kIdCall), 2, target.id()); }
  ENCODER_INLINE void call(const Mem& target) { access(jump_form(Inst::kIdCall), 2, target); }
  ENCODER_INLINE void ret() { byte(Inst::kIdRet, 0xC3); }

  // --- moves

  ENCODER_INLINE void mov(const Gp& to, const Gp& from) {
    registers(stored(general(Inst::kIdMov, 0x89, to, from)), from.id(), to.id());
  }
  ENCODER_INLINE void mov(const Gp& to, const Mem& from) { access(general(Inst::kIdMov, 0x8B, to), to.id(), from); }
  ENCODER_INLINE void mov(const Mem& to, const Gp& from) {
    access(stored(general(Inst::kIdMov, 0x89, from)), from.id(), to);
  }
  ENCODER_INLINE void mov(const Gp& to, const Imm& value) { constant(to.size(), to.id(), value.value()); }
  ENCODER_INLINE void mov(const Mem& to, const Imm& value) {
    is_plain(to) ? store_constant(to.size(), address_of(to), value.value()) : by_asmjit(Inst::kIdMov, to, value);
  }
  ENCODER_INLINE void movzx(const Gp& to, const Gp& from) {
    registers(extended(Inst::kIdMovzx, 0xB6, to.size(), from), to.id(), from.id());
  }
  ENCODER_INLINE void movzx(const Gp& to, const Mem& from) {
    access(extended(Inst::kIdMovzx, 0xB6, to.size(), from.size()), to.id(), from);
  }
  ENCODER_INLINE void movsx(const Gp& to, const Gp& from) {
    registers(extended(Inst::kIdMovsx, 0xBE, to.size(), from), to.id(), from.id());
  }
  ENCODER_INLINE void movsx(const Gp& to, const Mem& from) {
    access(extended(Inst::kIdMovsx, 0xBE, to.size(), from.size()), to.id(), from);
  }
  ENCODER_INLINE void movsxd(const Gp& to, const Gp& from) { registers(movsxd_form(), to.id(), from.id()); }
  ENCODER_INLINE void movsxd(const Gp& to, const Mem& from) { access(movsxd_form(), to.id(), from); }
  ENCODER_INLINE void lea(const Gp& to, const Mem& address) {
    address.hasBaseLabel() ? lea_label(to, address) : access(lea_form(to.size()), to.id(), address);
  }
  ENCODER_INLINE void push(const Gp& reg) { short_register(Inst::kIdPush, 0x50, reg.id()); }
  ENCODER_INLINE void pop(const Gp& reg) { short_register(Inst::kIdPop, 0x58, reg.id()); }
  ENCODER_INLINE void leave() { byte(Inst::kIdLeave, 0xC9); }
  ENCODER_INLINE void set(CondCode condition, const Gp& to) { registers(set_form(condition, to), 0, to.id()); }
  ENCODER_INLINE void cmov(CondCode condition, const Gp& to, const Gp& from) {
    registers(cmov_form(condition, to.size()), to.id(), from.id());
  }

  using Assembler::movsd;  // of strings, too
  ENCODER_INLINE void movss(const Xmm& to, const Mem& from) {
    access(vector(Inst::kIdMovss, 0x10, 0xF3, 4), to.id(), from);
  }
  ENCODER_INLINE void movss(const Mem& to, const Xmm& from) {
    access(stored(vector(Inst::kIdMovss, 0x11, 0xF3, 4)), from.id(), to);
  }
  ENCODER_INLINE void movsd(const Xmm& to, const Mem& from) {
    access(vector(Inst::kIdMovsd, 0x10, 0xF2, 8), to.id(), from);
  }
  ENCODER_INLINE void movsd(const Mem& to, const Xmm& from) {
    access(stored(vector(Inst::kIdMovsd, 0x11, 0xF2, 8)), from.id(), to);
  }
  ENCODER_INLINE void movups(const Xmm& to, const Mem& from) {
    access(vector(Inst::kIdMovups, 0x10, 0, 16), to.id(), from);
  }
  ENCODER_INLINE void movups(const Mem& to, const Xmm& from) {
    access(stored(vector(Inst::kIdMovups, 0x11, 0, 16)), from.id(), to);
  }
  ENCODER_INLINE void xorps(const Xmm& to, const Xmm& from) {
    registers(vector(Inst::kIdXorps, 0x57, 0, 16), to.id(), from.id());
  }

  // --- integers

#define ENCODER_ARITHMETIC(name, operation)                                                                  \
  ENCODER_INLINE void name(const Gp& to, const Gp& from) { arithmetic(Arithmetic::operation, to, from); }    \
  ENCODER_INLINE void name(const Gp& to, const Mem& from) { arithmetic(Arithmetic::operation, to, from); }   \
  ENCODER_INLINE void name(const Gp& to, const Imm& value) { arithmetic(Arithmetic::operation, to, value); } \
  ENCODER_INLINE void name(const Mem& to, const Gp& from) { arithmetic(Arithmetic::operation, to, from); }   \
  ENCODER_INLINE void name(const Mem& to, const Imm& value) { arithmetic(Arithmetic::operation, to, value); }
  ENCODER_ARITHMETIC(add, add)
  ENCODER_ARITHMETIC(or_, or_)
  ENCODER_ARITHMETIC(adc, adc)
  ENCODER_ARITHMETIC(sbb, sbb)
  ENCODER_ARITHMETIC(and_, and_)
  ENCODER_ARITHMETIC(sub, sub)
  ENCODER_ARITHMETIC(xor_, xor_)
  ENCODER_ARITHMETIC(cmp, cmp)
#undef ENCODER_ARITHMETIC
  using Assembler::test;
  ENCODER_INLINE void test(const Gp& a, const Gp& b) {
    registers(stored(general(Inst::kIdTest, 0x85, a, b)), b.id(), a.id());
  }

  // By its name: of the instructions above those with two operands, shifts, and products.
  template <class... Operands>
  void emit(asmjit::InstId inst, const Operands&... operands) {
    if constexpr (sizeof...(operands) == 2 || sizeof...(operands) == 3) {
      if (emit_own(inst, operands...)) return;
    }
    Assembler::emit(inst, operands...);
  }

  // asmjit's, which have to know how far the code is. An operand in memory may be relative to a label.
  asmjit::Error _emit(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b,
                      const asmjit::Operand_& c, const asmjit::Operand_* others) override;
  asmjit::Error align(asmjit::AlignMode mode, std::uint32_t alignment) override;
  asmjit::Error embed(const void* data, std::size_t size) override;
  asmjit::Error embedConstPool(const Label& label, const asmjit::ConstPool& pool) override;

 private:
  // The operations of one group, numbered as in their encodings.
  enum class Arithmetic : std::uint8_t { add, or_, adc, sbb, and_, sub, xor_, cmp };

  // No instruction here is longer.
  static constexpr std::ptrdiff_t kLongest = 16;
  // Ids of labels of its own are marked.
  static constexpr std::uint32_t kOwn = 1U << 31;

  [[nodiscard]] bool is_listed() const { return least_room_ != kLongest; }
  // Whether an instruction can be written here; if not, asmjit is to do it.
  [[nodiscard]] bool is_room() const { return _bufferEnd - _bufferPtr >= least_room_; }
  [[nodiscard]] bool has_room() { return is_room() || make_room(); }
  bool make_room();
  void tell_size() { _section->_buffer._size = offset(); }
  void put_8(std::int64_t value) { *_bufferPtr++ = static_cast<std::uint8_t>(value); }
  void put_32(std::int64_t value);

  ENCODER_INLINE void access(Form form, std::uint32_t reg, const Mem& other) {
    is_plain(other) ? memory(form, reg, address_of(other)) : access_by_asmjit(form, reg, other);
  }
  void registers(Form form, std::uint32_t reg, std::uint32_t other);
  void memory(Form form, std::uint32_t reg, Address address);
  void write_registers(Form form, std::uint32_t reg, std::uint32_t other);
  void write_memory(Form form, std::uint32_t reg, Address address);
  void byte(std::uint32_t inst, std::uint8_t opcode);
  void short_register(std::uint32_t inst, std::uint8_t opcode, std::uint32_t reg);
  void constant(std::uint32_t size, std::uint32_t reg, std::int64_t value);
  void store_constant(std::uint32_t size, Address address, std::int64_t value);
  void lea_label(const Gp& to, const Mem& address);

  static constexpr std::uint16_t kArithmetic[] = {Inst::kIdAdd, Inst::kIdOr,  Inst::kIdAdc, Inst::kIdSbb,
                                                  Inst::kIdAnd, Inst::kIdSub, Inst::kIdXor, Inst::kIdCmp};
  static constexpr std::uint32_t arithmetic_id(Arithmetic operation) {
    return kArithmetic[static_cast<std::size_t>(operation)];
  }
  static constexpr std::uint32_t arithmetic_opcode(Arithmetic operation, std::uint32_t way) {
    return static_cast<std::uint32_t>(operation) << 3 | way;
  }
  ENCODER_INLINE void arithmetic(Arithmetic operation, const Gp& to, const Gp& from) {
    registers(stored(general(arithmetic_id(operation), arithmetic_opcode(operation, 1), to, from)), from.id(), to.id());
  }
  ENCODER_INLINE void arithmetic(Arithmetic operation, const Gp& to, const Mem& from) {
    access(general(arithmetic_id(operation), arithmetic_opcode(operation, 3), to), to.id(), from);
  }
  ENCODER_INLINE void arithmetic(Arithmetic operation, const Mem& to, const Gp& from) {
    access(stored(general(arithmetic_id(operation), arithmetic_opcode(operation, 1), from)), from.id(), to);
  }
  ENCODER_INLINE void arithmetic(Arithmetic operation, const Gp& to, const Imm& value) {
    arithmetic_constant(operation, to.size(), to.id(), value.value());
  }
  ENCODER_INLINE void arithmetic(Arithmetic operation, const Mem& to, const Imm& value) {
    is_plain(to) ? arithmetic_constant(operation, to.size(), address_of(to), value.value())
                 : by_asmjit(arithmetic_id(operation), to, value);
  }
  void arithmetic_constant(Arithmetic operation, std::uint32_t size, std::uint32_t reg, std::int64_t value);
  void arithmetic_constant(Arithmetic operation, std::uint32_t size, Address address, std::int64_t value);

  // False where asmjit is to do it.
  bool emit_own(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b);
  bool emit_own(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b, const asmjit::Operand_& c);
  bool emit_arithmetic(Arithmetic operation, const asmjit::Operand_& a, const asmjit::Operand_& b);
  bool emit_shift(std::uint32_t operation, const asmjit::Operand_& a, const asmjit::Operand_& b);

  void by_asmjit(std::uint32_t inst, const asmjit::Operand_& a, const asmjit::Operand_& b);
  void registers_slowly(Form form, std::uint32_t reg, std::uint32_t other);
  void memory_slowly(Form form, std::uint32_t reg, Address address);
  static Mem memory_of(Address address, std::uint32_t size);
  void access_by_asmjit(Form form, std::uint32_t reg, const asmjit::Operand_& other);

  void jump(std::uint32_t label);
  void jump_if(CondCode condition, std::uint32_t label);
  void jump_short(CondCode condition, std::uint32_t label);
  void call_label(std::uint32_t label);
  bool jump_back(std::uint8_t opcode, std::uint32_t label);
  // Four bytes: from behind them to the label.
  void put_distance(std::uint32_t label);
  void bind_short(std::uint32_t label, std::uint32_t here);
  [[nodiscard]] std::uint32_t& state_of(std::uint32_t label) { return labels_[label & ~kOwn]; }

  std::ptrdiff_t least_room_ = kLongest;
  // Of each label: where it is bound, or the last field with a distance to it, which holds where the one before it is.
  std::vector<std::uint32_t> labels_;
  struct ShortJump {
    std::uint32_t label;
    std::uint32_t field;
  };
  std::vector<ShortJump> short_jumps_;  // to labels that are not bound
  struct Reference {
    std::uint32_t label;
    std::uint32_t field;
    std::int32_t addend;
  };
  std::vector<Reference> references_;  // of operands in memory
  std::uint32_t open_fields_ = 0;      // of distances
  bool is_too_far_ = false;
};

}  // namespace wasi::jit::baseline

#undef ENCODER_INLINE

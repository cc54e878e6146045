// An assembler that encodes the commonest instructions by itself: the forms that the compiler emits most, in a tenth of
// the time. All others are asmjit's, into the same buffer, and so are all while a logger writes a listing; the bytes
// are the same.
//
// Its functions have the names and operands of asmjit's, which they hide. Labels are its own, unless there is a
// listing: asmjit refuses them, so an instruction with a label that is not among these here cannot be encoded wrongly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "jit/common/assembler_x64.h"

namespace wasi::jit::baseline {

class Encoder : public Assembler {
 public:
  using Gp = x64::Gp;
  using Xmm = x64::Xmm;
  using Mem = x64::Mem;
  using Imm = asmjit::Imm;
  using Label = asmjit::Label;
  using CondCode = x64::CondCode;

  // For a listing, of the whole code.
  void setLogger(asmjit::Logger* logger);
  // As Assembler::take().
  Result<std::vector<std::uint8_t>> take();

  // --- labels, and jumps to them

  Label newLabel() override;
  asmjit::Error bind(const Label& label) override;
  // From the begin of the code; it is bound.
  [[nodiscard]] std::uint64_t label_offset(const Label& label) const;

  void jmp(const Label& target);
  void call(const Label& target);
  void j(CondCode condition, const Label& target);
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
    void j(CondCode condition, const Label& target) { encoder_.jump_short(condition, target); }
    void jp(const Label& target) { j(CondCode::kP, target); }
    void js(const Label& target) { j(CondCode::kS, target); }

   private:
    Encoder& encoder_;
  };
  Short short_() { return Short(*this); }

  // --- jumps elsewhere

  void jmp(const Gp& target);
  void jmp(const Mem& target);
  void call(const Gp& target);
  void call(const Mem& target);
  void ret();

  // --- moves

  void mov(const Gp& to, const Gp& from);
  void mov(const Gp& to, const Mem& from);
  void mov(const Gp& to, const Imm& value);
  void mov(const Mem& to, const Gp& from);
  void mov(const Mem& to, const Imm& value);
  void movzx(const Gp& to, const Gp& from);
  void movzx(const Gp& to, const Mem& from);
  void movsx(const Gp& to, const Gp& from);
  void movsx(const Gp& to, const Mem& from);
  void movsxd(const Gp& to, const Gp& from);
  void movsxd(const Gp& to, const Mem& from);
  void lea(const Gp& to, const Mem& address);
  void push(const Gp& reg);
  void pop(const Gp& reg);
  void leave();
  void set(CondCode condition, const Gp& to);
  void cmov(CondCode condition, const Gp& to, const Gp& from);

  using Assembler::movsd;  // of strings, too
  void movss(const Xmm& to, const Mem& from);
  void movss(const Mem& to, const Xmm& from);
  void movsd(const Xmm& to, const Mem& from);
  void movsd(const Mem& to, const Xmm& from);
  void movups(const Xmm& to, const Mem& from);
  void movups(const Mem& to, const Xmm& from);
  void xorps(const Xmm& to, const Xmm& from);

  // --- integers

#define ENCODER_ARITHMETIC(name, operation)                                                   \
  void name(const Gp& to, const Gp& from) { arithmetic(Arithmetic::operation, to, from); }    \
  void name(const Gp& to, const Mem& from) { arithmetic(Arithmetic::operation, to, from); }   \
  void name(const Gp& to, const Imm& value) { arithmetic(Arithmetic::operation, to, value); } \
  void name(const Mem& to, const Gp& from) { arithmetic(Arithmetic::operation, to, from); }   \
  void name(const Mem& to, const Imm& value) { arithmetic(Arithmetic::operation, to, value); }
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
  void test(const Gp& a, const Gp& b);

  // By its name: of the instructions above those with two operands, shifts, and products.
  template <class... Operands>
  void emit(asmjit::InstId inst, const Operands&... operands) {
    if constexpr (sizeof...(operands) == 2 || sizeof...(operands) == 3) {
      if (emit_own(inst, operands...)) return;
    }
    Assembler::emit(inst, operands...);
  }

  // asmjit's, which have to know how far the code is.
  asmjit::Error _emit(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b,
                      const asmjit::Operand_& c, const asmjit::Operand_* others) override;
  asmjit::Error align(asmjit::AlignMode mode, std::uint32_t alignment) override;
  asmjit::Error embed(const void* data, std::size_t size) override;
  asmjit::Error embedConstPool(const Label& label, const asmjit::ConstPool& pool) override;

 private:
  // The operations of one group, numbered as in their encodings.
  enum class Arithmetic : std::uint8_t { add, or_, adc, sbb, and_, sub, xor_, cmp };
  struct Opcode;

  // No instruction here is longer.
  static constexpr std::ptrdiff_t kLongest = 16;
  // Ids of labels of its own are marked.
  static constexpr std::uint32_t kOwn = 1U << 31;

  [[nodiscard]] bool is_listed() const { return least_room_ != kLongest; }
  // Whether an instruction can be written here; if not, asmjit is to do it.
  bool has_room() { return _bufferEnd - _bufferPtr >= least_room_ || make_room(); }
  bool make_room();
  void tell_size() { _section->_buffer._size = offset(); }

  void arithmetic(Arithmetic operation, const Gp& to, const Gp& from);
  void arithmetic(Arithmetic operation, const Gp& to, const Mem& from);
  void arithmetic(Arithmetic operation, const Gp& to, const Imm& value);
  void arithmetic(Arithmetic operation, const Mem& to, const Gp& from);
  void arithmetic(Arithmetic operation, const Mem& to, const Imm& value);
  // False where asmjit is to do it.
  bool emit_own(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b);
  bool emit_own(asmjit::InstId inst, const asmjit::Operand_& a, const asmjit::Operand_& b, const asmjit::Operand_& c);
  bool emit_arithmetic(Arithmetic operation, const asmjit::Operand_& a, const asmjit::Operand_& b);
  bool emit_shift(unsigned operation, const asmjit::Operand_& a, const asmjit::Operand_& b);

  void jump_short(CondCode condition, const Label& target);
  bool jump_back(std::uint8_t opcode, const Label& target);
  // Four bytes: from behind them to the label.
  void put_distance(const Label& target);
  void bind_short(std::uint32_t id, std::uint32_t here);
  [[nodiscard]] std::uint32_t& state_of(const Label& label) { return labels_[label.id() & ~kOwn]; }

  // An operand of one register or two, and a displacement.
  static bool is_plain(const Mem& memory);
  void registers(Opcode opcode, unsigned reg, unsigned other);
  void memory(Opcode opcode, unsigned reg, const Mem& memory);
  void put_8(std::int64_t value);
  void put_32(std::int64_t value);

  std::ptrdiff_t least_room_ = kLongest;
  // Of each label: where it is bound, or the last field with a distance to it, which holds where the one before it is.
  std::vector<std::uint32_t> labels_;
  struct ShortJump {
    std::uint32_t label;
    std::uint32_t field;
  };
  std::vector<ShortJump> short_jumps_;  // to labels that are not bound
  std::uint32_t open_fields_ = 0;       // of distances
  bool is_too_far_ = false;
};

}  // namespace wasi::jit::baseline

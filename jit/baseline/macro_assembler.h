// The baseline compiler's assembler: instructions of the machine that it runs on, and constants beside the code.
//
// Where the machine has AVX, instructions on vectors are encoded for it (VEX), else as SSE4.1 has them; vector_inst.h
// names both. An instruction with three operands is then one instruction or two: the destination may be any operand,
// and the other operands keep their values. So written once, a sequence serves both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "jit/baseline/encoder_x64.h"
#include "jit/baseline/vector_inst.h"
#include "jit/common/cpu_features.h"

namespace wasi::jit::baseline {

class MacroAssembler : public Encoder {
 public:
  // Hold no value between two Wasm instructions: what is emitted for one may use them.
  static constexpr x64::Gp kScratch = x64::r11;
  static constexpr x64::Xmm kVectorScratch0 = x64::xmm14;
  static constexpr x64::Xmm kVectorScratch1 = x64::xmm15;

  explicit MacroAssembler(const CpuFeatures& cpu = CpuFeatures::host()) : cpu_(cpu) {}

  // As a new one. Its memory is kept.
  void reset(const CpuFeatures& cpu);

  [[nodiscard]] const CpuFeatures& cpu() const { return cpu_; }

  // Operands in memory, relative to the code; equal ones are one. Those of 16 bytes are aligned. They lie where
  // flush_constants() is called, which has to be once, at the end of the code that uses them.
  x64::Mem constant32(std::uint32_t bits) { return constant(&bits, sizeof bits); }
  x64::Mem constant64(std::uint64_t bits) { return constant(&bits, sizeof bits); }
  x64::Mem constant128(std::uint64_t low, std::uint64_t high);
  x64::Mem splat8(std::uint8_t bits) { return splat64(bits * 0x0101'0101'0101'0101U); }
  x64::Mem splat16(std::uint16_t bits) { return splat64(bits * 0x0001'0001'0001'0001U); }
  x64::Mem splat32(std::uint32_t bits) { return splat64(bits * 0x0000'0001'0000'0001U); }
  x64::Mem splat64(std::uint64_t bits) { return constant128(bits, bits); }
  void flush_constants();

  // Code that is seldom run, e.g. behind a branch to a label that it binds. It is made and lies where flush_constants()
  // is called, in front of the constants.
  void cold(std::function<void(MacroAssembler&)> emit) { cold_.push_back(std::move(emit)); }

  // Copies whole vector registers; nothing where they are the same.
  void move(x64::Xmm to, x64::Xmm from);

  // dst = inst(a), with an immediate perhaps: instructions that have two operands in either encoding.
  void vector_op(VectorInst inst, const asmjit::Operand_& dst, const asmjit::Operand_& a) { emit(id(inst), dst, a); }
  void vector_op(VectorInst inst, const asmjit::Operand_& dst, const asmjit::Operand_& a, unsigned immediate) {
    emit(id(inst), dst, a, asmjit::imm(immediate));
  }
  // dst = inst(a, b). `b` is a register, or memory: of the size that the instruction reads, aligned where that is 16.
  // Without AVX, where `dst` is `b` and not `a`, kVectorScratch1 is lost and must not be `a`.
  void vector_op2(VectorInst inst, x64::Xmm dst, x64::Xmm a, const asmjit::Operand_& b);
  void vector_op2(VectorInst inst, x64::Xmm dst, x64::Xmm a, const asmjit::Operand_& b, unsigned immediate);
  // The same where inst(a, b) is inst(b, a), bit by bit; kVectorScratch1 is kept.
  void vector_commutative(VectorInst inst, x64::Xmm dst, x64::Xmm a, x64::Xmm b);
  // dst = a, shifted by a constant.
  void vector_shift(VectorInst inst, x64::Xmm dst, x64::Xmm a, unsigned count);
  // All bits of `dst`.
  void vector_zero(x64::Xmm dst) { vector_op2(inst::pxor, dst, dst, dst); }
  void vector_ones(x64::Xmm dst) { vector_op2(inst::pcmpeqd, dst, dst, dst); }

 private:
  [[nodiscard]] x64::Inst::Id id(VectorInst inst) const { return cpu_.avx ? inst.avx : inst.sse; }
  x64::Mem constant(const void* bytes, std::size_t size);
  void forget_constants();
  // Puts `a` where the SSE form wants it; gives what then stands for `b`.
  asmjit::Operand prepare_sse(x64::Xmm dst, x64::Xmm a, const asmjit::Operand_& b);

  CpuFeatures cpu_;
  std::vector<std::function<void(MacroAssembler&)>> cold_;
  asmjit::Zone zone_{1024};
  asmjit::ConstPool constants_{&zone_};
  asmjit::Label constants_label_;
};

}  // namespace wasi::jit::baseline

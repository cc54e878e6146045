#include "jit/baseline/macro_assembler.h"

#include "base/check.h"

namespace wasi::jit::baseline {

void MacroAssembler::reset(const CpuFeatures& cpu) {
  Encoder::reset();
  cpu_ = cpu;
  cold_.clear();
  if (constants_label_.isValid()) forget_constants();
}

void MacroAssembler::forget_constants() {
  constants_label_.reset();
  constants_.reset(&zone_);
  zone_.reset();
}

x64::Mem MacroAssembler::constant(const void* bytes, std::size_t size) {
  if (!constants_label_.isValid()) constants_label_ = newLabel();
  std::size_t offset = 0;
  if (const asmjit::Error error = constants_.add(bytes, size, offset)) reportError(error);
  return x64::ptr(constants_label_, static_cast<std::int32_t>(offset), static_cast<std::uint32_t>(size));
}

x64::Mem MacroAssembler::constant128(std::uint64_t low, std::uint64_t high) {
  const std::uint64_t bytes[] = {low, high};
  return constant(bytes, sizeof bytes);
}

void MacroAssembler::flush_constants() {
  if (!cold_.empty()) comment("; seldom run");
  for (const auto& emit : std::exchange(cold_, {})) emit(*this);
  if (!constants_label_.isValid()) return;
  comment("; constants");
  embedConstPool(constants_label_, constants_);
  forget_constants();
}

void MacroAssembler::move(x64::Xmm to, x64::Xmm from) {
  if (to != from) vector_op(inst::movaps, to, from);
}

asmjit::Operand MacroAssembler::prepare_sse(x64::Xmm dst, x64::Xmm a, const asmjit::Operand_& b) {
  asmjit::Operand operand(b);
  if (b == dst && a != dst) {
    WASI_CHECK(a != kVectorScratch1);
    move(kVectorScratch1, dst);
    operand = kVectorScratch1;
  }
  move(dst, a);
  return operand;
}

void MacroAssembler::vector_op2(VectorInst inst, x64::Xmm dst, x64::Xmm a, const asmjit::Operand_& b) {
  if (cpu_.avx) {
    emit(inst.avx, dst, a, b);
  } else {
    emit(inst.sse, dst, prepare_sse(dst, a, b));
  }
}

void MacroAssembler::vector_op2(VectorInst inst, x64::Xmm dst, x64::Xmm a, const asmjit::Operand_& b,
                                unsigned immediate) {
  if (cpu_.avx) {
    emit(inst.avx, dst, a, b, asmjit::imm(immediate));
  } else {
    emit(inst.sse, dst, prepare_sse(dst, a, b), asmjit::imm(immediate));
  }
}

void MacroAssembler::vector_commutative(VectorInst inst, x64::Xmm dst, x64::Xmm a, x64::Xmm b) {
  dst == b ? vector_op2(inst, dst, b, a) : vector_op2(inst, dst, a, b);
}

void MacroAssembler::vector_shift(VectorInst inst, x64::Xmm dst, x64::Xmm a, unsigned count) {
  if (cpu_.avx) {
    emit(inst.avx, dst, a, asmjit::imm(count));
  } else {
    move(dst, a);
    emit(inst.sse, dst, asmjit::imm(count));
  }
}

}  // namespace wasi::jit::baseline

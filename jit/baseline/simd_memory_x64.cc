// Vectors and memory. Without AVX an operand of 16 bytes in memory must be aligned, so those are only ever moved.
#include "base/check.h"
#include "jit/baseline/simd_table.h"
#include "jit/baseline/simd_x64.h"

namespace wasi::jit::baseline {

using wasm::Op;
using x64::Mem;
using x64::Xmm;

namespace {

struct Load {
  Op op = wasm::kNoOp;
  VectorInst inst = {};
};
constexpr Load kLoadRows[] = {
    {Op::v128_load, inst::movups},         {Op::v128_load8x8_s, inst::pmovsxbw},
    {Op::v128_load8x8_u, inst::pmovzxbw},  {Op::v128_load16x4_s, inst::pmovsxwd},
    {Op::v128_load16x4_u, inst::pmovzxwd}, {Op::v128_load32x2_s, inst::pmovsxdq},
    {Op::v128_load32x2_u, inst::pmovzxdq}, {Op::v128_load32_zero, inst::movss},
    {Op::v128_load64_zero, inst::movsd},   {Op::v128_load64_splat, inst::movddup},
};
constexpr OpTable kLoads(kLoadRows);

// What moves one lane; movlps and movhps are for the two of 64 bits.
struct Lane {
  Op op = wasm::kNoOp;
  VectorInst inst = {};
};
constexpr Lane kLaneRows[] = {
    {Op::v128_load8_lane, inst::pinsrb},  {Op::v128_load16_lane, inst::pinsrw},  {Op::v128_load32_lane, inst::pinsrd},
    {Op::v128_store8_lane, inst::pextrb}, {Op::v128_store16_lane, inst::pextrw}, {Op::v128_store32_lane, inst::pextrd},
};
constexpr OpTable kLanes(kLaneRows);

// The address of what `op` accesses.
Mem sized(Mem address, Op op) {
  address.setSize(wasm::info(op).access);
  return address;
}

// Splats that need AVX2, or more than one instruction.
std::size_t load_splat(MacroAssembler& m, Op op, Xmm dst, const Mem& address) {
  const std::size_t at = m.offset();
  const x64::Gp loaded = MacroAssembler::kScratch.r32();
  switch (op) {
    case Op::v128_load8_splat:
      if (m.cpu().avx2) {
        m.vpbroadcastb(dst, address);
      } else {
        m.movzx(loaded, address);
        vector_splat(m, Op::i8x16_splat, dst, loaded);
      }
      return at;
    case Op::v128_load16_splat:
      if (m.cpu().avx2) {
        m.vpbroadcastw(dst, address);
      } else {
        m.movzx(loaded, address);
        vector_splat(m, Op::i16x8_splat, dst, loaded);
      }
      return at;
    default:
      WASI_CHECK(op == Op::v128_load32_splat);
      if (m.cpu().avx) {
        m.vbroadcastss(dst, address);
      } else {
        m.movss(dst, address);
        m.shufps(dst, dst, 0);
      }
      return at;
  }
}

}  // namespace

std::size_t vector_load(MacroAssembler& m, Op op, Xmm dst, Mem address) {
  const Mem from = sized(address, op);
  const Load* row = kLoads.find(op);
  if (row == nullptr) return load_splat(m, op, dst, from);
  const std::size_t at = m.offset();
  m.vector_op(row->inst, dst, from);
  return at;
}

std::size_t vector_load_lane(MacroAssembler& m, Op op, Xmm dst, Xmm a, Mem address, unsigned lane) {
  const Mem from = sized(address, op);
  if (!m.cpu().avx) {
    m.move(dst, a);
    a = dst;
  }
  const std::size_t at = m.offset();
  if (op == Op::v128_load64_lane) {
    m.vector_op2(lane == 0 ? inst::movlps : inst::movhps, dst, a, from);
  } else {
    const Lane* row = kLanes.find(op);
    WASI_CHECK(row != nullptr);
    m.vector_op2(row->inst, dst, a, from, lane);
  }
  return at;
}

std::size_t vector_store(MacroAssembler& m, Mem address, Xmm a) {
  const std::size_t at = m.offset();
  m.vector_op(inst::movups, sized(address, Op::v128_store), a);
  return at;
}

std::size_t vector_store_lane(MacroAssembler& m, Op op, Mem address, Xmm a, unsigned lane) {
  const Mem to = sized(address, op);
  const std::size_t at = m.offset();
  if (op == Op::v128_store64_lane) {
    m.vector_op(lane == 0 ? inst::movlps : inst::movhps, to, a);
  } else if (op == Op::v128_store32_lane && lane == 0) {
    m.vector_op(inst::movss, to, a);
  } else {
    const Lane* row = kLanes.find(op);
    WASI_CHECK(row != nullptr);
    m.vector_op(row->inst, to, a, lane);
  }
  return at;
}

}  // namespace wasi::jit::baseline

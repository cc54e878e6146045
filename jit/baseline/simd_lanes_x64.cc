// Lanes of vectors: splats, single lanes, bytes in another order, constants.
#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "base/check.h"
#include "jit/baseline/simd_x64.h"

namespace wasi::jit::baseline {

using wasm::Op;
using x64::Gp;
using x64::Xmm;

namespace {

constexpr Xmm kS0 = MacroAssembler::kVectorScratch0;
constexpr Xmm kS1 = MacroAssembler::kVectorScratch1;

// A half's both copies, as an order of pshufd; the upper half first.
constexpr unsigned kLower64Twice = 0x44;
constexpr unsigned kUpper64 = 0xEE;

using Lanes = std::array<std::uint8_t, 16>;

x64::Mem constant_of(MacroAssembler& m, const Lanes& lanes) {
  const auto [low, high] = std::bit_cast<std::array<std::uint64_t, 2>>(lanes);
  return m.constant128(low, high);
}

template <class Expected>
bool matches(const Lanes& lanes, Expected expected) {
  for (unsigned i = 0; i < 16; ++i) {
    if (lanes[i] != expected(i)) return false;
  }
  return true;
}

// The same order as one of lanes of `width` bytes, where it is one.
template <std::size_t width>
std::optional<std::array<std::uint8_t, 16 / width>> widen(const Lanes& lanes) {
  std::array<std::uint8_t, 16 / width> wide;
  for (std::size_t i = 0; i < wide.size(); ++i) {
    wide[i] = lanes[i * width] / width;
    for (std::size_t k = 0; k < width; ++k) {
      if (lanes[i * width + k] != wide[i] * width + k) return std::nullopt;
    }
  }
  return wide;
}

// Four lanes, of which each takes two bits.
unsigned order_of(std::span<const std::uint8_t> lanes) {
  return (lanes[0] & 3U) | (lanes[1] & 3U) << 2 | (lanes[2] & 3U) << 4 | (lanes[3] & 3U) << 6;
}

// Lanes of two vectors in turn. Where both are one vector, `second` is 0.
std::optional<VectorInst> interleaving(const Lanes& lanes, unsigned first, unsigned second) {
  constexpr VectorInst kInterleave[4][2] = {{inst::punpcklbw, inst::punpckhbw},
                                            {inst::punpcklwd, inst::punpckhwd},
                                            {inst::punpckldq, inst::punpckhdq},
                                            {inst::punpcklqdq, inst::punpckhqdq}};
  for (unsigned log = 0; log < 4; ++log) {
    const unsigned width = 1U << log;
    for (const unsigned half : {0U, 1U}) {
      const auto expected = [&](unsigned i) {
        const unsigned lane = i / width;
        return half * 8 + lane / 2 * width + i % width + (lane % 2 == 0 ? first : second);
      };
      if (matches(lanes, expected)) return kInterleave[log][half];
    }
  }
  return std::nullopt;
}

// Bytes of one vector.
void permute(MacroAssembler& m, Xmm dst, Xmm a, const Lanes& lanes) {
  if (matches(lanes, [](unsigned i) { return i; })) return m.move(dst, a);
  if (m.cpu().avx2 && matches(lanes, [](unsigned) { return 0U; })) {
    m.vpbroadcastb(dst, a);
    return;
  }
  if (m.cpu().avx2 && matches(lanes, [](unsigned i) { return i % 2; })) {
    m.vpbroadcastw(dst, a);
    return;
  }
  if (const auto doubles = widen<4>(lanes)) return m.vector_op(inst::pshufd, dst, a, order_of(*doubles));
  if (const auto words = widen<2>(lanes)) {
    const auto lower = std::span(*words).first<4>();
    const auto upper = std::span(*words).last<4>();
    if (std::ranges::equal(upper, std::array{4, 5, 6, 7}) && std::ranges::max(lower) < 4) {
      return m.vector_op(inst::pshuflw, dst, a, order_of(lower));
    }
    if (std::ranges::equal(lower, std::array{0, 1, 2, 3}) && std::ranges::min(upper) >= 4) {
      return m.vector_op(inst::pshufhw, dst, a, order_of(upper));
    }
  }
  if (const auto interleave = interleaving(lanes, 0, 0)) return m.vector_op2(*interleave, dst, a, a);
  if (matches(lanes, [&](unsigned i) { return (lanes[0] + i) % 16; })) {
    return m.vector_op2(inst::palignr, dst, a, a, lanes[0]);
  }
  m.vector_op2(inst::pshufb, dst, a, constant_of(m, lanes));
}

// Bytes of both vectors, where one or two instructions without a constant do it.
bool shuffle_cheaply(MacroAssembler& m, Xmm dst, Xmm a, Xmm b, const Lanes& lanes) {
  if (const auto interleave = interleaving(lanes, 0, 16)) {
    m.vector_op2(*interleave, dst, a, b);
    return true;
  }
  if (const auto interleave = interleaving(lanes, 16, 0)) {
    m.vector_op2(*interleave, dst, b, a);
    return true;
  }
  if (matches(lanes, [&](unsigned i) { return (lanes[0] + i) % 32; })) {
    const bool begins_in_a = lanes[0] < 16;
    m.vector_op2(inst::palignr, dst, begins_in_a ? b : a, begins_in_a ? a : b, lanes[0] % 16);
    return true;
  }
  if (const auto words = widen<2>(lanes)) {
    unsigned of_b = 0;
    bool in_place = true;
    for (unsigned i = 0; i < 8; ++i) {
      if ((*words)[i] == i + 8) of_b |= 1U << i;
      in_place = in_place && (*words)[i] % 8 == i;
    }
    if (in_place) {
      m.vector_op2(inst::pblendw, dst, a, b, of_b);
      return true;
    }
  }
  if (const auto doubles = widen<4>(lanes)) {
    const auto of_b = [&](unsigned i) { return (*doubles)[i] >= 4; };
    if (of_b(0) == of_b(1) && of_b(2) == of_b(3)) {
      m.vector_op2(inst::shufps, dst, of_b(0) ? b : a, of_b(2) ? b : a, order_of(*doubles));
      return true;
    }
  }
  return false;
}

}  // namespace

void vector_splat(MacroAssembler& m, Op op, Xmm dst, Gp value) {
  if (op == Op::i64x2_splat) {
    m.vector_op(inst::movq, dst, value.r64());
    return m.vector_op(inst::pshufd, dst, dst, kLower64Twice);
  }
  m.vector_op(inst::movd, dst, value.r32());
  switch (op) {
    case Op::i8x16_splat:
      if (m.cpu().avx2) {
        m.vpbroadcastb(dst, dst);
        return;
      }
      m.vector_zero(kS1);
      return m.vector_op2(inst::pshufb, dst, dst, kS1);
    case Op::i16x8_splat:
      if (m.cpu().avx2) {
        m.vpbroadcastw(dst, dst);
        return;
      }
      m.vector_op(inst::pshuflw, dst, dst, 0);
      return m.vector_op(inst::pshufd, dst, dst, 0);
    default:
      WASI_CHECK(op == Op::i32x4_splat);
      return m.vector_op(inst::pshufd, dst, dst, 0);
  }
}

void vector_splat(MacroAssembler& m, Op op, Xmm dst, Xmm value) {
  if (op == Op::f32x4_splat) return m.vector_op2(inst::shufps, dst, value, value, 0);
  WASI_CHECK(op == Op::f64x2_splat);
  m.vector_op(inst::movddup, dst, value);
}

void vector_extract(MacroAssembler& m, Op op, Gp dst, Xmm a, unsigned lane) {
  switch (op) {
    case Op::i8x16_extract_lane_s:
    case Op::i8x16_extract_lane_u:
      m.vector_op(inst::pextrb, dst.r32(), a, lane);
      if (op == Op::i8x16_extract_lane_s) m.movsx(dst.r32(), dst.r8());
      return;
    case Op::i16x8_extract_lane_s:
    case Op::i16x8_extract_lane_u:
      m.vector_op(inst::pextrw, dst.r32(), a, lane);
      if (op == Op::i16x8_extract_lane_s) m.movsx(dst.r32(), dst.r16());
      return;
    case Op::i32x4_extract_lane:
      if (lane == 0) return m.vector_op(inst::movd, dst.r32(), a);
      return m.vector_op(inst::pextrd, dst.r32(), a, lane);
    default:
      WASI_CHECK(op == Op::i64x2_extract_lane);
      if (lane == 0) return m.vector_op(inst::movq, dst.r64(), a);
      return m.vector_op(inst::pextrq, dst.r64(), a, lane);
  }
}

void vector_extract(MacroAssembler& m, Op op, Xmm dst, Xmm a, unsigned lane) {
  WASI_CHECK(op == Op::f32x4_extract_lane || op == Op::f64x2_extract_lane);
  if (lane == 0) return m.move(dst, a);
  m.vector_op(inst::pshufd, dst, a, op == Op::f64x2_extract_lane ? kUpper64 : lane);
}

void vector_replace(MacroAssembler& m, Op op, Xmm dst, Xmm a, Gp value, unsigned lane) {
  switch (op) {
    case Op::i8x16_replace_lane:
      return m.vector_op2(inst::pinsrb, dst, a, value.r32(), lane);
    case Op::i16x8_replace_lane:
      return m.vector_op2(inst::pinsrw, dst, a, value.r32(), lane);
    case Op::i32x4_replace_lane:
      return m.vector_op2(inst::pinsrd, dst, a, value.r32(), lane);
    default:
      WASI_CHECK(op == Op::i64x2_replace_lane);
      return m.vector_op2(inst::pinsrq, dst, a, value.r64(), lane);
  }
}

void vector_replace(MacroAssembler& m, Op op, Xmm dst, Xmm a, Xmm value, unsigned lane) {
  if (op == Op::f32x4_replace_lane) return m.vector_op2(inst::insertps, dst, a, value, lane << 4);
  WASI_CHECK(op == Op::f64x2_replace_lane);
  m.vector_op2(lane == 0 ? inst::movsd : inst::punpcklqdq, dst, a, value);
}

void vector_shuffle(MacroAssembler& m, Xmm dst, Xmm a, Xmm b, std::span<const std::uint8_t, 16> order) {
  Lanes lanes;
  std::ranges::copy(order, lanes.begin());
  const bool of_a = a == b || std::ranges::max(lanes) < 16;
  if (of_a || std::ranges::min(lanes) >= 16) {
    for (std::uint8_t& lane : lanes) lane %= 16;
    return permute(m, dst, of_a ? a : b, lanes);
  }
  if (shuffle_cheaply(m, dst, a, b, lanes)) return;
  // A byte of an index whose highest bit is set is 0.
  Lanes from_a;
  Lanes from_b;
  for (std::size_t i = 0; i < 16; ++i) {
    from_a[i] = lanes[i] < 16 ? lanes[i] : 0x80;
    from_b[i] = lanes[i] < 16 ? 0x80 : lanes[i] - 16;
  }
  m.vector_op2(inst::pshufb, kS0, b, constant_of(m, from_b));
  m.vector_op2(inst::pshufb, dst, a, constant_of(m, from_a));
  m.vector_op2(inst::por, dst, dst, kS0);
}

void vector_const(MacroAssembler& m, Xmm dst, std::uint64_t low, std::uint64_t high) {
  if ((low | high) == 0) return m.vector_zero(dst);
  if ((low & high) == ~std::uint64_t{0}) return m.vector_ones(dst);
  m.vector_op(inst::movaps, dst, m.constant128(low, high));
}

}  // namespace wasi::jit::baseline

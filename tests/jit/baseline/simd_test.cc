// Every Wasm instruction on vectors as machine code, for machines with more and with less, against runtime/simd.h: bit
// by bit, with the destination in each operand's place, and with all other registers as they were.
#include "jit/baseline/simd_x64.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <string>

#include "snippet.h"
#include "support/sanitizers.h"
#include "support/vector_samples.h"
#include "vector_reference.h"

namespace wasi::jit::baseline::test {
namespace {

using wasm::Op;
using x64::Gp;
using x64::Xmm;

bool same(V128 a, V128 b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// Samples of each type of lane.
const std::vector<std::vector<V128>>& all_samples() {
  static const std::vector<std::vector<V128>> list = {simd::samples<std::uint8_t>(),  simd::samples<std::uint16_t>(),
                                                      simd::samples<std::uint32_t>(), simd::samples<std::uint64_t>(),
                                                      simd::samples<float>(),         simd::samples<double>()};
  return list;
}
// `check` is given each pair of samples of a type, or some of them, and a third one; false ends it.
template <class Check>
void for_operands(std::size_t step, Check check) {
  for (const std::vector<V128>& samples : all_samples()) {
    for (std::size_t i = 0; i < samples.size() * samples.size(); i += step) {
      const V128 operands[] = {samples[i / samples.size()], samples[i % samples.size()],
                               samples[(i / samples.size() * 3 + i % samples.size()) % samples.size()]};
      if (!check(operands)) return;
    }
  }
}

// Where operands are and where the result goes; the first one takes all samples.
struct Places {
  Xmm dst;
  Xmm operands[3];
};
const Places kPlaces[] = {
    {x64::xmm5, {x64::xmm2, x64::xmm11, x64::xmm7}},  {x64::xmm2, {x64::xmm2, x64::xmm11, x64::xmm7}},
    {x64::xmm11, {x64::xmm2, x64::xmm11, x64::xmm7}}, {x64::xmm7, {x64::xmm2, x64::xmm11, x64::xmm7}},
    {x64::xmm8, {x64::xmm0, x64::xmm0, x64::xmm0}},   {x64::xmm13, {x64::xmm13, x64::xmm13, x64::xmm13}},
    {x64::xmm1, {x64::xmm3, x64::xmm3, x64::xmm1}},
};
// For all but the first places.
constexpr std::size_t kStep = 7;

// Where two NaNs meet, which of them is the result is up to the compiler of the reference.
template <class Float>
bool same_but_for_nans(std::span<const V128> operands, const V128& actual, const V128& expected) {
  using Lanes = std::array<Float, sizeof(V128) / sizeof(Float)>;
  const auto a = std::bit_cast<Lanes>(actual);
  const auto b = std::bit_cast<Lanes>(expected);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof a[i]) == 0) continue;
    const auto nans = std::ranges::count_if(
        operands, [i](const V128& operand) { return std::isnan(std::bit_cast<Lanes>(operand)[i]); });
    if (nans < 2 || !std::isnan(a[i]) || !std::isnan(b[i])) return false;
  }
  return true;
}

bool same_result(Op op, std::span<const V128> operands, const V128& actual, const V128& expected) {
  switch (op) {
    case Op::f32x4_add:
    case Op::f32x4_sub:
    case Op::f32x4_mul:
    case Op::f32x4_div:
    case Op::f32x4_min:
    case Op::f32x4_max:
    case Op::f32x4_relaxed_min:
    case Op::f32x4_relaxed_max:
    case Op::f32x4_relaxed_madd:
    case Op::f32x4_relaxed_nmadd:
      return same_but_for_nans<float>(operands, actual, expected);
    case Op::f64x2_add:
    case Op::f64x2_sub:
    case Op::f64x2_mul:
    case Op::f64x2_div:
    case Op::f64x2_min:
    case Op::f64x2_max:
    case Op::f64x2_relaxed_min:
    case Op::f64x2_relaxed_max:
    case Op::f64x2_relaxed_madd:
    case Op::f64x2_relaxed_nmadd:
      return same_but_for_nans<double>(operands, actual, expected);
    default:
      return same(actual, expected);
  }
}

// Runs `snippet` with these operands and compares; `count` operands.
bool agrees(const Snippet& snippet, const Reference& row, const Places& places, const V128* operands, std::size_t count,
            std::uint32_t number = 0) {
  Registers before = Registers::distinct();
  for (std::size_t i = 0; i < count; ++i) before[places.operands[i]] = operands[i];
  V128 actual_operands[3] = {};
  for (std::size_t i = 0; i < count; ++i) actual_operands[i] = before[places.operands[i]];
  Registers after = before;
  snippet.run(after);
  const V128 expected = row.compute(actual_operands, number);
  if (same_result(row.op, std::span(actual_operands, count), after[places.dst], expected) &&
      only_wrote(places.dst, before, after))
    return true;
  FAIL_CHECK(fmt::format("{} of {}, {}, {}, {} is {}, expected {}{}", wasm::info(row.op).text,
                         describe(actual_operands[0]), describe(actual_operands[1]), describe(actual_operands[2]),
                         number, describe(after[places.dst]), describe(expected),
                         only_wrote(places.dst, before, after) ? "" : "; it wrote elsewhere"));
  return false;
}

template <class Emit>
void check_vectors(Shape shape, std::size_t count, Emit emit) {
  for (const CpuFeatures& cpu : machines()) {
    INFO(describe(cpu));
    for (const Reference& row : of_shape(shape)) {
      for (const Places& places : kPlaces) {
        const Snippet snippet(cpu, [&](MacroAssembler& m) {
          emit(m, row.op, places);
          return 0;
        });
        const bool is_first = &places == kPlaces;
        for_operands(wasi::test::kValueStep * (is_first ? 1 : kStep),
                     [&](const V128* operands) { return agrees(snippet, row, places, operands, count); });
      }
    }
  }
}

TEST_CASE("every instruction on vectors has a reference", "[simd]") {
  std::size_t instructions = 0;
  for (std::uint32_t code = 0; code < 0x200; ++code) {
    const Op op = wasm::op_from_prefixed(wasm::kPrefixSimd, code);
    if (op == wasm::kNoOp) continue;
    ++instructions;
    INFO(wasm::info(op).text);
    CHECK(std::ranges::count(references(), op, &Reference::op) == 1);
  }
  CHECK(instructions == references().size());
}

TEST_CASE("instructions with one vector", "[simd]") {
  check_vectors(Shape::unary, 1, [](MacroAssembler& m, Op op, const Places& places) {
    vector_unary(m, op, places.dst, places.operands[0]);
  });
}

TEST_CASE("instructions with two vectors", "[simd]") {
  check_vectors(Shape::binary, 2, [](MacroAssembler& m, Op op, const Places& places) {
    vector_binary(m, op, places.dst, places.operands[0], places.operands[1]);
  });
}

TEST_CASE("instructions with three vectors", "[simd]") {
  check_vectors(Shape::ternary, 3, [](MacroAssembler& m, Op op, const Places& places) {
    vector_ternary(m, op, places.dst, places.operands[0], places.operands[1], places.operands[2]);
  });
}

TEST_CASE("shifts by registers and by constants", "[simd]") {
  std::vector<std::uint32_t> counts = {127, 128, 0x8000'0001, 0xFFFF'FFFF};
  for (std::uint32_t count = 0; count <= 66; ++count) counts.push_back(count);
  const Places places_of_shifts[] = {kPlaces[0], kPlaces[1]};
  for (const CpuFeatures& cpu : machines()) {
    INFO(describe(cpu));
    for (const Reference& row : of_shape(Shape::shift)) {
      for (const Places& places : places_of_shifts) {
        for (const Gp& reg : {x64::rcx, x64::r10}) {
          const Snippet snippet(cpu, [&](MacroAssembler& m) {
            vector_shift(m, row.op, places.dst, places.operands[0], reg);
            return 0;
          });
          for (const std::uint32_t count : counts) {
            for (const V128 operand : all_samples()[count % 4]) {
              Registers before = Registers::distinct();
              before[places.operands[0]] = operand;
              before[reg] = count | 0xABCD'0000'0000'0000;
              Registers after = before;
              snippet.run(after);
              const V128 expected = row.compute(&operand, count);
              if (same(after[places.dst], expected) && only_wrote(places.dst, before, after)) continue;
              FAIL_CHECK(fmt::format("{} of {} by {} is {}, expected {}", wasm::info(row.op).text, describe(operand),
                                     count, describe(after[places.dst]), describe(expected)));
              break;
            }
          }
        }
        for (const std::uint32_t count : counts) {
          const Snippet snippet(cpu, [&](MacroAssembler& m) {
            vector_shift_by(m, row.op, places.dst, places.operands[0], count);
            return 0;
          });
          for (const V128 operand : all_samples()[count % 4]) {
            if (!agrees(snippet, row, places, &operand, 1, count)) break;
          }
        }
      }
    }
  }
}

TEST_CASE("tests of vectors, as numbers and as conditions", "[simd]") {
  for (const CpuFeatures& cpu : machines()) {
    INFO(describe(cpu));
    for (const Reference& row : of_shape(Shape::test)) {
      const bool is_condition = wasm::info(row.op).text.ends_with("_true");
      for (const Gp& reg : {x64::rax, x64::rsi, x64::rdi, x64::r13}) {
        const Snippet snippet(cpu, [&](MacroAssembler& m) {
          vector_test(m, row.op, reg, x64::xmm9);
          return 0;
        });
        const Snippet branch(cpu, [&](MacroAssembler& m) {
          if (!is_condition) return 0;
          const asmjit::Label taken = m.newLabel();
          const x64::CondCode condition = vector_condition(m, row.op, x64::xmm9);
          m.mov(reg.r32(), 1);
          m.j(condition, taken);
          m.mov(reg.r32(), 0);
          m.bind(taken);
          return 0;
        });
        const auto check = [&](V128 operand) {
          Registers before = Registers::distinct();
          before[x64::xmm9] = operand;
          Registers after = before;
          snippet.run(after);
          const auto expected = low_of<std::uint32_t>(row.compute(&operand, 0));
          INFO(wasm::info(row.op).text << " of " << describe(operand));
          bool good = after[reg] == expected && only_wrote(reg, before, after);
          if (is_condition) {
            after = before;
            branch.run(after);
            good = good && after[reg] == expected && only_wrote(reg, before, after);
          }
          if (!good) FAIL_CHECK("is " << after[reg] << ", expected " << expected);
          return good;
        };
        for (const std::vector<V128>& samples : all_samples()) {
          for (const V128 operand : samples) {
            if (!check(operand)) break;
          }
        }
        // One bit, and one byte that is zero.
        for (std::size_t i = 0; i < 128; ++i) {
          std::array<std::uint8_t, 16> bytes = {};
          bytes[i / 8] = static_cast<std::uint8_t>(1U << i % 8);
          if (!check(std::bit_cast<V128>(bytes))) break;
          bytes.fill(0x55);
          bytes[i / 8] = 0;
          if (!check(std::bit_cast<V128>(bytes))) break;
        }
        check(V128{});
        check(simd::splat(std::uint8_t{0xFF}));
      }
    }
  }
}

TEST_CASE("splats", "[simd]") {
  for (const CpuFeatures& cpu : machines()) {
    INFO(describe(cpu));
    for (const Reference& row : of_shape(Shape::splat)) {
      for (const Places& places : kPlaces) {
        const Snippet snippet(cpu, [&](MacroAssembler& m) {
          if (is_float(row.op)) {
            vector_splat(m, row.op, places.dst, places.operands[0]);
          } else {
            vector_splat(m, row.op, places.dst, x64::r8);
          }
          return 0;
        });
        for (const std::vector<V128>& samples : all_samples()) {
          for (const V128 operand : samples) {
            Registers before = Registers::distinct();
            if (is_float(row.op)) {
              before[places.operands[0]] = operand;
            } else {
              before[x64::r8] = low_of<std::uint64_t>(operand);
            }
            Registers after = before;
            snippet.run(after);
            INFO(wasm::info(row.op).text);
            REQUIRE(describe(after[places.dst]) == describe(row.compute(&operand, 0)));
            REQUIRE(only_wrote(places.dst, before, after));
          }
        }
      }
    }
  }
}

TEST_CASE("lanes are taken out of vectors and put into them", "[simd]") {
  const std::vector<V128> samples = simd::samples<std::uint64_t>();
  for (const CpuFeatures& cpu : machines()) {
    INFO(describe(cpu));
    for (const Reference& row : of_shape(Shape::extract)) {
      for (std::uint32_t lane = 0; lane < lanes_of(row.op); ++lane) {
        INFO(wasm::info(row.op).text << " " << lane);
        for (const auto& [dst, general] : {std::pair{x64::xmm6, x64::rsi}, std::pair{x64::xmm9, x64::r9}}) {
          const Snippet snippet(cpu, [&](MacroAssembler& m) {
            if (is_float(row.op)) {
              vector_extract(m, row.op, dst, x64::xmm9, lane);
            } else {
              vector_extract(m, row.op, general, x64::xmm9, lane);
            }
            return 0;
          });
          for (const V128 operand : samples) {
            Registers before = Registers::distinct();
            before[x64::xmm9] = operand;
            Registers after = before;
            snippet.run(after);
            const auto expected = low_of<std::uint64_t>(row.compute(&operand, lane));
            if (!is_float(row.op)) {
              REQUIRE(after[general] == expected);
              REQUIRE(only_wrote(general, before, after));
            } else if (lanes_of(row.op) == 4) {
              REQUIRE(low_of<std::uint32_t>(after[dst]) == static_cast<std::uint32_t>(expected));
              REQUIRE(only_wrote(dst, before, after));
            } else {
              REQUIRE(low_of<std::uint64_t>(after[dst]) == expected);
              REQUIRE(only_wrote(dst, before, after));
            }
          }
        }
      }
    }
    for (const Reference& row : of_shape(Shape::replace)) {
      for (std::uint32_t lane = 0; lane < lanes_of(row.op); ++lane) {
        for (const Places& places : kPlaces) {
          const Snippet snippet(cpu, [&](MacroAssembler& m) {
            if (is_float(row.op)) {
              vector_replace(m, row.op, places.dst, places.operands[0], places.operands[1], lane);
            } else {
              vector_replace(m, row.op, places.dst, places.operands[0], x64::rdi, lane);
            }
            return 0;
          });
          for (std::size_t i = 0; i < samples.size(); ++i) {
            V128 operands[] = {samples[i], samples[(i + 3) % samples.size()]};
            Registers before = Registers::distinct();
            before[x64::rdi] = low_of<std::uint64_t>(operands[1]);
            if (is_float(row.op)) before[places.operands[1]] = operands[1];
            before[places.operands[0]] = operands[0];
            if (is_float(row.op)) operands[1] = before[places.operands[1]];
            Registers after = before;
            snippet.run(after);
            INFO(wasm::info(row.op).text << " " << lane);
            REQUIRE(describe(after[places.dst]) == describe(row.compute(operands, lane)));
            REQUIRE(only_wrote(places.dst, before, after));
          }
        }
      }
    }
  }
}

using Order = std::array<std::uint8_t, 16>;

// Orders that are an instruction of their own, and others.
std::vector<Order> orders() {
  std::vector<Order> list;
  const auto add = [&list](auto byte) {
    Order order;
    for (unsigned i = 0; i < 16; ++i) order[i] = static_cast<std::uint8_t>(byte(i) % 32);
    list.push_back(order);
  };
  for (unsigned n = 0; n < 32; ++n) {
    add([n](unsigned i) { return n + i; });
    add([n](unsigned i) { return n / 16 * 16 + (n + i) % 16; });
    add([n](unsigned) { return n; });
    add([n](unsigned i) { return n / 2 * 2 + i % 2; });
  }
  for (unsigned width = 1; width <= 8; width *= 2) {
    for (const unsigned half : {0U, 8U}) {
      for (const auto& [first, second] : {std::pair{0U, 0U}, {0U, 16U}, {16U, 0U}, {16U, 16U}}) {
        add([=](unsigned i) {
          return half + i / width / 2 * width + i % width + (i / width % 2 == 0 ? first : second);
        });
      }
    }
  }
  std::mt19937 random(5);
  for (unsigned width = 1; width <= 8; width *= 2) {
    for (int round = 0; round < 60; ++round) {
      // Of both, of one, of one in each half, and where a lane stays in its place.
      std::array<unsigned, 16> lanes;
      for (unsigned i = 0; i < 16 / width; ++i) {
        const unsigned lane = random() % (16 / width);
        const unsigned side = random() % 2;
        lanes[i] = round % 4 == 0   ? lane + side * 16 / width
                   : round % 4 == 1 ? lane + static_cast<unsigned>(round) % 8 / 4 * 16 / width
                   : round % 4 == 2 ? lane + (i < 8 / width ? 0 : 16 / width)
                                    : i + side * 16 / width;
      }
      add([&](unsigned i) { return lanes[i / width] * width + i % width; });
    }
  }
  // Words of one half.
  for (int round = 0; round < 20; ++round) {
    const unsigned fixed = round % 2 == 0 ? 0 : 8;
    unsigned words[4];
    for (unsigned& word : words) word = random() % 4;
    add([&](unsigned i) { return i / 8 * 8 == fixed ? i : i / 8 * 8 + words[i / 2 % 4] * 2 + i % 2; });
  }
  return list;
}

TEST_CASE("bytes of two vectors in any order", "[simd]") {
  Order first;
  Order second;
  for (std::uint8_t i = 0; i < 16; ++i) {
    first[i] = static_cast<std::uint8_t>(0x80 + i);
    second[i] = static_cast<std::uint8_t>(0x30 + i);
  }
  for (const CpuFeatures& cpu : machines()) {
    INFO(describe(cpu));
    for (const Order& order : orders()) {
      for (const Places& places : kPlaces) {
        const Snippet snippet(cpu, [&](MacroAssembler& m) {
          vector_shuffle(m, places.dst, places.operands[0], places.operands[1], order);
          return 0;
        });
        Registers before = Registers::distinct();
        before[places.operands[1]] = std::bit_cast<V128>(second);
        before[places.operands[0]] = std::bit_cast<V128>(first);
        const V128 expected =
            simd::shuffle(before[places.operands[0]], before[places.operands[1]], std::bit_cast<V128>(order));
        Registers after = before;
        snippet.run(after);
        INFO(describe(std::bit_cast<V128>(order)));
        REQUIRE(describe(after[places.dst]) == describe(expected));
        REQUIRE(only_wrote(places.dst, before, after));
      }
    }
  }
}

TEST_CASE("common orders of bytes are one instruction without a constant", "[simd]") {
  if (!CpuFeatures::host().avx) return;
  CpuFeatures cpu = CpuFeatures::least();
  cpu.avx = true;
  const auto size_of = [&](const std::function<unsigned(unsigned)>& byte) {
    Order order;
    for (unsigned i = 0; i < 16; ++i) order[i] = static_cast<std::uint8_t>(byte(i));
    MacroAssembler m(cpu);
    vector_shuffle(m, x64::xmm0, x64::xmm1, x64::xmm2, order);
    m.flush_constants();
    return m.take().value().size();
  };
  constexpr std::size_t kOne = 6;
  CHECK(size_of([](unsigned i) { return i; }) <= kOne);
  CHECK(size_of([](unsigned i) { return i + 16; }) <= kOne);
  CHECK(size_of([](unsigned i) { return i % 4; }) <= kOne);                        // pshufd
  CHECK(size_of([](unsigned i) { return i < 8 ? i % 2 : i; }) <= kOne);            // pshuflw
  CHECK(size_of([](unsigned i) { return i < 8 ? i : 14 + i % 2; }) <= kOne);       // pshufhw
  CHECK(size_of([](unsigned i) { return i / 2 + i % 2 * 16; }) <= kOne);           // punpcklbw
  CHECK(size_of([](unsigned i) { return i / 2 + 8; }) <= kOne);                    // punpckhbw of one
  CHECK(size_of([](unsigned i) { return (i + 3) % 16; }) <= kOne);                 // palignr of one
  CHECK(size_of([](unsigned i) { return i + 5; }) <= kOne);                        // palignr
  CHECK(size_of([](unsigned i) { return (i + 21) % 32; }) <= kOne);                // and from the second on
  CHECK(size_of([](unsigned i) { return i / 2 % 2 == 0 ? i : i + 16; }) <= kOne);  // pblendw
  CHECK(size_of([](unsigned i) { return i / 4 * 8 + i % 4; }) <= kOne);            // shufps
  CHECK(size_of([](unsigned i) { return 15 - i; }) > 16);                          // what has none
}

TEST_CASE("constants", "[simd]") {
  std::vector<V128> values = simd::samples<std::uint64_t>();
  values.push_back(V128{});
  values.push_back(simd::splat(std::uint8_t{0xFF}));
  for (const CpuFeatures& cpu : machines()) {
    for (const V128 value : values) {
      const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(value);
      const Snippet snippet(cpu, [&](MacroAssembler& m) {
        vector_const(m, x64::xmm12, words[0], words[1]);
        return 0;
      });
      const Registers before = Registers::distinct();
      Registers after = before;
      snippet.run(after);
      REQUIRE(describe(after[x64::xmm12]) == describe(value));
      REQUIRE(only_wrote(x64::xmm12, before, after));
    }
  }
}

}  // namespace
}  // namespace wasi::jit::baseline::test

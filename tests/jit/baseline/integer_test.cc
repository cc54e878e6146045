// Every scalar instruction on integers that is more than one of the machine's, against runtime/numeric.h.
#include "jit/baseline/numeric_x64.h"
#include "numeric_checks.h"
#include "support/sanitizers.h"

namespace wasi::jit::baseline {
namespace {

namespace numeric = runtime::numeric;
using test::all_but;
using test::check_all;
using test::check_run;
using test::describe;
using test::Lower;
using test::Operand;
using test::Outcome;
using test::random_numbers;
using test::Registers;
using test::Snippet;
using test::TrapLabels;
using test::Unchanged;
using wasm::Op;

TEST_CASE("integers: one operand", "[numeric]") {
  check_all({Op::i32_clz, Op::i32_ctz, Op::i32_popcnt, Op::i64_clz, Op::i64_ctz, Op::i64_popcnt, Op::i32_extend8_s,
             Op::i32_extend16_s, Op::i64_extend8_s, Op::i64_extend16_s, Op::i64_extend32_s, Op::i32_wrap_i64,
             Op::i64_extend_i32_s, Op::i64_extend_i32_u},
            [](Op op) -> Lower {
              return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand&) {
                integer_unary(m, op, dst.gp(), a.gp());
              };
            });
}

constexpr std::initializer_list<Op> kShifts = {Op::i32_shl, Op::i32_shr_s, Op::i32_shr_u, Op::i32_rotl, Op::i32_rotr,
                                               Op::i64_shl, Op::i64_shr_s, Op::i64_shr_u, Op::i64_rotl, Op::i64_rotr};

TEST_CASE("integers: shifts by registers, rcx in every role", "[numeric]") {
  for (const Op op : kShifts) {
    const char type = wasm::info(op).signature.front();
    const auto list = test::values(type, random_numbers, 4);
    for (const CpuFeatures& cpu : test::machines()) {
      CHECK((shift_wants_rcx(cpu, op) || cpu.bmi2));
      for (std::uint32_t roles = 0; roles < 64; ++roles) {
        const std::uint32_t choice[] = {1, 0, 13, 5};
        const Operand dst{type, choice[roles & 3]};
        const Operand a{type, choice[roles >> 2 & 3]};
        const Operand count{type, choice[roles >> 4]};
        const Snippet snippet(
            cpu, [&](MacroAssembler& m, const TrapLabels&) { shift(m, op, dst.gp(), a.gp(), count.gp()); });
        Registers registers = Registers::distinct();
        const std::string what = describe(op, {dst, a, count}, cpu);
        for (const std::uint64_t x : list) {
          for (const std::uint64_t y : list) {
            check_run(snippet, op, dst, a, count, all_but(dst), registers, x, y, what);
          }
        }
      }
    }
  }
}

// An instruction whose second operand is a constant; `lost` says which registers else may change.
using LowerConstant = std::function<void(MacroAssembler&, const TrapLabels&, const Operand& dst, const Operand& a,
                                         std::uint64_t constant)>;
void check_constant(Op op, std::uint64_t constant, const std::vector<std::pair<Operand, Operand>>& registers_used,
                    const LowerConstant& lower, const std::vector<x64::Gp>& lost = {}) {
  const char type = wasm::info(op).signature.front();
  auto list = test::values(type, random_numbers, 10);
  for (const std::uint64_t near : {constant - 1, constant + 1, 2 * constant, 2 * constant - 1, 0 - constant}) {
    list.push_back(type == 'i' ? near & 0xFFFF'FFFF : near);
  }
  const auto& oracle = test::oracles().at(op);
  const std::vector<CpuFeatures> sets = test::machines();
  for (const CpuFeatures& cpu : {sets.front(), sets.back()}) {
    for (const auto& [dst, a] : registers_used) {
      const Snippet snippet(cpu, [&, dst = dst, a = a](MacroAssembler& m, const TrapLabels& traps) {
        lower(m, traps, dst, a, constant);
      });
      Unchanged unchanged = all_but(dst);
      for (const x64::Gp& reg : lost) unchanged.except(reg);
      // check_run() writes the second operand first, to the same register.
      Registers registers = Registers::distinct();
      const std::string what = describe(op, {dst, a}, cpu) + " by " + std::to_string(constant);
      for (const std::uint64_t x : list) {
        a.write(registers, x);
        Registers after = registers;
        snippet.run(after);
        const Outcome expected = oracle(x, constant);
        const auto complain = [&](const std::string& why) {
          INFO(what << ": " << std::hex << x << " gave " << dst.read(after));
          FAIL(why);
        };
        if (!expected) {
          if (after.trap != static_cast<std::uint64_t>(expected.error()) + 1) complain("no trap, or the wrong one");
        } else if (after.trap != 0 || dst.read(after) != *expected) {
          complain("wrong result");
        } else if (const auto changed = unchanged.find(registers, after)) {
          complain("changed: " + *changed);
        }
      }
    }
  }
}

std::vector<std::pair<Operand, Operand>> pairs_of(char type, std::initializer_list<std::pair<int, int>> numbers) {
  std::vector<std::pair<Operand, Operand>> pairs;
  for (const auto& [dst, a] : numbers) {
    pairs.push_back({{type, static_cast<std::uint32_t>(dst)}, {type, static_cast<std::uint32_t>(a)}});
  }
  return pairs;
}

TEST_CASE("integers: shifts by constants", "[numeric]") {
  for (const Op op : kShifts) {
    const char type = wasm::info(op).signature.front();
    for (std::uint64_t count = 0; count < 130; ++count) {
      check_constant(op, count, pairs_of(type, {{0, 3}, {13, 13}}),
                     [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, std::uint64_t n) {
                       shift(m, op, dst.gp(), a.gp(), static_cast<std::uint32_t>(n));
                     });
    }
  }
}

// Small numbers, powers of two and their neighbours, all of them negative too, and others.
std::vector<std::uint64_t> constants(char type) {
  std::vector<std::uint64_t> list;
  for (std::uint64_t value = 0; value < 52; ++value) list.push_back(value);
  for (unsigned power = 6; power < (type == 'i' ? 32U : 64U); ++power) {
    for (const std::uint64_t value : {(std::uint64_t{1} << power) - 1, std::uint64_t{1} << power,
                                      (std::uint64_t{1} << power) + 1, std::uint64_t{9} << power}) {
      list.push_back(value);
    }
  }
  for (const std::uint64_t value : {60U, 81U, 100U, 125U, 625U, 641U, 1000U, 3600U, 10000U, 86400U, 1'000'000'000U})
    list.push_back(value);
  for (int i = 0; i < 40; ++i) list.push_back(test::random_value(type, random_numbers));
  const std::size_t positive = list.size();
  for (std::size_t i = 0; i < positive; ++i) list.push_back(0 - list[i]);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < list.size(); i += wasi::test::kValueStep) list[kept++] = list[i];
  list.resize(kept);
  if (type == 'i') {
    for (std::uint64_t& value : list) value &= 0xFFFF'FFFF;
  }
  return list;
}

TEST_CASE("integers: products with constants", "[numeric]") {
  for (const Op op : {Op::i32_mul, Op::i64_mul}) {
    const char type = wasm::info(op).signature.front();
    for (const std::uint64_t constant : constants(type)) {
      check_constant(op, constant, pairs_of(type, {{0, 13}, {5, 5}}),
                     [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, std::uint64_t n) {
                       multiply(m, op, dst.gp(), a.gp(), n);
                     });
    }
  }
}

constexpr std::initializer_list<Op> kDivisions = {Op::i32_div_s, Op::i32_div_u, Op::i32_rem_s, Op::i32_rem_u,
                                                  Op::i64_div_s, Op::i64_div_u, Op::i64_rem_s, Op::i64_rem_u};

TEST_CASE("integers: divisions by registers", "[numeric]") {
  for (const Op op : kDivisions) {
    const std::string_view text = wasm::info(op).text;
    const char type = wasm::info(op).signature.front();
    const Operand dividend{type, 0};
    const Operand result{type, text.find("rem") != text.npos ? 2U : 0U};
    const auto list = test::values(type, random_numbers, 30);
    for (const CpuFeatures& cpu : test::machines()) {
      for (const std::uint32_t number : {1U, 3U, 7U, 13U}) {
        const Operand divisor{type, number};
        const Snippet snippet(cpu, [&](MacroAssembler& m, const TrapLabels& traps) {
          divide(m, op, divisor.gp(), {.zero = traps.divide_by_zero, .overflow = traps.overflow});
        });
        Registers registers = Registers::distinct();
        const std::string what = describe(op, {result, dividend, divisor}, cpu);
        const Unchanged unchanged = Unchanged().except(x64::rax).except(x64::rdx);
        for (const std::uint64_t x : list) {
          for (const std::uint64_t y : list) {
            check_run(snippet, op, result, dividend, divisor, unchanged, registers, x, y, what);
          }
        }
      }
    }
  }
}

TEST_CASE("integers: divisions by constants", "[numeric]") {
  for (const Op op : kDivisions) {
    const char type = wasm::info(op).signature.front();
    for (const std::uint64_t constant : constants(type)) {
      std::vector<x64::Gp> lost;
      if (division_loses_rax_rdx(op, constant)) lost = {x64::rax, x64::rdx};
      if (type == 'i') REQUIRE(lost.empty());
      check_constant(
          op, constant,
          pairs_of(type, {{3, 13}, {13, 13}, {0, 2}, {2, 0}, {0, 0}, {2, 2}, {9, 0}, {9, 2}, {0, 9}, {2, 9}}),
          [op](MacroAssembler& m, const TrapLabels& traps, const Operand& dst, const Operand& a, std::uint64_t n) {
            divide(m, op, dst.gp(), a.gp(), n, {.zero = traps.divide_by_zero, .overflow = traps.overflow});
          },
          lost);
    }
  }
}

TEST_CASE("integers: wide sums and differences in any registers", "[numeric]") {
  const auto words = test::edges('l');
  const auto any_word = [&] { return words[random_numbers() % words.size()]; };
  for (const Op op : {Op::i64_add128, Op::i64_sub128}) {
    for (int round = 0; round < 2000; ++round) {
      std::uint32_t numbers[6];
      const std::uint32_t choice[] = {0, 3, 5, 9, 13, 14};
      const std::size_t count = 2 + random_numbers() % 5;
      for (std::uint32_t& number : numbers) number = choice[random_numbers() % count];
      if (numbers[0] == numbers[1]) continue;
      const auto gp = [&](int i) { return x64::gpq(numbers[i]); };
      const Snippet snippet(CpuFeatures::least(), [&](MacroAssembler& m, const TrapLabels&) {
        wide_add(m, op, {gp(0), gp(1)}, {gp(2), gp(3)}, {gp(4), gp(5)});
      });
      for (int run = 0; run < 8; ++run) {
        Registers registers = Registers::distinct();
        for (const std::uint32_t number : choice) registers.gpr[number] = any_word();
        Registers after = registers;
        snippet.run(after);
        const auto word = [&](int i) { return registers.gpr[numbers[i]]; };
        const numeric::Wide a{word(2), word(3)};
        const numeric::Wide b{word(4), word(5)};
        const numeric::Wide expected = op == Op::i64_add128 ? numeric::add128(a, b) : numeric::sub128(a, b);
        REQUIRE(numeric::Wide{after.gpr[numbers[0]], after.gpr[numbers[1]]} == expected);
        REQUIRE(Unchanged().except(gp(0)).except(gp(1)).find(registers, after) == std::nullopt);
      }
    }
  }
}

TEST_CASE("integers: wide products", "[numeric]") {
  const auto list = test::values('l', random_numbers, 20);
  for (const Op op : {Op::i64_mul_wide_s, Op::i64_mul_wide_u}) {
    for (const x64::Gp& b : {x64::rax, x64::rdx, x64::rcx, x64::r13}) {
      const Snippet snippet(CpuFeatures::least(),
                            [&](MacroAssembler& m, const TrapLabels&) { wide_multiply(m, op, b); });
      Registers registers = Registers::distinct();
      for (const std::uint64_t x : list) {
        for (const std::uint64_t y : list) {
          registers.gpr[b.id()] = y;
          registers.gpr[0] = x;
          Registers after = registers;
          snippet.run(after);
          const std::uint64_t other = registers.gpr[b.id()];
          const numeric::Wide expected =
              op == Op::i64_mul_wide_s ? numeric::mul_wide_s(x, other) : numeric::mul_wide_u(x, other);
          REQUIRE(numeric::Wide{after.gpr[0], after.gpr[2]} == expected);
          REQUIRE(Unchanged().except(x64::rax).except(x64::rdx).find(registers, after) == std::nullopt);
        }
      }
    }
  }
}

}  // namespace
}  // namespace wasi::jit::baseline

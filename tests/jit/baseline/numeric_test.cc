// Every scalar instruction on floats as machine code, against runtime/numeric.h: results, the upper halves of i32s,
// registers that have to stay as they are.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "jit/baseline/numeric_x64.h"
#include "numeric_checks.h"

namespace wasi::jit::baseline {
namespace {

using test::all_but;
using test::check_all;
using test::check_run;
using test::is_right;
using test::Lower;
using test::Operand;
using test::Outcome;
using test::random_numbers;
using test::Registers;
using test::Snippet;
using test::TrapLabels;
using test::Unchanged;
using wasm::Op;

TEST_CASE("floats: one operand", "[numeric]") {
  check_all({Op::f32_abs, Op::f32_neg, Op::f32_ceil, Op::f32_floor, Op::f32_trunc, Op::f32_nearest, Op::f32_sqrt,
             Op::f64_abs, Op::f64_neg, Op::f64_ceil, Op::f64_floor, Op::f64_trunc, Op::f64_nearest, Op::f64_sqrt,
             Op::f64_promote_f32, Op::f32_demote_f64},
            [](Op op) -> Lower {
              return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand&) {
                float_unary(m, op, dst.xmm(), a.xmm());
              };
            });
}

TEST_CASE("floats: two operands", "[numeric]") {
  check_all({Op::f32_add, Op::f32_sub, Op::f32_mul, Op::f32_div, Op::f32_min, Op::f32_max, Op::f32_copysign,
             Op::f64_add, Op::f64_sub, Op::f64_mul, Op::f64_div, Op::f64_min, Op::f64_max, Op::f64_copysign},
            [](Op op) -> Lower {
              return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a,
                          const Operand& b) { float_binary(m, op, dst.xmm(), a.xmm(), b.xmm()); };
            });
}

constexpr std::initializer_list<Op> kFloatComparisons = {Op::f32_eq, Op::f32_ne, Op::f32_lt, Op::f32_gt,
                                                         Op::f32_le, Op::f32_ge, Op::f64_eq, Op::f64_ne,
                                                         Op::f64_lt, Op::f64_gt, Op::f64_le, Op::f64_ge};

TEST_CASE("floats: comparisons as numbers", "[numeric]") {
  check_all(kFloatComparisons, [](Op op) -> Lower {
    return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand& b) {
      float_compare(m, op, dst.gp(), a.xmm(), b.xmm());
    };
  });
  check_all(kFloatComparisons, [](Op op) -> Lower {
    return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand& b) {
      set(m, float_compare(m, op, a.xmm(), b.xmm()), dst.gp());
    };
  });
  check_all(kFloatComparisons, [](Op op) -> Lower {
    return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand& b) {
      set(m, float_compare(m, op, a.xmm(), b.xmm()).negated(), dst.gp());
      m.xor_(dst.gp(), 1);
    };
  });
}

TEST_CASE("floats: comparisons that branch", "[numeric]") {
  for (const bool is_negated : {false, true}) {
    check_all(kFloatComparisons, [is_negated](Op op) -> Lower {
      return [=](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand& b) {
        const asmjit::Label taken = m.newLabel();
        const Condition condition = float_compare(m, op, a.xmm(), b.xmm());
        m.mov(dst.gp(), is_negated ? 0 : 1);
        branch(m, is_negated ? condition.negated() : condition, taken);
        m.mov(dst.gp(), is_negated ? 1 : 0);
        m.bind(taken);
      };
    });
  }
}

TEST_CASE("floats: comparisons that choose", "[numeric]") {
  // Between 0 and 1, in registers that are not the result's.
  check_all(kFloatComparisons, [](Op op) -> Lower {
    return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand& b) {
      const x64::Gp other = dst.number == 3 ? x64::rsi : x64::rbx;
      m.push(other);
      const Condition condition = float_compare(m, op, a.xmm(), b.xmm());
      m.mov(dst.gp(), 0);
      m.mov(other, 1);
      move_if(m, condition, dst.gp(), other);
      m.pop(other);
    };
  });
  check_all(kFloatComparisons, [](Op op) -> Lower {
    return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand& b) {
      const Condition condition = float_compare(m, op, a.xmm(), b.xmm()).negated();
      m.mov(dst.gp(), 0);
      m.movq(x64::xmm14, dst.gp());
      m.mov(dst.gp(), 1);
      m.movq(x64::xmm15, dst.gp());
      move_if(m, condition, x64::xmm15, x64::xmm14);
      move_if(m, condition, x64::xmm15, x64::xmm15);
      m.movq(dst.gp(), x64::xmm15);
    };
  });
}

// The last bytes in front of a page that nobody may read.
class LastBytes {
 public:
  LastBytes()
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        begin_(static_cast<std::uint8_t*>(
            mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    REQUIRE(begin_ != MAP_FAILED);
    REQUIRE(mprotect(begin_ + page_, page_, PROT_NONE) == 0);
  }
  ~LastBytes() { munmap(begin_, 2 * page_); }
  LastBytes(const LastBytes&) = delete;
  LastBytes& operator=(const LastBytes&) = delete;

  std::uint64_t put(std::uint64_t value, std::size_t size) {
    std::uint8_t* place = begin_ + page_ - size;
    std::memcpy(place, &value, size);
    return reinterpret_cast<std::uint64_t>(place);
  }

 private:
  std::size_t page_;
  std::uint8_t* begin_;
};

// The offset that a function gives is that of its last instruction, which alone has the memory operand.
void check_access(const CpuFeatures& cpu, const std::function<std::size_t(MacroAssembler&)>& emit) {
  MacroAssembler m(cpu);
  m.nop();
  const std::size_t access = emit(m);
  const auto code = m.take().value();
  REQUIRE(access < code.size());
  // The address [rsi] is the last byte's mod 0, r/m 6, but for an immediate.
  const std::vector<std::uint8_t> last(code.begin() + static_cast<std::ptrdiff_t>(access), code.end());
  CHECK(last.size() >= 4);
  CHECK(last.size() <= 7);
  const auto is_memory_operand = [](std::uint8_t byte) { return (byte & 0xC7) == 6; };
  CHECK((is_memory_operand(last[last.size() - 1]) || is_memory_operand(last[last.size() - 2])));
}

TEST_CASE("floats: operands in memory are read with their own width", "[numeric]") {
  LastBytes bytes;
  const auto check = [&](Op op, bool is_binary) {
    const std::string_view signature = wasm::info(op).signature;
    const char type = signature.front();
    const std::size_t size = type == 'f' ? 4 : 8;
    const auto memory = x64::ptr(x64::rsi, 0, static_cast<std::uint32_t>(size));
    const auto list = test::values(type, random_numbers, 10);
    for (const CpuFeatures& cpu : test::machines()) {
      for (const bool in_place : {false, true}) {
        const Operand a{type, 3};
        const Operand dst{signature.back(), in_place ? 3U : 9U};
        const auto emit = [&](MacroAssembler& m) {
          return is_binary ? float_binary(m, op, dst.xmm(), a.xmm(), memory) : float_unary(m, op, dst.xmm(), memory);
        };
        check_access(cpu, emit);
        const Snippet snippet(cpu, [&](MacroAssembler& m, const TrapLabels&) { emit(m); });
        Registers registers = Registers::distinct();
        for (const std::uint64_t y : list) {
          for (const std::uint64_t x : list) {
            a.write(registers, x);
            registers.gpr[6] = bytes.put(y, size);
            Registers after = registers;
            snippet.run(after);
            const Outcome expected = test::oracles().at(op)(is_binary ? x : y, y);
            REQUIRE(is_right(op, dst.type, *expected, dst.read(after), x, y));
            REQUIRE(all_but(dst).find(registers, after) == std::nullopt);
            if (!is_binary) break;
          }
        }
      }
    }
  };
  for (const Op op :
       {Op::f32_add, Op::f32_sub, Op::f32_mul, Op::f32_div, Op::f64_add, Op::f64_sub, Op::f64_mul, Op::f64_div}) {
    check(op, true);
  }
  for (const Op op :
       {Op::f32_ceil, Op::f32_floor, Op::f32_trunc, Op::f32_nearest, Op::f32_sqrt, Op::f64_ceil, Op::f64_floor,
        Op::f64_trunc, Op::f64_nearest, Op::f64_sqrt, Op::f64_promote_f32, Op::f32_demote_f64}) {
    check(op, false);
  }
}

TEST_CASE("conversions to integers", "[numeric]") {
  check_all({Op::i32_trunc_f32_s, Op::i32_trunc_f32_u, Op::i32_trunc_f64_s, Op::i32_trunc_f64_u, Op::i64_trunc_f32_s,
             Op::i64_trunc_f32_u, Op::i64_trunc_f64_s, Op::i64_trunc_f64_u},
            [](Op op) -> Lower {
              return [op](MacroAssembler& m, const TrapLabels& traps, const Operand& dst, const Operand& a,
                          const Operand&) {
                truncate(m, op, dst.gp(), a.xmm(), {.invalid = traps.invalid_conversion, .overflow = traps.overflow});
              };
            });
  check_all({Op::i32_trunc_sat_f32_s, Op::i32_trunc_sat_f32_u, Op::i32_trunc_sat_f64_s, Op::i32_trunc_sat_f64_u,
             Op::i64_trunc_sat_f32_s, Op::i64_trunc_sat_f32_u, Op::i64_trunc_sat_f64_s, Op::i64_trunc_sat_f64_u,
             Op::i32_reinterpret_f32, Op::i64_reinterpret_f64},
            [](Op op) -> Lower {
              return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand&) {
                float_to_integer(m, op, dst.gp(), a.xmm());
              };
            });
}

TEST_CASE("conversions to floats", "[numeric]") {
  check_all({Op::f32_convert_i32_s, Op::f32_convert_i32_u, Op::f32_convert_i64_s, Op::f32_convert_i64_u,
             Op::f64_convert_i32_s, Op::f64_convert_i32_u, Op::f64_convert_i64_s, Op::f64_convert_i64_u,
             Op::f32_reinterpret_i32, Op::f64_reinterpret_i64},
            [](Op op) -> Lower {
              return [op](MacroAssembler& m, const TrapLabels&, const Operand& dst, const Operand& a, const Operand&) {
                integer_to_float(m, op, dst.xmm(), a.gp());
              };
            });
}

}  // namespace
}  // namespace wasi::jit::baseline

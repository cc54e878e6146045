// Numeric instructions in chosen registers, on more and less of a machine, against what they should compute.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "numeric_oracle.h"
#include "snippet.h"
#include "support/sanitizers.h"

namespace wasi::jit::baseline::test {

using wasm::Op;

inline std::mt19937_64 random_numbers(2026);

// What no snippet may change, but those that it says.
class Unchanged {
 public:
  Unchanged& except(x64::Gp reg) {
    general_ &= ~(1U << reg.id());
    return *this;
  }
  Unchanged& except(x64::Xmm reg) {
    vectors_ &= ~(1U << reg.id());
    return *this;
  }
  // The first register that differs.
  [[nodiscard]] std::optional<std::string> find(const Registers& before, const Registers& after) const {
    for (std::uint32_t i = 0; i < 16; ++i) {
      if ((general_ >> i & 1) != 0 && before.gpr[i] != after.gpr[i]) return "general " + std::to_string(i);
      const bool is_same = std::memcmp(&before.xmm[i], &after.xmm[i], sizeof before.xmm[i]) == 0;
      if ((vectors_ >> i & 1) != 0 && !is_same) return "xmm" + std::to_string(i);
    }
    return std::nullopt;
  }

 private:
  std::uint32_t general_ = 0xFFFF & ~(1U << 4) & ~(1U << 11);  // rsp is not looked at, r11 is scratch
  std::uint32_t vectors_ = 0x3FFF;
};

inline void set_low(V128& vector, std::uint64_t low) { std::memcpy(&vector, &low, sizeof low); }

// Registers of operands and result, by type.
struct Operand {
  char type = 'i';
  std::uint32_t number = 0;

  [[nodiscard]] bool is_float() const { return type == 'f' || type == 'd'; }
  [[nodiscard]] bool is_narrow() const { return type == 'i' || type == 'f'; }
  [[nodiscard]] x64::Gp gp() const { return x64::gpq(number); }
  [[nodiscard]] x64::Xmm xmm() const { return x64::xmm(number); }
  [[nodiscard]] bool same_register(const Operand& other) const {
    return is_float() == other.is_float() && number == other.number;
  }

  void write(Registers& registers, std::uint64_t value) const {
    if (!is_float()) {
      registers.gpr[number] = value;
    } else if (type == 'f') {
      set_low(registers.xmm[number], value | (random_numbers() << 32));  // the rest is anything
    } else {
      set_low(registers.xmm[number], value);
    }
  }
  [[nodiscard]] std::uint64_t read(const Registers& registers) const {
    if (!is_float()) return registers.gpr[number];
    const std::uint64_t low = std::bit_cast<std::array<std::uint64_t, 2>>(registers.xmm[number])[0];
    return type == 'f' ? low & 0xFFFF'FFFF : low;
  }
};

inline bool may_be_operand(const Operand& operand) {
  return operand.is_float() ? operand.number < 14 : operand.number != 4 && operand.number != 11;
}
inline std::uint32_t any_register(char type) {
  for (;;) {
    const auto number = static_cast<std::uint32_t>(random_numbers() % 16);
    if (may_be_operand({type, number})) return number;
  }
}

inline std::string describe(Op op, const std::vector<Operand>& operands, const CpuFeatures& cpu) {
  std::string text(wasm::info(op).text);
  for (const Operand& operand : operands) text += ' ' + std::string(1, operand.type) + std::to_string(operand.number);
  return text + (cpu.avx ? " avx" : "") + (cpu.lzcnt ? " lzcnt" : "");
}

inline bool is_nan(char type, std::uint64_t bits) {
  return type == 'f' ? numeric::is_nan(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
                     : type == 'd' && numeric::is_nan(std::bit_cast<double>(bits));
}
inline std::uint64_t quiet_bit(char type) {
  return type == 'f' ? numeric::kQuietBit<float> : numeric::kQuietBit<double>;
}

// Where both operands are NaNs, either of them, made quiet, is right.
inline bool is_right(Op op, char type, std::uint64_t expected, std::uint64_t actual, std::uint64_t a, std::uint64_t b) {
  if (expected == actual) return true;
  const bool may_swap = op == Op::f32_add || op == Op::f64_add || op == Op::f32_mul || op == Op::f64_mul;
  return may_swap && is_nan(type, a) && is_nan(type, b) &&
         (actual == (a | quiet_bit(type)) || actual == (b | quiet_bit(type)));
}

// Runs a snippet whose result is in `dst` on one pair of operands.
inline void check_run(const Snippet& snippet, Op op, const Operand& dst, const Operand& a, const Operand& b,
                      const Unchanged& unchanged, Registers& registers, std::uint64_t x, std::uint64_t y,
                      const std::string& what) {
  b.write(registers, y);
  a.write(registers, x);
  if (a.same_register(b)) y = x;
  Registers after = registers;
  snippet.run(after);
  const Outcome expected = oracles().at(op)(x, y);
  const auto complain = [&](const std::string& why) {
    INFO(what << ": " << std::hex << x << ' ' << y);
    FAIL(why);
  };
  if (!expected) {
    if (after.trap != static_cast<std::uint64_t>(expected.error()) + 1) complain("trap " + std::to_string(after.trap));
    return;
  }
  if (after.trap != 0) complain("unexpected trap " + std::to_string(after.trap));
  const std::uint64_t actual = dst.read(after);
  if (!is_right(op, dst.type, *expected, actual, x, y)) {
    INFO("expected " << std::hex << *expected << ", not " << actual);
    complain("wrong result");
  }
  if (const auto changed = unchanged.find(registers, after)) complain("changed: " + *changed);
}

using Lower =
    std::function<void(MacroAssembler&, const TrapLabels&, const Operand& dst, const Operand& a, const Operand& b)>;

inline Unchanged all_but(const Operand& dst) {
  Unchanged unchanged;
  dst.is_float() ? unchanged.except(dst.xmm()) : unchanged.except(dst.gp());
  return unchanged;
}

// One instruction in several choices of registers: all different, then each that may be the same as another.
inline void check_instruction(Op op, const Lower& lower) {
  const std::string_view signature = wasm::info(op).signature;
  const bool is_binary = signature[1] != ':';
  const char operand_type = signature.front();
  const char result_type = signature.back();
  const std::vector<std::uint64_t> list = values(operand_type, random_numbers, 20);
  for (const CpuFeatures& cpu : machines()) {
    for (int choice = 0; choice < 10; ++choice) {
      Operand a{operand_type, any_register(operand_type)};
      Operand b{operand_type, any_register(operand_type)};
      Operand dst{result_type, any_register(result_type)};
      if (choice < 2) {
        while (b.number == a.number) b.number = any_register(operand_type);
        while (dst.number == a.number || dst.number == b.number) dst.number = any_register(result_type);
      } else if (choice < 4) {
        dst.number = a.number;
      } else if (choice < 6) {
        dst.number = b.number;
      } else if (choice < 7) {
        b.number = a.number;
      } else if (choice < 8) {
        dst.number = b.number = a.number;
      }
      if (!may_be_operand(dst)) dst.number = any_register(result_type);
      if (!is_binary) b = a;
      const std::string what = describe(op, {dst, a, b}, cpu);
      const Snippet snippet(cpu, [&](MacroAssembler& m, const TrapLabels& traps) { lower(m, traps, dst, a, b); });
      Registers registers = Registers::distinct();
      const Unchanged unchanged = all_but(dst);
      for (const std::uint64_t x : list) {
        if (!is_binary || a.same_register(b)) {
          check_run(snippet, op, dst, a, b, unchanged, registers, x, x, what);
          continue;
        }
        // All pairs in two choices of registers.
        const std::size_t step = choice < 2 ? wasi::test::kValueStep : 7 * wasi::test::kValueStep;
        for (std::size_t i = random_numbers() % step; i < list.size(); i += step) {
          check_run(snippet, op, dst, a, b, unchanged, registers, x, list[i], what);
        }
      }
    }
  }
}

inline void check_all(std::initializer_list<Op> ops, const std::function<Lower(Op)>& lower_of) {
  for (const Op op : ops) check_instruction(op, lower_of(op));
  CHECK(ops.size() > 0);
}

}  // namespace wasi::jit::baseline::test

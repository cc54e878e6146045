// A few instructions of machine code between all registers loaded and all registers stored: what they compute, which
// registers they change besides, and whether they trap.
#pragma once

#include <wasi/trap.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "jit/baseline/macro_assembler.h"
#include "jit/common/executable.h"
#include "support/machine_code.h"

namespace wasi::jit::baseline::test {

struct Registers {
  struct Vector {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    friend bool operator==(const Vector&, const Vector&) = default;
  };
  std::array<std::uint64_t, 16> general{};  // but for rsp
  std::array<Vector, 16> vectors{};
  std::uint64_t trap = 0;  // the code and 1

  static Registers random(std::mt19937_64& numbers) {
    Registers registers;
    for (auto& value : registers.general) value = numbers();
    for (auto& value : registers.vectors) value = {numbers(), numbers()};
    return registers;
  }
};

// The labels that a snippet may trap at.
struct TrapLabels {
  asmjit::Label divide_by_zero;
  asmjit::Label overflow;
  asmjit::Label invalid;
};

class Snippet {
 public:
  using Emit = std::function<void(MacroAssembler&, const TrapLabels&)>;

  Snippet(const CpuFeatures& cpu, const Emit& emit) : code_(assemble(cpu, emit)) {}

  WASI_TEST_CALLS_MACHINE_CODE void run(Registers& registers) const { code_.as<void (*)(Registers*)>()(&registers); }

 private:
  static std::vector<std::uint8_t> assemble(const CpuFeatures& cpu, const Emit& emit) {
    MacroAssembler m(cpu);
    const x64::Gp preserved[] = {x64::rbx, x64::rbp, x64::r12, x64::r13, x64::r14, x64::r15, x64::rdi};
    for (const x64::Gp& reg : preserved) m.push(reg);
    const auto general = [](std::uint32_t i) {
      return x64::qword_ptr(x64::rdi, static_cast<std::int32_t>(offsetof(Registers, general) + 8 * i));
    };
    const auto vector = [](std::uint32_t i) {
      return x64::ptr(x64::rdi, static_cast<std::int32_t>(offsetof(Registers, vectors) + 16 * i));
    };
    const auto trap = x64::qword_ptr(x64::rdi, offsetof(Registers, trap));
    constexpr std::uint32_t kRsp = 4;
    constexpr std::uint32_t kRdi = 7;
    for (std::uint32_t i = 0; i < 16; ++i) m.movups(x64::xmm(i), vector(i));
    for (std::uint32_t i = 0; i < 16; ++i) {
      if (i != kRsp && i != kRdi) m.mov(x64::gpq(i), general(i));
    }
    m.mov(x64::rdi, general(kRdi));

    const TrapLabels traps{m.newLabel(), m.newLabel(), m.newLabel()};
    emit(m, traps);

    m.push(x64::rdi);
    m.mov(x64::rdi, x64::qword_ptr(x64::rsp, 8));
    for (std::uint32_t i = 0; i < 16; ++i) {
      if (i != kRsp && i != kRdi) m.mov(general(i), x64::gpq(i));
      m.movups(vector(i), x64::xmm(i));
    }
    m.pop(x64::rax);
    m.mov(general(kRdi), x64::rax);
    m.mov(trap, 0);
    const asmjit::Label leave = m.newLabel();
    m.bind(leave);
    for (std::size_t i = std::size(preserved); i-- > 0;) m.pop(preserved[i]);
    m.ret();
    const auto on_trap = [&](const asmjit::Label& label, TrapCode code) {
      m.bind(label);
      m.mov(x64::rdi, x64::qword_ptr(x64::rsp));
      m.mov(trap, static_cast<int>(code) + 1);
      m.jmp(leave);
    };
    on_trap(traps.divide_by_zero, TrapCode::integer_divide_by_zero);
    on_trap(traps.overflow, TrapCode::integer_overflow);
    on_trap(traps.invalid, TrapCode::invalid_conversion_to_integer);
    m.flush_constants();
    return m.take().value();
  }

  jit::test::Executable code_;
};

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
      if ((general_ >> i & 1) != 0 && before.general[i] != after.general[i]) return "general " + std::to_string(i);
      if ((vectors_ >> i & 1) != 0 && before.vectors[i] != after.vectors[i]) return "xmm" + std::to_string(i);
    }
    return std::nullopt;
  }

 private:
  std::uint32_t general_ = 0xFFFF & ~(1U << 4) & ~(1U << 11);  // rsp is not looked at, r11 is scratch
  std::uint32_t vectors_ = 0x3FFF;
};

// What this machine has, and less.
inline std::vector<CpuFeatures> feature_sets() {
  const CpuFeatures host = CpuFeatures::host();
  CpuFeatures without_avx = host;
  without_avx.avx = without_avx.avx2 = false;
  CpuFeatures only_avx = CpuFeatures::least();
  only_avx.avx = host.avx;
  return {host, without_avx, only_avx, CpuFeatures::least()};
}

}  // namespace wasi::jit::baseline::test

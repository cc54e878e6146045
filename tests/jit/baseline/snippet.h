// The machines to emit for, and what runs the code of one Wasm instruction, with all registers in hand.
#pragma once

#include <fmt/format.h>
#include <wasi/trap.h>

#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "jit/baseline/macro_assembler.h"
#include "jit/common/executable.h"
#include "runtime/simd.h"
#include "support/machine_code.h"

namespace wasi::jit::baseline::test {

using runtime::simd::V128;

// From the least that is compiled for to this machine.
inline std::vector<CpuFeatures> machines() {
  const CpuFeatures& host = CpuFeatures::host();
  REQUIRE(host.sufficient);
  CpuFeatures with_sse42 = CpuFeatures::least();
  with_sse42.sse42 = true;
  CpuFeatures with_avx = with_sse42;
  with_avx.avx = true;
  std::vector<CpuFeatures> list = {CpuFeatures::least()};
  if (host.sse42) list.push_back(with_sse42);
  if (host.avx) list.push_back(with_avx);
  if (host.avx2) list.push_back(host);
  return list;
}
inline std::string describe(const CpuFeatures& cpu) {
  return cpu.avx2 ? "AVX2" : cpu.avx ? "AVX" : cpu.sse42 ? "SSE4.2" : "SSE4.1";
}

inline std::string describe(V128 vector) {
  const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(vector);
  return fmt::format("{:016x}'{:016x}", words[1], words[0]);
}

// All registers but rsp.
struct Registers {
  std::array<V128, 16> xmm = {};
  std::array<std::uint64_t, 16> gpr = {};
  std::uint64_t trap = 0;  // the code and 1

  [[nodiscard]] std::uint64_t& operator[](x64::Gp reg) { return gpr[reg.id()]; }
  [[nodiscard]] V128& operator[](x64::Xmm reg) { return xmm[reg.id()]; }
  // Whatever the operands: something else in each register.
  static Registers distinct() {
    Registers registers;
    for (std::uint64_t i = 0; i < 16; ++i) {
      registers.gpr[i] = 0xD1D2'D3D4'D5D6'D700 + i;
      const std::uint64_t halves[] = {0xE1E2'E3E4'E5E6'E700 + i, 0xF1F2'F3F4'F5F6'F700 + i};
      std::memcpy(&registers.xmm[i], halves, sizeof halves);
    }
    return registers;
  }
};

// Where a snippet may trap.
struct TrapLabels {
  asmjit::Label divide_by_zero;
  asmjit::Label overflow;
  asmjit::Label invalid_conversion;
};

class Snippet {
 public:
  // `emit` gives the offset of an instruction that may fault, or 0.
  Snippet(const CpuFeatures& cpu, const std::function<std::size_t(MacroAssembler&)>& emit)
      : code_(assemble(cpu, [&](MacroAssembler& m, const TrapLabels&) { return emit(m); })) {}
  Snippet(const CpuFeatures& cpu, const std::function<void(MacroAssembler&, const TrapLabels&)>& emit)
      : code_(assemble(cpu, [&](MacroAssembler& m, const TrapLabels& traps) {
          emit(m, traps);
          return std::size_t{0};
        })) {}

  WASI_TEST_CALLS_MACHINE_CODE void run(Registers& registers) const { code_.as<void (*)(Registers*)>()(&registers); }
  // Where the instruction is that may fault.
  [[nodiscard]] std::uintptr_t access() const { return reinterpret_cast<std::uintptr_t>(code_.address()) + access_; }
  // Bytes that were emitted, without constants.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::vector<std::uint8_t> assemble(const CpuFeatures& cpu,
                                     const std::function<std::size_t(MacroAssembler&, const TrapLabels&)>& emit) {
    MacroAssembler m(cpu);
    constexpr std::uint8_t kRsp = 4;
    constexpr std::uint8_t kRdi = 7;
    const x64::Gp preserved[] = {x64::rbx, x64::rbp, x64::r12, x64::r13, x64::r14, x64::r15};
    const auto gpr = [](std::uint8_t number) {
      return x64::qword_ptr(x64::rdi, static_cast<std::int32_t>(offsetof(Registers, gpr)) + number * 8);
    };
    const auto xmm = [](std::uint8_t number) {
      return x64::ptr(x64::rdi, static_cast<std::int32_t>(offsetof(Registers, xmm)) + number * 16);
    };
    for (const x64::Gp& reg : preserved) m.push(reg);
    m.push(x64::rdi);
    for (std::uint8_t i = 0; i < 16; ++i) {
      m.movups(Assembler::xmm(i), xmm(i));
      if (i != kRsp && i != kRdi) m.mov(Assembler::gpr(i), gpr(i));
    }
    m.mov(x64::rdi, gpr(kRdi));
    const std::size_t begin = m.offset();
    const TrapLabels traps{m.newLabel(), m.newLabel(), m.newLabel()};
    access_ = emit(m, traps);
    size_ = m.offset() - begin;
    m.push(x64::rdi);
    m.mov(x64::rdi, x64::qword_ptr(x64::rsp, 8));
    for (std::uint8_t i = 0; i < 16; ++i) {
      m.movups(xmm(i), Assembler::xmm(i));
      if (i != kRsp && i != kRdi) m.mov(gpr(i), Assembler::gpr(i));
    }
    m.pop(x64::rax);
    m.mov(gpr(kRdi), x64::rax);
    m.pop(x64::rdi);
    const auto trap = x64::qword_ptr(x64::rdi, offsetof(Registers, trap));
    m.mov(trap, 0);
    const asmjit::Label leave = m.newLabel();
    m.bind(leave);
    for (std::size_t i = std::size(preserved); i-- > 0;) m.pop(preserved[i]);
    m.ret();
    const auto on_trap = [&](const asmjit::Label& label, TrapCode code) {
      m.bind(label);
      m.pop(x64::rdi);
      m.mov(trap, static_cast<int>(code) + 1);
      m.jmp(leave);
    };
    on_trap(traps.divide_by_zero, TrapCode::integer_divide_by_zero);
    on_trap(traps.overflow, TrapCode::integer_overflow);
    on_trap(traps.invalid_conversion, TrapCode::invalid_conversion_to_integer);
    m.flush_constants();
    return m.take().value();
  }

  std::size_t access_ = 0;
  std::size_t size_ = 0;
  jit::test::Executable code_;
};

// Whether only the scratch registers, and `destination`, have changed.
template <class Reg>
bool only_wrote(Reg destination, const Registers& before, const Registers& after) {
  Registers expected = before;
  expected[MacroAssembler::kScratch] = after.gpr[MacroAssembler::kScratch.id()];
  expected[MacroAssembler::kVectorScratch0] = after.xmm[MacroAssembler::kVectorScratch0.id()];
  expected[MacroAssembler::kVectorScratch1] = after.xmm[MacroAssembler::kVectorScratch1.id()];
  Registers actual = after;
  expected[destination] = actual[destination];
  return expected.gpr == after.gpr && std::memcmp(&expected.xmm, &after.xmm, sizeof expected.xmm) == 0;
}

}  // namespace wasi::jit::baseline::test

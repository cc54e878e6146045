// Constants beside the code: where they lie, and that equal ones are one.
#include "jit/baseline/macro_assembler.h"

#include <catch2/catch.hpp>

#include "jit/common/executable.h"

namespace wasi::jit::baseline {
namespace {

TEST_CASE("constants lie behind the code that uses them, aligned", "[macro_assembler]") {
  MacroAssembler m(CpuFeatures::least());
  m.mov(x64::eax, m.constant32(7));
  m.movaps(x64::xmm0, m.constant128(30, 0));
  m.paddd(x64::xmm0, m.splat32(1000));
  m.movq(x64::rdx, x64::xmm0);
  m.add(x64::rax, x64::rdx);
  m.add(x64::rax, m.constant64(0x1'0000'0000));
  m.ret();
  m.flush_constants();
  const test::Executable code(m.take().value());
  CHECK(code.as<std::uint64_t (*)()>()() == ((1000ULL << 32) + 1030) + 7 + 0x1'0000'0000);
}

TEST_CASE("equal constants are one, up to the next function", "[macro_assembler]") {
  const auto size_of = [](int functions, int constants, bool equal) {
    MacroAssembler m(CpuFeatures::least());
    std::uint64_t value = 1;
    for (int i = 0; i < functions; ++i) {
      for (int k = 0; k < constants; ++k) m.paddd(x64::xmm0, m.constant128(equal ? value : value++, 5));
      m.flush_constants();
    }
    return m.take().value().size();
  };
  CHECK(size_of(1, 8, false) == 64 + 8 * 16);
  CHECK(size_of(1, 8, true) == 64 + 16);
  CHECK(size_of(2, 8, true) == 2 * (64 + 16));
}

TEST_CASE("constants that were not flushed are an error", "[macro_assembler]") {
  MacroAssembler m(CpuFeatures::least());
  m.paddd(x64::xmm0, m.splat32(1));
  const auto code = m.take();
  REQUIRE_FALSE(code.has_value());
  CHECK(code.error().kind == ErrorKind::unsupported);
}

TEST_CASE("features are those of the machine, and may be switched off", "[macro_assembler]") {
  const CpuFeatures& host = CpuFeatures::host();
  CHECK(host.sufficient == (__builtin_cpu_supports("ssse3") != 0 && __builtin_cpu_supports("sse4.1") != 0));
  CHECK(host.avx2 == (__builtin_cpu_supports("avx2") != 0));
  CHECK(host.bmi2 == (__builtin_cpu_supports("bmi2") != 0));
  CHECK(MacroAssembler().cpu().avx2 == host.avx2);
  CHECK_FALSE(MacroAssembler(CpuFeatures::least()).cpu().avx);
}

}  // namespace
}  // namespace wasi::jit::baseline

// What machine code may use of the machine.
#pragma once

#include <cstdint>
#include <string>

namespace wasi::jit {

// Each may be switched off, avx2 with avx.
struct CpuFeatures {
  bool sufficient = false;  // SSSE3 and SSE4.1: an engine compiles nothing without
#define CPU_FEATURE(name, text) bool name = false;
#include "jit/common/cpu_features.def"

  static const CpuFeatures& host();
  static constexpr CpuFeatures least() { return {.sufficient = true}; }
  // The levels of the x86-64 psABI, as far as code makes use of them.
  static constexpr CpuFeatures x86_64_v2() { return {.sufficient = true, .sse42 = true, .popcnt = true}; }
  static constexpr CpuFeatures x86_64_v3() {
    return {.sufficient = true,
            .sse42 = true,
            .popcnt = true,
            .lzcnt = true,
            .bmi1 = true,
            .bmi2 = true,
            .avx = true,
            .avx2 = true};
  }

  // As a number, the rows of the table from bit 0 on.
  [[nodiscard]] std::uint32_t bits() const;
  // "AVX, AVX2": of such a number; bits without a row by their number.
  static std::string names_of(std::uint32_t bits);
};

}  // namespace wasi::jit

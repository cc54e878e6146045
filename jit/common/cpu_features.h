// What machine code may use of the machine.
#pragma once

#include <cstdint>
#include <string>

namespace wasi::jit {

// Each may be switched off, avx2 with avx, and those of AVX-512 together. The baseline compiler uses none of the
// latter.
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
  static constexpr CpuFeatures x86_64_v4() {
    CpuFeatures features = x86_64_v3();
    features.set_avx512(true);
    return features;
  }
  constexpr void set_avx512(bool has) { avx512f = avx512bw = avx512cd = avx512dq = avx512vl = has; }
  [[nodiscard]] constexpr bool has_avx512() const { return avx512f && avx512bw && avx512cd && avx512dq && avx512vl; }

  // As a number, the rows of the table from bit 0 on.
  [[nodiscard]] std::uint32_t bits() const;
  // "AVX, AVX2": of such a number; bits without a row by their number.
  static std::string names_of(std::uint32_t bits);
};

}  // namespace wasi::jit

// What code of the baseline may use of the machine.
#pragma once

namespace wasi::jit::baseline {

// Beyond SSSE3 and SSE4.1. Each may be switched off, avx2 with avx.
struct CpuFeatures {
  bool sufficient = false;  // SSSE3 and SSE4.1 themselves: an engine compiles nothing without
  bool sse42 = false;
  bool popcnt = false;
  bool lzcnt = false;
  bool bmi1 = false;
  bool bmi2 = false;
  bool avx = false;
  bool avx2 = false;

  static const CpuFeatures& host();
  static constexpr CpuFeatures least() { return {.sufficient = true}; }
};

}  // namespace wasi::jit::baseline

#include "jit/common/cpu_features.h"

#include <fmt/format.h>

#include <iterator>

#include "jit/common/assembler_x64.h"

namespace wasi::jit {

namespace {

constexpr const char* kNames[] = {
#define CPU_FEATURE(name, text) text,
#include "jit/common/cpu_features.def"
};

}  // namespace

const CpuFeatures& CpuFeatures::host() {
  static const CpuFeatures features = [] {
    // Says of AVX whether the system keeps its registers, too.
    const auto& has = asmjit::CpuInfo::host().features().x86();
    CpuFeatures features{.sufficient = has.hasSSSE3() && has.hasSSE4_1(),
                         .sse42 = has.hasSSE4_2(),
                         .popcnt = has.hasPOPCNT(),
                         .lzcnt = has.hasLZCNT(),
                         .bmi1 = has.hasBMI(),
                         .bmi2 = has.hasBMI2(),
                         .avx = has.hasAVX(),
                         .avx2 = has.hasAVX() && has.hasAVX2(),
                         .vaes = has.hasVAES()};
    // Where only some of it is there (the first processors that had any), none is used. The same of the system: asmjit
    // says that there is AVX-512 where the registers are kept.
    features.set_avx512(features.avx2 && has.hasAVX512_F() && has.hasAVX512_BW() && has.hasAVX512_CDI() &&
                        has.hasAVX512_DQ() && has.hasAVX512_VL());
    return features;
  }();
  return features;
}

std::uint32_t CpuFeatures::bits() const {
  std::uint32_t bits = 0;
  std::uint32_t row = 0;
#define CPU_FEATURE(name, text) bits |= (name ? 1U : 0U) << row++;
#include "jit/common/cpu_features.def"
  return bits;
}

std::string CpuFeatures::names_of(std::uint32_t bits) {
  std::string names;
  for (std::uint32_t row = 0; row < 32; ++row) {
    if ((bits >> row & 1) == 0) continue;
    if (!names.empty()) names += ", ";
    names += row < std::size(kNames) ? kNames[row] : fmt::format("feature {}", row);
  }
  return names;
}

}  // namespace wasi::jit

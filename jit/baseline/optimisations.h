// The optimisations of optimisations.def: names, switches and counters.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wasi::jit::baseline {

enum class Optimisation : std::uint8_t {
#define OPTIMISATION(name, counted) name,
#include "jit/baseline/optimisations.def"
#undef OPTIMISATION
};

struct OptimisationInfo {
  std::string_view name;
  std::string_view counted;
};

inline constexpr OptimisationInfo kOptimisations[] = {
#define OPTIMISATION(name, counted) {#name, counted},
#include "jit/baseline/optimisations.def"
#undef OPTIMISATION
};
inline constexpr std::size_t kOptimisationCount = std::size(kOptimisations);

class OptimisationSet {
 public:
  constexpr OptimisationSet() = default;
  static constexpr OptimisationSet all() {
    OptimisationSet set;
    set.bits_ = (1U << kOptimisationCount) - 1;
    return set;
  }
  constexpr void add(Optimisation optimisation) { bits_ |= 1U << static_cast<unsigned>(optimisation); }
  [[nodiscard]] constexpr bool has(Optimisation optimisation) const {
    return (bits_ >> static_cast<unsigned>(optimisation) & 1) != 0;
  }

 private:
  std::uint32_t bits_ = 0;
};

// How often each applied, of all functions that were compiled with it. Thread-safe.
using OptimisationCounts = std::array<std::atomic<std::uint64_t>, kOptimisationCount>;

}  // namespace wasi::jit::baseline

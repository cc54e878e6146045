// The optimisations of optimisations.def: names, switches and counters.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jit/common/optimisations.h"

namespace wasi::jit::baseline {

enum class Optimisation : std::uint8_t {
#define OPTIMISATION(name, counted) name,
#include "jit/baseline/optimisations.def"
#undef OPTIMISATION
};

inline constexpr OptimisationInfo kOptimisations[] = {
#define OPTIMISATION(name, counted) {#name, counted},
#include "jit/baseline/optimisations.def"
#undef OPTIMISATION
};
inline constexpr std::size_t kOptimisationCount = std::size(kOptimisations);

using OptimisationSet = jit::OptimisationSet<Optimisation, kOptimisationCount>;
using OptimisationCounts = jit::OptimisationCounts<kOptimisationCount>;

}  // namespace wasi::jit::baseline

// The rows of unit_optimisations.def, a part of the plug-in's border (optimising_compiler.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "jit/common/optimisations.h"

namespace wasi::jit {

enum class UnitOptimisation : std::uint8_t {
#define OPTIMISATION(name, counted) name,
#define COST(name, counted) name,
#include "jit/common/unit_optimisations.def"
#undef COST
#undef OPTIMISATION
};

inline constexpr OptimisationInfo kUnitOptimisations[] = {
#define OPTIMISATION(name, counted) {#name, counted},
#define COST(name, counted) {#name, counted, true},
#include "jit/common/unit_optimisations.def"
#undef COST
#undef OPTIMISATION
};
inline constexpr std::size_t kUnitOptimisationCount = std::size(kUnitOptimisations);

using UnitOptimisationSet = OptimisationSet<UnitOptimisation, kUnitOptimisationCount>;
using UnitOptimisationCounts = OptimisationCounts<kUnitOptimisationCount>;

}  // namespace wasi::jit

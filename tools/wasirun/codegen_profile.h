// `--profile codegen`: what the compilers did beyond the simplest code.
#pragma once

#include <wasi/metrics.h>

#include <span>

namespace wasirun {

// To stderr, of each of the tiers that has counts.
void print_codegen(std::span<const wasi::OptimisationCount> counts, std::span<const wasi::TierMetrics> tiers);

}  // namespace wasirun

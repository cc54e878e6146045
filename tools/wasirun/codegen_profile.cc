#include "tools/wasirun/codegen_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "tools/wasirun/report.h"

namespace wasirun {

void print_codegen(std::span<const wasi::OptimisationCount> counts, std::span<const wasi::TierMetrics> tiers) {
  if (counts.empty()) print_labelled("note", "--profile codegen: with --tier interp nothing is compiled");
  for (const wasi::TierMetrics& tier : tiers) {
    const auto is_of_tier = [&](const wasi::OptimisationCount& count) { return count.tier == tier.tier; };
    if (std::ranges::none_of(counts, is_of_tier)) continue;
    fmt::print(stderr, "{:<18} {:>9} functions of {} bytes of bytecode, {} bytes of machine code\n", tier.tier,
               tier.functions, tier.translate.bytes, tier.code_bytes);
    for (const wasi::OptimisationCount& count : counts) {
      if (is_of_tier(count)) fmt::print(stderr, "{:<18} {:>9} {}\n", count.name, count.count, count.counted);
    }
  }
}

}  // namespace wasirun

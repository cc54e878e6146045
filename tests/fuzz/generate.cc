#include "fuzz/generate.h"

#include <algorithm>
#include <memory>

#include "fuzz/body.h"
#include "fuzz/plan.h"
#include "mutation/mutate.h"

namespace wasi::test::fuzz {

Case generate(std::span<const std::uint8_t> bytes, const std::vector<bool>& omitted) {
  Generation generation(bytes, omitted);
  Case result;
  result.has_loose_nans = generation.has_loose_nans;
  result.has_exact_nans = generation.has_exact_nans;
  for (const std::uint8_t byte : bytes) result.argument_seed = (result.argument_seed ^ byte) * 0x100'0000'01B3;
  const std::uint32_t module_count = generation.entropy.chance(90) ? 2 : 1;
  std::vector<std::unique_ptr<ModulePlan>> plans;
  for (std::uint32_t i = 0; i < module_count; ++i) {
    const ModulePlan* earlier = plans.empty() ? nullptr : plans.back().get();
    plans.push_back(std::make_unique<ModulePlan>(generation.entropy, generation.features, generation.types, earlier));
    const ModulePlan& plan = *plans.back();
    if (earlier == nullptr) result.fuel = "g" + std::to_string(plan.fuel);
    std::vector<std::vector<std::uint8_t>> bodies;
    for (std::uint32_t function = plan.imported_functions; function < plan.functions.size(); ++function) {
      bodies.push_back(BodyGenerator(generation, plan, function).generate());
    }
    result.modules.push_back(plan.write(bodies));
    for (const UntypedHostFunction& function : plan.host_functions) {
      const auto found = std::ranges::find(result.host_functions, function.name, &UntypedHostFunction::name);
      if (found == result.host_functions.end()) result.host_functions.push_back(function);
    }
  }
  result.node_ends = std::move(generation.node_ends);
  result.counts = generation.counts;
  return result;
}

std::vector<std::uint8_t> bytes_of_seed(std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint8_t> bytes(std::uint64_t{100} << random.below(6));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return bytes;
}

}  // namespace wasi::test::fuzz

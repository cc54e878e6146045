// The engine: where types, tiers and options come together.
#include <fmt/format.h>

#include <chrono>
#include <span>
#include <string_view>

#include "base/guard.h"
#include "base/result.h"
#include "engine/code_cache.h"
#include "engine/state.h"
#include "engine/tiers.h"
#include "jit/common/optimising_compiler.h"
#include "wasm/features.h"

namespace wasi {

namespace {

Result<std::shared_ptr<detail::EngineState>> make_state(EngineConfig config, wasm::FeatureSet disabled) {
  auto state = std::make_shared<detail::EngineState>();
  state->config = std::move(config);
  state->disabled_features = disabled;
  state->registry = std::make_shared<wasm::TypeRegistry>();
  WASI_TRY(detail::make_tiers(*state));
  if (const auto& cache = state->config.cache; cache && state->code_space != nullptr) {
    state->cache = std::make_shared<const detail::CodeCache>(cache->directory, cache->limit);
  }
  return state;
}

std::optional<wasm::Feature> feature_named(std::string_view name) {
  for (std::uint8_t i = 0; i < wasm::kFeatureCount; ++i) {
    if (name_of(static_cast<wasm::Feature>(i)) == name) return static_cast<wasm::Feature>(i);
  }
  return std::nullopt;
}

}  // namespace

Engine::Engine() : state_(make_state({}, {}).value()) {}

Result<Engine> Engine::create(EngineConfig config) {
  wasm::FeatureSet disabled;
  for (const std::string& name : config.disabled_features) {
    const auto feature = feature_named(name);
    if (!feature) return fail(ErrorKind::argument, "there is no feature of WebAssembly named \"{}\"", name);
    disabled.add(*feature);
  }
  return Engine(WASI_TRY(make_state(std::move(config), disabled)));
}

const EngineConfig& Engine::config() const { return state_->config; }

std::vector<TierMetrics> Engine::tiers() const {
  std::vector<TierMetrics> tiers;
  for (const runtime::TierStatistics& of : state_->tier->statistics()) {
    tiers.push_back({.tier = of.name,
                     .functions = of.functions,
                     .uncompiled = of.uncompiled,
                     .translate = {.time = std::chrono::nanoseconds(of.nanoseconds), .bytes = of.bytecode_bytes},
                     .code_bytes = of.code_bytes});
  }
  return tiers;
}

TierMetrics Engine::metrics() const {
  TierMetrics sum;
  for (const TierMetrics& tier : tiers()) {
    sum.functions += tier.functions;
    sum.uncompiled += tier.uncompiled;
    sum.translate.time += tier.translate.time;
    sum.translate.bytes += tier.translate.bytes;
    sum.code_bytes += tier.code_bytes;
  }
  return sum;
}

std::vector<TierChange> Engine::tier_changes() const {
  return state_->tier_log == nullptr ? std::vector<TierChange>() : state_->tier_log->changes();
}

std::vector<OptimisationCount> Engine::optimisations() const {
  std::vector<OptimisationCount> counts;
  if (state_->optimisations == nullptr) return counts;
  const auto add = [&](std::string_view tier, std::span<const jit::OptimisationInfo> rows, const auto& counters) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      counts.push_back({.tier = tier,
                        .name = rows[i].name,
                        .counted = rows[i].counted,
                        .count = counters[i].load(std::memory_order_relaxed)});
    }
  };
  add("baseline", jit::baseline::kOptimisations, state_->optimisations->baseline);
  add("llvm", jit::kUnitOptimisations, state_->optimisations->unit);
  return counts;
}

const char* version() { return WASIRUN_VERSION; }

Result<std::string> optimising_compiler() {
  return guarded([]() -> Result<std::string> { return WASI_TRY(jit::optimising_compiler_file()).string(); });
}

}  // namespace wasi

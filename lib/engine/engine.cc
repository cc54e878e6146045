// The engine: where types, tiers and options come together.
#include <fmt/format.h>

#include "base/result.h"
#include "engine/state.h"
#include "engine/tiers.h"
#include "wasm/features.h"

namespace wasi {

namespace {

Result<std::shared_ptr<detail::EngineState>> make_state(EngineConfig config, wasm::FeatureSet disabled) {
  auto state = std::make_shared<detail::EngineState>();
  state->config = std::move(config);
  state->disabled_features = disabled;
  state->registry = std::make_shared<wasm::TypeRegistry>();
  WASI_TRY(detail::make_tiers(*state));
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

TierMetrics Engine::metrics() const {
  const runtime::TierStatistics statistics = state_->tier->statistics();
  return {.functions = statistics.functions,
          .uncompiled = statistics.uncompiled,
          .translate = {.time = std::chrono::nanoseconds(statistics.nanoseconds), .bytes = statistics.bytecode_bytes},
          .code_bytes = statistics.code_bytes};
}

const char* version() { return WASIRUN_VERSION; }

}  // namespace wasi

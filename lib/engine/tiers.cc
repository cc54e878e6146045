#include "engine/tiers.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "engine/profile.h"
#include "engine/state.h"
#include "interp/interpreter.h"
#include "jit/baseline/baseline_tier.h"
#include "jit/common/code_space.h"
#include "jit/common/cpu_features.h"
#include "jit/common/gdb_jit.h"
#include "jit/common/jitdump.h"
#include "jit/common/optimising_compiler.h"
#include "jit/common/perf_map.h"
#include "runtime/native_tier.h"
#include "runtime/tier_log.h"
#include "runtime/tier_policy.h"

namespace wasi::detail {

namespace {

Result<std::shared_ptr<jit::CodeListener>> make_listener(CodeTool tool) {
  switch (tool) {
    case CodeTool::perf_map:
      return jit::PerfMap::of_process();
    case CodeTool::jitdump:
      return jit::Jitdump::of_process(".");
    case CodeTool::debugger:
      return std::make_shared<jit::GdbJit>();
  }
  return fail(ErrorKind::argument, "there is no tool number {}", static_cast<unsigned>(tool));
}

Result<std::optional<jit::CpuFeatures>> cpu_of(CpuTarget target) {
  switch (target) {
    case CpuTarget::native:
      return std::nullopt;
    case CpuTarget::x86_64_v2:
      return jit::CpuFeatures::x86_64_v2();
    case CpuTarget::x86_64_v3:
      return jit::CpuFeatures::x86_64_v3();
    case CpuTarget::x86_64_v4:
      return jit::CpuFeatures::x86_64_v4();
  }
  return fail(ErrorKind::argument, "there is no processor number {}", static_cast<unsigned>(target));
}

Result<std::shared_ptr<jit::CodeSpace>> make_code_space(const EngineConfig& config) {
  jit::CodeSpaceOptions options;
  options.limit = config.code_memory_limit;
  options.warn = config.on_warning;
  options.notes_locals = config.core_dumps;
  // Not before there is something to compile: under a hypervisor, asking the processor takes 80 us.
  options.refusal = []() -> std::optional<Error> {
    if (jit::CpuFeatures::host().sufficient) return std::nullopt;
    return Error{ErrorKind::unsupported, "this processor lacks SSSE3 or SSE4.1", {}, {}};
  };
  for (const CodeTool tool : config.code_tools) options.listeners.push_back(WASI_TRY(make_listener(tool)));
  return std::make_shared<jit::CodeSpace>(std::move(options));
}

// Where functions begin in the interpreter. A threshold below what a sample stands for makes samples as frequent, and
// asks nothing else.
runtime::TierPolicyOptions policy_options(const EngineState& engine) {
  runtime::TierPolicyOptions options{.log = engine.tier_log.get()};
  if (engine.config.tier_threads) options.threads = *engine.config.tier_threads;
  if (engine.config.tier_threshold) {
    const std::uint32_t threshold = std::max(1U, *engine.config.tier_threshold);
    if (threshold < options.period) {
      options.period = threshold;
      options.warm_up_samples = 0;
      options.recall_samples = 0;
      options.bytes_per_sample = UINT32_MAX;
    } else {
      options.least_samples = threshold / options.period;
    }
  }
  if (engine.config.optimise_threshold == 0) {
    options.optimise = {.warm_up_samples = 0, .least_samples = 1, .bytes_per_sample = UINT32_MAX, .is_eager = true};
  } else if (engine.config.optimise_threshold) {
    options.optimise.warm_up_samples = std::min(runtime::kOptimiseWarmUp, *engine.config.optimise_threshold);
    options.optimise.least_samples = *engine.config.optimise_threshold;
  }
  return options;
}

std::unique_ptr<runtime::Tier> make_interpreter(const EngineState& engine) {
  const bool observes = engine.config.tier == TierSelection::automatic && engine.config.optimises;
  return interp::make_interpreter({.observes_calls = observes, .charges_fuel = engine.config.fuel});
}

// What all tiers have that make machine code. The options point into the engine.
Result<jit::baseline::BaselineOptions> native_options(EngineState& engine) {
  engine.cpu = WASI_TRY(cpu_of(engine.config.cpu));
  engine.code_space = WASI_TRY(make_code_space(engine.config));
  jit::baseline::BaselineOptions options{.charges_fuel = engine.config.fuel,
                                         .cpu = engine.cpu,
                                         .strict = engine.config.strict_memory,
                                         .log = engine.tier_log.get(),
                                         .without = engine.without.baseline,
                                         .unit_without = engine.without.unit};
  if (engine.config.counts_optimisations) {
    engine.optimisations = std::make_unique<OptimisationCounters>();
    options.counts = &engine.optimisations->baseline;
    options.unit_counts = &engine.optimisations->unit;
  }
  return options;
}

Result<void> make_baseline(EngineState& engine, bool compiles_at_first_call) {
  jit::baseline::BaselineOptions options = WASI_TRY(native_options(engine));
  options.compiles_at_first_call = compiles_at_first_call;
  if (!compiles_at_first_call && engine.config.optimises) options.optimiser = &jit::load_optimising_compiler;
  auto tier = std::make_unique<jit::baseline::BaselineTier>(*engine.code_space, make_interpreter(engine),
                                                            &jit::baseline::compile, std::move(options));
  if (!compiles_at_first_call) engine.policy = std::make_unique<runtime::TierPolicy>(*tier, policy_options(engine));
  engine.tier = std::move(tier);
  return {};
}

Result<void> make_optimising(EngineState& engine) {
  auto compiler = WASI_TRY(jit::load_optimising_compiler());
  jit::baseline::BaselineOptions options = WASI_TRY(native_options(engine));
  options.name = "llvm";
  options.unit_compiler = std::move(compiler);
  engine.tier = std::make_unique<jit::baseline::BaselineTier>(*engine.code_space, make_interpreter(engine),
                                                              &jit::baseline::compile, std::move(options));
  return {};
}

// Of an engine whose functions all stay in the interpreter.
class NoMachineCode : public runtime::NativeTier {
 public:
  [[nodiscard]] const char* name() const override { return "none"; }
  Result<void> compile_function(runtime::ModuleCode&, runtime::FunctionCode&, runtime::Preparation&) override {
    return fail(ErrorKind::unsupported, "the engine makes no machine code");
  }
};

void make_profiled(EngineState& engine) {
  static NoMachineCode none;
  engine.tier = interp::make_interpreter({.observes_calls = true, .charges_fuel = engine.config.fuel});
  engine.policy =
      std::make_unique<runtime::TierPolicy>(none, runtime::TierPolicyOptions{.period = kProfilePeriod, .threads = 0});
}

}  // namespace

Result<void> make_tiers(EngineState& engine) {
  if (engine.config.records_profile) {
    make_profiled(engine);
    return {};
  }
  if (engine.config.records_tier_changes) engine.tier_log = std::make_unique<runtime::TierLog>();
  switch (engine.config.tier) {
    case TierSelection::interpreter:
      engine.tier = make_interpreter(engine);
      return {};
    case TierSelection::automatic:
      WASI_TRY(make_baseline(engine, false));
      return {};
    case TierSelection::baseline:
      WASI_TRY(make_baseline(engine, true));
      return {};
    case TierSelection::optimising:
      return make_optimising(engine);
  }
  return fail(ErrorKind::argument, "there is no tier number {}", static_cast<unsigned>(engine.config.tier));
}

}  // namespace wasi::detail

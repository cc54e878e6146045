#include "engine/tiers.h"

#include "base/result.h"
#include "engine/state.h"
#include "interp/interpreter.h"
#include "jit/baseline/baseline_tier.h"
#include "jit/common/code_space.h"
#include "jit/common/gdb_jit.h"
#include "jit/common/jitdump.h"
#include "jit/common/perf_map.h"

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

Result<std::shared_ptr<jit::CodeSpace>> make_code_space(const EngineConfig& config) {
  jit::CodeSpaceOptions options;
  options.limit = config.code_memory_limit;
  options.warn = config.on_warning;
  for (const CodeTool tool : config.code_tools) options.listeners.push_back(WASI_TRY(make_listener(tool)));
  return std::make_shared<jit::CodeSpace>(std::move(options));
}

}  // namespace

Result<void> make_tiers(EngineState& engine) {
  switch (engine.config.tier) {
    case TierSelection::automatic:
    case TierSelection::interpreter:
      engine.tier = interp::make_interpreter();
      return {};
    case TierSelection::baseline:
      if constexpr (kHasBaseline) {
        engine.code_space = WASI_TRY(make_code_space(engine.config));
        engine.tier = std::make_unique<jit::baseline::BaselineTier>(*engine.code_space, interp::make_interpreter(),
                                                                    &jit::baseline::compile);
        return {};
      }
      return fail(ErrorKind::unsupported, "this build has no baseline compiler");
  }
  return fail(ErrorKind::argument, "there is no tier number {}", static_cast<unsigned>(engine.config.tier));
}

}  // namespace wasi::detail

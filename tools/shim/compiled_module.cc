#include "tools/shim/compiled_module.h"

#include <algorithm>
#include <utility>

#include "base/printable.h"
#include "base/result.h"

namespace wasirun::shim {

wasi::Result<wasi::Engine> make_engine(const std::string& cache_directory) {
  wasi::EngineConfig config;
  config.tier = wasi::TierSelection::baseline;
  config.optimises = false;
  if (!cache_directory.empty()) config.cache = {.directory = cache_directory, .tells_failures = false};
  return wasi::Engine::create(std::move(config));
}

wasi::Result<CompiledModule> load_compiled(int file, const std::string& name, const std::string& cache_directory) {
  const std::string path = fmt::format("/proc/self/fd/{}", file);
  const auto named = [&](const wasi::Error& error) {
    return wasi::fail(error.kind, "{}: {}", wasi::printable(name), error.to_string());
  };
  // Code gets into the cache when the module that it was compiled for goes, and is mapped by the next one.
  constexpr int kAttempts = 2;
  for (int attempt = 1;; ++attempt) {
    const wasi::Engine engine = WASI_TRY(make_engine(cache_directory));
    const auto module = wasi::Module::from_file(engine, path);
    if (!module) return named(module.error());
    if (const auto prepared = module->prepare(); !prepared) return named(prepared.error());
    if (cache_directory.empty() || engine.metrics().functions == 0 || attempt == kAttempts) {
      return CompiledModule{engine, *module};
    }
  }
}

bool exports_function(const wasi::Module& module, std::string_view name) {
  return std::ranges::any_of(module.exports(), [&](const wasi::ExportType& exported) {
    return exported.name == name && exported.type.kind() == wasi::ExternKind::function;
  });
}

}  // namespace wasirun::shim

#include "tools/shim/compiled_module.h"

#include <algorithm>
#include <utility>

#include "base/printable.h"
#include "base/result.h"

namespace wasirun::shim {

namespace {

wasi::Result<wasi::Module> load(const wasi::Engine& engine, const ModuleFile& file) {
  auto module = wasi::Module::from_file(engine, fmt::format("/proc/self/fd/{}", file.file));
  const auto prepared = module ? module->prepare() : std::unexpected(module.error());
  if (!prepared) {
    const wasi::Error& error = prepared.error();
    return wasi::fail(error.kind, "{}: {}", wasi::printable(file.name), error.to_string());
  }
  return module;
}

}  // namespace

wasi::Result<wasi::Engine> make_engine(const CodeOptions& options) {
  wasi::EngineConfig config;
  config.tier = options.tier;
  config.optimises = false;
  if (!options.cache_directory.empty()) {
    config.cache = {.directory = options.cache_directory, .limit = options.cache_limit, .tells_failures = false};
  }
  return wasi::Engine::create(std::move(config));
}

wasi::Result<CompiledModules> load_compiled(std::span<const ModuleFile> files, const CodeOptions& options) {
  // Code gets into the cache when the module that it was compiled for goes, and is mapped by the next one.
  constexpr int kAttempts = 2;
  for (int attempt = 1;; ++attempt) {
    CompiledModules compiled{.engine = WASI_TRY(make_engine(options)), .modules = {}};
    for (const ModuleFile& file : files) compiled.modules.push_back(WASI_TRY(load(compiled.engine, file)));
    const bool is_kept = options.tier == wasi::TierSelection::baseline && !options.cache_directory.empty();
    if (!is_kept || compiled.engine.metrics().functions == 0 || attempt == kAttempts) return compiled;
  }
}

bool exports_function(const wasi::Module& module, std::string_view name) {
  return std::ranges::any_of(module.exports(), [&](const wasi::ExportType& exported) {
    return exported.name == name && exported.type.kind() == wasi::ExternKind::function;
  });
}

}  // namespace wasirun::shim

#include "tools/shim/wasm_program.h"

#include <unistd.h>

#include <algorithm>
#include <ranges>
#include <string_view>
#include <utility>

#include "base/printable.h"
#include "base/result.h"

namespace wasirun::shim {

namespace {

wasi::Result<wasi::Engine> make_engine(const std::string& cache_directory) {
  wasi::EngineConfig config;
  // Compiled once per host, and from then on mapped: no container pays for a compiler, or waits for one.
  config.tier = wasi::TierSelection::baseline;
  config.optimises = false;
  if (!cache_directory.empty()) config.cache = {.directory = cache_directory, .tells_failures = false};
  return wasi::Engine::create(std::move(config));
}

bool exports_function(const wasi::Module& module, std::string_view name) {
  return std::ranges::any_of(module.exports(), [&](const wasi::ExportType& exported) {
    return exported.name == name && exported.type.kind() == wasi::ExternKind::function;
  });
}

void write_error(std::string_view text) {
  std::string line(text);
  line += '\n';
  for (std::string_view rest = line; !rest.empty();) {
    const auto count = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (count < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

int finish(const wasi::Trap& trap) {
  if (trap.is_exit()) return trap.exit_status;
  write_error(trap.to_string());
  return kTrapExitCode;
}

int failure(const std::string& message) {
  write_error("wasirun: " + message);
  return kFailureExitCode;
}

wasi::WasiConfig make_wasi_config(const ProcessConfig& process) {
  wasi::WasiConfig config;
  config.inherit_stdio().args(process.args).preopen("/", "/");
  bool has_pwd = false;
  for (const std::string& variable : process.env) {
    const std::size_t equals = variable.find('=');
    const std::string_view name = std::string_view(variable).substr(0, equals);
    has_pwd |= name == "PWD";
    config.env(name, std::string_view(variable).substr(equals + 1));
  }
  // WASI knows no working directory; this is where guests look for one.
  if (!has_pwd) config.env("PWD", process.cwd);
  return config;
}

}  // namespace

ProgramName parse_program_name(const std::string& argument) {
  const std::size_t hash = argument.rfind('#');
  if (hash == std::string::npos || hash + 1 == argument.size()) return {argument.substr(0, hash), "_start"};
  return {argument.substr(0, hash), argument.substr(hash + 1)};
}

wasi::Result<WasmProgram> WasmProgram::load(int module_file, const ProgramName& name,
                                            const std::string& cache_directory) {
  const std::string path = fmt::format("/proc/self/fd/{}", module_file);
  const auto named = [&](wasi::Error error) {
    return wasi::fail(error.kind, "{}: {}", wasi::printable(name.path), error.to_string());
  };
  // Code gets into the cache when the module that it was compiled for goes, and is mapped by the next one.
  constexpr int kAttempts = 2;
  for (int attempt = 1;; ++attempt) {
    const wasi::Engine engine = WASI_TRY(make_engine(cache_directory));
    const auto module = wasi::Module::from_file(engine, path);
    if (!module) return named(module.error());
    if (!exports_function(*module, name.function)) {
      return wasi::fail(wasi::ErrorKind::argument, "{}: the module exports no function \"{}\"",
                        wasi::printable(name.path), wasi::printable(name.function));
    }
    if (const auto prepared = module->prepare(); !prepared) return named(prepared.error());
    if (cache_directory.empty() || engine.metrics().functions == 0 || attempt == kAttempts) {
      return WasmProgram(engine, *module, name.function);
    }
  }
}

int WasmProgram::run(const ProcessConfig& process) const {
  auto store = wasi::Store::create(engine_);
  if (!store) return failure(store.error().to_string());
  wasi::Linker linker(engine_);
  linker.define_wasi(make_wasi_config(process));
  const auto instance = linker.instantiate(*store, module_);
  if (!instance) {
    if (const wasi::Trap* const trap = instance.error().trap()) return finish(*trap);
    return failure(instance.error().to_string());
  }
  // A reactor wants to be set up before its first call.
  if (function_ != "_start" && exports_function(module_, "_initialize")) {
    const auto initialize = instance->function<void()>("_initialize");
    if (!initialize) return failure(initialize.error().message);
    if (const auto done = (*initialize)(); !done) return finish(done.error());
  }
  const auto function = instance->function<void()>(function_);
  if (!function) return failure(function.error().message);
  const auto done = (*function)();
  return done ? 0 : finish(done.error());
}

}  // namespace wasirun::shim

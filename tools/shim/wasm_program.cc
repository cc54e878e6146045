#include "tools/shim/wasm_program.h"

#include <string_view>
#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "tools/shim/guest_messages.h"

namespace wasirun::shim {

namespace {

int finish(const wasi::Trap& trap) {
  if (trap.is_exit()) return trap.exit_status;
  write_error(trap.to_string());
  return kTrapExitCode;
}

}  // namespace

ProgramName parse_program_name(const std::string& argument) {
  const std::size_t hash = argument.rfind('#');
  if (hash == std::string::npos || hash + 1 == argument.size()) return {argument.substr(0, hash), "_start"};
  return {argument.substr(0, hash), argument.substr(hash + 1)};
}

void give_environment(const ProcessConfig& process, wasi::WasiConfig& config) {
  bool has_pwd = false;
  for (const std::string& variable : process.env) {
    const std::size_t equals = variable.find('=');
    const std::string_view name = std::string_view(variable).substr(0, equals);
    has_pwd |= name == "PWD";
    config.env(name, std::string_view(variable).substr(equals + 1));
  }
  // WASI knows no working directory; this is where guests look for one.
  if (!has_pwd) config.env("PWD", process.cwd);
}

wasi::Result<WasmProgram> WasmProgram::load(int module_file, const ProgramName& name, const CodeOptions& options) {
  const ModuleFile file{.file = module_file, .name = name.path};
  CompiledModules compiled = WASI_TRY(load_compiled({&file, 1}, options));
  wasi::Module& module = compiled.modules.front();
  if (!exports_function(module, name.function)) {
    return wasi::fail(wasi::ErrorKind::argument, "{}: the module exports no function \"{}\"",
                      wasi::printable(name.path), wasi::printable(name.function));
  }
  return WasmProgram(std::move(compiled.engine), std::move(module), name.function);
}

int WasmProgram::run(const ProcessConfig& process) const {
  auto store = wasi::Store::create(engine_);
  if (!store) return fail_program(store.error().to_string());
  wasi::Linker linker(engine_);
  wasi::WasiConfig config;
  config.inherit_stdio().args(process.args).preopen("/", "/");
  give_environment(process, config);
  linker.define_wasi(std::move(config));
  const auto instance = linker.instantiate(*store, module_);
  if (!instance) {
    if (const wasi::Trap* const trap = instance.error().trap()) return finish(*trap);
    return fail_program(instance.error().to_string());
  }
  // A reactor wants to be set up before its first call.
  if (function_ != "_start") {
    if (const auto done = instance->initialize(); !done) return finish(done.error());
  }
  const auto function = instance->function<void()>(function_);
  if (!function) return fail_program(function.error().message);
  const auto done = (*function)();
  return done ? 0 : finish(done.error());
}

}  // namespace wasirun::shim

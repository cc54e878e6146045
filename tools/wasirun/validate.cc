// wasirun validate: is it a module, all of it?
#include <fmt/format.h>
#include <wasi/wasi.h>

#include "tools/wasirun/commands.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/report.h"

namespace wasirun {

int validate(const ValidateCommand& command) {
  wasi::EngineConfig config = command.engine;
  config.validation = wasi::Validation::parallel;
  const auto engine = wasi::Engine::create(config);
  if (!engine) return failure("{}", engine.error().to_string());
  int exit_code = kSuccess;
  for (const std::string& file : command.files) {
    if (const auto module = load_module(*engine, file)) {
      print_stdout("{}: valid\n", name_of(file));
    } else {
      exit_code = file_failure(file, module.error());
    }
  }
  return exit_code;
}

}  // namespace wasirun

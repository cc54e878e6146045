// A container's module: loaded and compiled before the container is entered, run inside of it.
#pragma once

#include <wasi/wasi.h>

#include <string>

#include "tools/shim/bundle.h"
#include "tools/shim/compiled_module.h"

namespace wasirun::shim {

// Where a process's first argument says that its program is: "PATH#FUNCTION", or PATH for its function _start.
struct ProgramName {
  std::string path;
  std::string function;
};
ProgramName parse_program_name(const std::string& argument);

// The container's variables, and where it works, as WASI has them.
void give_environment(const ProcessConfig& process, wasi::WasiConfig& config);

class WasmProgram {
 public:
  // See load_compiled(). A module that lacks the function is an error, too.
  static wasi::Result<WasmProgram> load(int module_file, const ProgramName& name, const CodeOptions& options);

  // In the container's root, as its user. What ends it abnormally is written to the standard error; the exit code.
  // The limit of its memory is its control group's: as of every container, so that one that uses more is reported as
  // killed for want of memory, and a limit that is raised later counts.
  [[nodiscard]] int run(const ProcessConfig& process) const;

 private:
  WasmProgram(wasi::Engine engine, wasi::Module module, std::string function)
      : engine_(std::move(engine)), module_(std::move(module)), function_(std::move(function)) {}
  wasi::Engine engine_;
  wasi::Module module_;
  std::string function_;
};

}  // namespace wasirun::shim

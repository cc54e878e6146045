// A container's module: loaded and compiled before the container is entered, run inside of it.
#pragma once

#include <wasi/wasi.h>

#include <string>

#include "tools/shim/bundle.h"

namespace wasirun::shim {

// The exit code of a guest that trapped: that of abort() in a shell.
inline constexpr int kTrapExitCode = 134;
inline constexpr int kFailureExitCode = 1;

// Where a process's first argument says that its program is: "PATH#FUNCTION", or PATH for its function _start.
struct ProgramName {
  std::string path;
  std::string function;
};
ProgramName parse_program_name(const std::string& argument);

class WasmProgram {
 public:
  // Compiles all of the module, or takes its code from the cache, which all containers of the host share: its pages
  // are in memory once. Errors name what is wrong with the module; one that lacks the function among them.
  static wasi::Result<WasmProgram> load(int module_file, const ProgramName& name, const std::string& cache_directory);

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

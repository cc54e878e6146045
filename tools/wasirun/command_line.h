// The command line as data. Everything before the module is ours, everything after it the guest's. Modules are files,
// or "-": standard input (load.h).
#pragma once

#include <wasi/engine.h>
#include <wasi/linker.h>
#include <wasi/module.h>
#include <wasi/wasi_config.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tools/serve/server.h"
#include "tools/wasirun/parse.h"

namespace wasirun {

// A module whose exports others can import from `name`.
struct Preload {
  std::string name;
  std::string file;
};

struct RunCommand {
  std::string module;
  std::optional<std::string> argv0;  // instead of the module's name
  std::vector<std::string> args;     // behind the module
  std::string misplaced_option;      // of these, one that reads like an option of ours; empty: none
  std::vector<Directory> directories;
  std::vector<std::string> listen;  // addresses, "fd:N"
  bool listen_fds = false;          // what socket activation passes, before those
  std::vector<std::string> env;     // "K=V", or "K" to inherit it
  bool inherit_env = false;
  std::optional<std::string> invoke;
  std::vector<Preload> preloads;  // in order
  wasi::EngineConfig engine;
  bool no_cache = false;  // engine.cache is empty then
  std::optional<std::chrono::nanoseconds> deadline;
  std::optional<std::uint64_t> fuel;
  std::optional<std::uint64_t> memory_limit;
  std::optional<std::uint64_t> table_limit;
  std::optional<std::uint64_t> instance_limit;
  std::optional<std::uint64_t> gc_heap_limit;
  std::optional<std::uint64_t> stack_size;
  std::optional<std::uint32_t> max_threads;
  wasi::WasiLimits limits;
  wasi::UnknownImports unknown_imports = wasi::UnknownImports::error;
  bool trace_wasi = false;
  wasi::TraceOptions trace;
  std::string trace_output;  // empty: stderr
  bool trace_timestamps = false;
  bool profile_phases = false;
  bool profile_tiers = false;
  bool profile_codegen = false;
  bool debug = false;                       // engine says what that means
  std::string profile_out;                  // empty: no profile is recorded
  std::vector<std::string> guest_profiles;  // files for samples, by their names: .json or .html
  std::string core_dump;                    // of a trap; empty: none
  // Not of the command line: where in this executable the compiled module lies that `module` names.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> embedded = {};
};

struct ServeCommand {
  RunCommand guest;             // its module is the application; engine and capabilities
  serve::ServeOptions options;  // without the guest
};

struct CacheCommand {
  enum class Action : std::uint8_t { list, clear, path };
  Action action = Action::list;
  std::string directory;  // empty: the usual one
};

struct CompileCommand {
  std::string file;
  std::string output;  // "-": standard output; empty: the code goes into engine.cache
  wasi::EngineConfig engine;
  wasi::Module::Optimise optimise = wasi::Module::Optimise::hot;
  std::vector<std::string> profiles;  // files that say what is hot; none: it is guessed
  std::uint32_t threads = 0;          // 0: one for each processor
  bool exe = false;
  bool profile_codegen = false;
  std::vector<std::string> run_options;  // of the executable
};

struct ValidateCommand {
  std::vector<std::string> files;
  wasi::EngineConfig engine;
};

struct InspectCommand {
  std::string file;
  bool json = false;
};

struct ExplainCapsCommand {
  std::string file;
  bool json = false;
};

struct WatCommand {
  std::string file;
  std::string output;  // empty or "-": stdout
  bool fold = false;
};

struct ObjdumpCommand {
  std::string file;
  bool headers = false;
  bool disassemble = false;
  bool contents = false;
  bool names = false;
  std::string section;  // only this one; empty: all
};

struct WasmCommand {
  std::string file;
  std::string output;  // "-": standard output
  bool check = true;
};

struct WastCommand {
  std::vector<std::string> files;
  wasi::EngineConfig engine;
};

struct CompletionCommand {
  enum class Shell : std::uint8_t { bash, zsh, fish };
  Shell shell = Shell::bash;
};

struct ManCommand {
  std::string directory;
};

// Nothing to run: help or a usage error has been printed.
struct Done {
  int exit_code = 0;
};

using Command = std::variant<Done, RunCommand, ServeCommand, CompileCommand, CacheCommand, ValidateCommand,
                             InspectCommand, ExplainCapsCommand, WatCommand, ObjdumpCommand, WasmCommand, WastCommand,
                             CompletionCommand, ManCommand>;

// Reads the arguments behind the program's name; prints help and errors itself.
Command parse_command_line(std::span<const char* const> args);
// The same for an executable that is a program itself: `args` begin with its name, and all go to the program.
Command parse_own_program(std::span<const std::string> options, std::span<const char* const> args);

}  // namespace wasirun

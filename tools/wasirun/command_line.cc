// The commands, and what each makes of its options.
#include "tools/wasirun/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <span>

#include "base/printable.h"
#include "tools/wasirun/command_table.h"
#include "tools/wasirun/configuration.h"
#include "tools/wasirun/nearest.h"
#include "tools/wasirun/options.h"
#include "tools/wasirun/report.h"
#include "tools/wasirun/run_options.h"
#include "tools/wasirun/serve_options.h"

namespace wasirun {

namespace {
// The first argument of the program's that reads like an option of ours which was put behind the module by mistake;
// empty where there is none. Behind a "--" programs have their own reasons.
std::string misplaced_option(const CommandApp& app, const std::vector<std::string>& args) {
  for (const std::string& arg : args) {
    if (arg == "--") break;
    const std::string name = arg.substr(0, arg.find('='));
    // Short ones mean something in every program, and so does --help.
    if (!name.starts_with("--") || name == "--help") continue;
    if (app.get_option_no_throw(name) != nullptr) return name;
  }
  return "";
}
constexpr std::uint64_t kMostCompileThreads = 1024;

// Where there is nothing to parse nothing is made to parse it, which would take as long as a small program. Of the
// program's arguments those count that look like ours.
std::optional<RunCommand> run_without_options(std::span<const char* const> args) {
  const auto is_long_option = [](const char* arg) { return std::string_view(arg).starts_with("--"); };
  if (args.empty() || *args.front() == '-' || std::ranges::any_of(args, is_long_option)) return std::nullopt;
  if (usual_configuration()) return std::nullopt;
  RunCommand run = default_run();
  run.module = args.front();
  run.args.assign(args.begin() + 1, args.end());
  return run;
}

Command parse_run(CommandApp& app, std::span<const char* const> args) {
  RunCommand run = default_run();
  set_up(app, "Runs a program: a module with a _start function, or with --invoke any exported function.",
         "wasirun [run] [options] MODULE [arguments...]");
  app.has_border = true;
  app.footer(
      "Options before MODULE are wasirun's, everything behind it is the program's.\n"
      "MODULE can be -: it is then read from standard input, and the program's own standard input is empty.\n"
      "The exit code is the program's; 134 after a trap, 1 when it cannot be loaded, 2 for a wrong command line.");
  add_run_options(app, run);

  const auto border = find_border(app, args);
  if (const Done* done = std::get_if<Done>(&border)) return *done;
  const auto [options, rest] = std::get<Border>(border);
  if (auto done = parse(app, {args.begin(), args.begin() + static_cast<std::ptrdiff_t>(options)})) return *done;
  if (rest >= args.size()) return Done{usage_error("which module? See 'wasirun run --help'")};
  finish_engine_options(app, run);
  if (!run.profile_out.empty()) {
    if (app.count("--tier") != 0 && run.engine.tier != wasi::TierSelection::interpreter) {
      return Done{usage_error("--profile-out interprets the program; --tier says otherwise")};
    }
    run.engine.records_profile = true;
    run.engine.tier = wasi::TierSelection::interpreter;
    run.engine.cache.reset();
  }
  run.module = args[rest];
  run.args.assign(args.begin() + static_cast<std::ptrdiff_t>(rest) + 1, args.end());
  // Who wrote "--" knows which options are whose.
  if (options == rest) run.misplaced_option = misplaced_option(app, run.args);
  return run;
}

// Which compiler compiles what.
void add_optimise_options(CommandApp& app, CompileCommand& compile) {
  CLI::Option* all = app.add_flag_callback(
      "--all", [&compile] { compile.optimise = wasi::Module::Optimise::everything; },
      "Optimise all functions (default: what runs much, as a profile or else a guess says), which takes longer");
  CLI::Option* none = app.add_flag_callback(
      "--baseline", [&compile] { compile.optimise = wasi::Module::Optimise::nothing; },
      "Optimise none: the quickest compilation");
  none->excludes(all);
  add_repeatable(app, "--profile-use", "FILE",
                 "Optimise what ran much in a run with --profile-out FILE, or in several. Repeatable",
                 [&compile](Text value) {
                   if (value.empty()) throw CLI::ValidationError("--profile-use", "\"\" is not the name of a file");
                   compile.profiles.push_back(value);
                 })
      ->excludes(all)
      ->excludes(none);
  add_count(app, "-j,--threads", "COUNT", "Threads that compile (default: one for each processor)", compile.threads,
            kMostCompileThreads);
  static constexpr Choice<bool CompileCommand::*> kProfiles[] = {{"codegen", &CompileCommand::profile_codegen}};
  add_choice(app, "--profile", "WHAT",
             "Print to stderr what the compilers did: codegen (how often each optimisation applied)", kProfiles,
             [&compile](bool CompileCommand::* profile) {
               compile.*profile = true;
               compile.engine.counts_optimisations = true;
             });
}

Command parse_compile(CommandApp& app, std::span<const char* const> args) {
  CompileCommand compile;
  // What the machine's code may take at most.
  compile.engine.code_memory_limit = std::uint64_t{1} << 30;
  set_up(app,
         "Compiles a module, on all processors, into a file that starts at once wherever the same version of wasirun "
         "runs.",
         "wasirun compile [options] MODULE -o OUTPUT [-- options of run]");
  std::string cache;
  app.footer(
      "OUTPUT is written completely or not at all; the same module and options give the same bytes. `wasirun run` "
      "runs\n"
      "it where its name ends in .cwasm. It is machine code: run none that you would not run as a program.");
  CLI::Option* const output =
      add_file(app, "-o,--output", "OUTPUT", "File to write; - for standard output", compile.output);
  add_file(app, "--cache", "DIR",
           "Instead of a file: the directory of machine code in which runs, and containers, look for it", cache)
      ->excludes(output);
  static constexpr Choice<wasi::CpuTarget> kCpus[] = {{"native", wasi::CpuTarget::native},
                                                      {"x86-64-v2", wasi::CpuTarget::x86_64_v2},
                                                      {"x86-64-v3", wasi::CpuTarget::x86_64_v3},
                                                      {"x86-64-v4", wasi::CpuTarget::x86_64_v4}};
  add_choice(app, "--cpu", "CPU",
             "The processors that it is for: native (this one, default), or all with x86-64-v2, x86-64-v3 or x86-64-v4",
             kCpus, [&compile](wasi::CpuTarget cpu) { compile.engine.cpu = cpu; });
  add_optimise_options(app, compile);
  add_feature_options(app, compile.engine);
  add_bounds_checks(app, compile.engine);
  app.add_flag("--strict-memory", compile.engine.strict_memory,
               "Optimised code makes every access to memory as the program has it, for `run --strict-memory`");
  app.add_flag("--fuel", compile.engine.fuel, "For `run --fuel`, which the code charges; makes it slower");
  app.add_flag("--exe", compile.exe,
               "Write a program that can be started by itself; options of run behind -- are given to it");
  app.add_option("MODULE", compile.file, "Module to compile; - for standard input");

  const auto border = std::ranges::find_if(args, [](const char* arg) { return std::string_view(arg) == "--"; });
  if (auto done = parse(app, {args.begin(), border})) return *done;
  if (border != args.end()) compile.run_options.assign(border + 1, args.end());
  if (compile.file.empty()) return Done{usage_error("which module? See 'wasirun compile --help'")};
  if (compile.output.empty() && cache.empty()) {
    return Done{
        usage_error("write it where? Name a file with -o, or - for standard output, or a directory with --cache")};
  }
  if (!cache.empty()) {
    if (compile.exe) return Done{usage_error("an executable is a file, -o, and not for --cache")};
    compile.engine.cache = {.directory = cache};
  }
  if (!compile.exe) {
    if (border == args.end()) return compile;
    return Done{usage_error("options of run behind -- are for an executable: --exe is missing")};
  }
  const Command run = parse_own_program(compile.run_options, std::span(&args.front(), 1));
  if (const auto* done = std::get_if<Done>(&run)) return *done;
  // The code is to be what the options ask for.
  const wasi::EngineConfig& engine = std::get<RunCommand>(run).engine;
  compile.engine.fuel = engine.fuel;
  compile.engine.strict_memory = engine.strict_memory;
  compile.engine.bounds_checks = engine.bounds_checks;
  return compile;
}

Command parse_cache(CommandApp& app, std::span<const char* const> args) {
  CacheCommand command;
  set_up(app, "Shows and empties the directory in which machine code is kept from one run to the next.",
         "wasirun cache [--cache DIR] list|clear|path");
  app.footer(
      "list: the files, last used first, with their sizes and when they were used. clear: removes them. path: where "
      "they\n"
      "are. 'run --no-cache' does without.");
  std::string action;
  add_file(app, "--cache", "DIR", "Another directory than the usual one", command.directory);
  app.add_option("ACTION", action, "list, clear or path");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  static constexpr Choice<CacheCommand::Action> kActions[] = {{"list", CacheCommand::Action::list},
                                                              {"clear", CacheCommand::Action::clear},
                                                              {"path", CacheCommand::Action::path}};
  for (const auto& choice : kActions) {
    if (choice.name != action) continue;
    command.action = choice.value;
    return command;
  }
  return Done{usage_error("list, clear or path? See 'wasirun cache --help'")};
}

Command parse_validate(CommandApp& app, std::span<const char* const> args) {
  ValidateCommand validate;
  set_up(app, "Checks modules completely: their format, and every function body.",
         "wasirun validate [options] FILE...");
  app.footer("The exit code is 1 when any file is not a valid module.");
  add_feature_options(app, validate.engine);
  app.add_option("FILE", validate.files, "Modules to check; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (validate.files.empty()) return Done{usage_error("which file? See 'wasirun validate --help'")};
  return validate;
}

Command parse_inspect(CommandApp& app, std::span<const char* const> args) {
  InspectCommand inspect;
  set_up(app, "Shows a module's imports, exports, sections, sizes, names and the features that it uses.",
         "wasirun inspect [--json] FILE");
  app.add_flag("--json", inspect.json, "Print JSON");
  app.add_option("FILE", inspect.file, "Module to show; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (inspect.file.empty()) return Done{usage_error("which file? See 'wasirun inspect --help'")};
  return inspect;
}

Command parse_explain_caps(CommandApp& app, std::span<const char* const> args) {
  ExplainCapsCommand explain;
  set_up(
      app,
      "Says what a program can make use of, by the functions of WASI that it imports, and which options of 'run' give\n"
      "it that. What it does not import it cannot do, whatever it is given.",
      "wasirun explain-caps [--json] FILE");
  app.add_flag("--json", explain.json, "Print JSON");
  app.add_option("FILE", explain.file, "Module to look at; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (explain.file.empty()) return Done{usage_error("which file? See 'wasirun explain-caps --help'")};
  return explain;
}

Command parse_wat(CommandApp& app, std::span<const char* const> args) {
  WatCommand wat;
  set_up(app, "Prints a module in the text format. It is decoded, not validated.",
         "wasirun wat [--fold] [-o OUTPUT] FILE");
  app.footer(
      "Expressions that fit into a line are folded, longer ones and blocks stay flat; --fold makes each one tree.\n"
      "Names come from the name section. Text that is made binary again gives the same module, custom sections "
      "included.");
  app.add_flag("--fold", wat.fold, "Fold every expression and block");
  add_file(app, "-o,--output", "OUTPUT", "Write to this file, which appears when it is complete (default: stdout)",
           wat.output);
  app.add_option("FILE", wat.file, "Module to print; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (wat.file.empty()) return Done{usage_error("which file? See 'wasirun wat --help'")};
  return wat;
}

Command parse_objdump(CommandApp& app, std::span<const char* const> args) {
  ObjdumpCommand objdump;
  set_up(app, "Shows a module's sections and the instructions of its functions, with their byte offsets.",
         "wasirun objdump [options] FILE");
  app.set_help_flag("--help", "Print this help and exit");  // -h is what it is in other objdumps
  app.footer("Without options: -h -d.");
  app.add_flag("-h,--headers", objdump.headers, "The sections: places, sizes, numbers of entries");
  app.add_flag("-d,--disassemble", objdump.disassemble, "The functions' instructions beside their bytes");
  app.add_flag("-s,--full-contents", objdump.contents, "The bytes of the sections");
  app.add_flag("-t,--names", objdump.names, "What the name section says");
  app.add_option("-j,--section", objdump.section, "With -h, -d and -s: only this section, e.g. data")
      ->type_name("NAME");
  app.add_option("FILE", objdump.file, "Module to show; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (objdump.file.empty()) return Done{usage_error("which file? See 'wasirun objdump --help'")};
  if (!objdump.headers && !objdump.disassemble && !objdump.contents && !objdump.names) {
    objdump.headers = true;
    objdump.disassemble = true;
  }
  return objdump;
}

Command parse_wasm(CommandApp& app, std::span<const char* const> args) {
  WasmCommand wasm;
  set_up(app, "Translates a module from the text format (WAT) to the binary format, names included.",
         "wasirun wasm FILE -o OUTPUT");
  app.footer("The module is validated first. OUTPUT is written completely or not at all.");
  add_file(app, "-o,--output", "OUTPUT", "File to write; - for standard output", wasm.output);
  app.add_flag("!--no-check", wasm.check, "Do not validate the module");
  app.add_option("FILE", wasm.file, "Text to translate; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (wasm.file.empty()) return Done{usage_error("which file? See 'wasirun wasm --help'")};
  if (wasm.output.empty()) return Done{usage_error("write it where? Name a file with -o, or - for standard output")};
  return wasm;
}

Command parse_wast(CommandApp& app, std::span<const char* const> args) {
  WastCommand wast;
  set_up(app, "Runs scripts of the specification's text format: modules, calls and what is to come of them.",
         "wasirun wast [options] FILE...");
  app.footer("Each assertion that fails is a line on stderr. The exit code is 1 when any does.");
  add_tier(app, wast.engine);
  add_feature_options(app, wast.engine);
  add_bounds_checks(app, wast.engine);
  app.add_option("FILE", wast.files, "Scripts to run; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (wast.files.empty()) return Done{usage_error("which file? See 'wasirun wast --help'")};
  return wast;
}

Command parse_completion(CommandApp& app, std::span<const char* const> args) {
  CompletionCommand command;
  set_up(app, "Prints what completes command lines of wasirun in a shell.", "wasirun completion bash|zsh|fish");
  app.footer(
      "bash: source <(wasirun completion bash), in ~/.bashrc. zsh: wasirun completion zsh > DIR/_wasirun, of a DIR in\n"
      "$fpath. fish: wasirun completion fish > ~/.config/fish/completions/wasirun.fish. Packages bring them along.");
  static constexpr Choice<CompletionCommand::Shell> kShells[] = {{"bash", CompletionCommand::Shell::bash},
                                                                 {"zsh", CompletionCommand::Shell::zsh},
                                                                 {"fish", CompletionCommand::Shell::fish}};
  bool is_chosen = false;
  add_choice(app, "SHELL", "", "bash, zsh or fish", kShells, [&](CompletionCommand::Shell shell) {
    command.shell = shell;
    is_chosen = true;
  });
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (!is_chosen) return Done{usage_error("for bash, zsh or fish? See 'wasirun completion --help'")};
  return command;
}

Command parse_man(CommandApp& app, std::span<const char* const> args) {
  ManCommand command;
  set_up(app, "Writes the pages of the manual, wasirun.1 and one for each command, into a directory.",
         "wasirun man DIRECTORY");
  app.footer("man DIRECTORY/wasirun-run.1 shows one. Packages bring them along.");
  add_file(app, "DIRECTORY", "", "Where to write them; must be there", command.directory);
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (command.directory.empty()) return Done{usage_error("write it where? See 'wasirun man --help'")};
  return command;
}

constexpr CommandInfo kCommands[] = {
    {"run", "[run] [options] MODULE [arguments...]", "run a program", parse_run, true},
    {"serve", "serve [options] APPLICATION [arguments...]", "answer HTTP requests by instances of a module",
     parse_serve, true},
    {"compile", "compile [options] MODULE -o OUTPUT", "compile a module into a file, or an executable", parse_compile,
     true},
    {"cache", "cache list|clear|path", "show or empty what is kept between runs", parse_cache, false},
    {"validate", "validate [options] FILE...", "check modules", parse_validate, false},
    {"inspect", "inspect [--json] FILE", "show what is in a module", parse_inspect, false},
    {"explain-caps", "explain-caps [--json] FILE", "say what a program can make use of, and what gives it",
     parse_explain_caps, false},
    {"wasm", "wasm FILE -o OUTPUT", "translate a module from text to binary", parse_wasm, false},
    {"wat", "wat [--fold] [-o OUTPUT] FILE", "print a module as text", parse_wat, false},
    {"objdump", "objdump [options] FILE", "show sections and disassembly", parse_objdump, false},
    {"wast", "wast [options] FILE...", "run scripts of the specification's format", parse_wast, false},
    {"completion", "completion bash|zsh|fish", "print what completes command lines in a shell", parse_completion,
     false},
    {"man", "man DIRECTORY", "write the manual's pages", parse_man, false},
};

Command parse_command(const CommandInfo& command, std::span<const char* const> args) {
  if (command.parse == parse_run) {
    if (auto run = run_without_options(args)) return *std::move(run);
  }
  CommandApp app(command.name);
  if (command.is_configurable) add_configuration_options(app);
  return command.parse(app, args);
}

std::vector<OptionDescription> describe_options(const CommandApp& app) {
  std::vector<OptionDescription> options;
  for (const CLI::Option* option : app.get_options()) {
    OptionDescription& description = options.emplace_back();
    description.is_argument = option->get_positional();
    if (description.is_argument) description.names.push_back(option->get_name(true));
    for (const std::string& name : option->get_snames()) description.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) description.names.push_back("--" + name);
    if (option->get_items_expected_max() > 0) description.type = option->get_type_name();
    description.what = option->get_description();
    for (const CLI::Option* needed : option->get_needs()) {
      description.what += fmt::format(". Needs {}", needed->get_name());
    }
    description.choices = app.facts(option).choices;
    description.is_repeatable = app.facts(option).is_repeatable;
  }
  return options;
}

std::string overview() {
  std::string text =
      "Runs WebAssembly programs (WASI preview1) in a sandbox that reaches only what it is given.\n\nusage:\n";
  for (const CommandInfo& command : kCommands)
    text += fmt::format("  wasirun {:<39} {}\n", command.usage, command.what);
  return text +
         "\nMODULE and FILE can be - for standard input.\n"
         "'wasirun COMMAND --help' explains a command and its options.\n"
         "'wasirun --version' prints the version, and whether the optimising compiler is installed.\n";
}

// The command line did not begin with a command, so this is the name of a module. Unless there is no such file and it
// reads like a command that was spelled wrongly or does not exist.
std::optional<Done> check_bare_module(const RunCommand& run, bool has_options) {
  const std::string& word = run.module;
  if (word.empty() || word.find_first_of("./\\") != std::string::npos || word.starts_with('-') ||
      ::access(word.c_str(), F_OK) == 0 || errno != ENOENT) {
    return std::nullopt;
  }
  std::vector<std::string> known;
  std::string all;
  for (const CommandInfo& command : kCommands) {
    if (command.name == word && has_options) {
      return Done{failure("there is no file \"{}\", and a command stands before its options: wasirun {} [options] ...",
                          word, word)};
    }
    known.emplace_back(command.name);
    all += fmt::format("{}{}", all.empty() ? "" : ", ", command.name);
  }
  const std::string nearest = nearest_word(word, known);
  if (!nearest.empty()) {
    return Done{failure("there is no file \"{}\" to run, nor a command of that name; did you mean 'wasirun {}'?", word,
                        nearest)};
  }
  return Done{failure("there is no file \"{}\" to run, nor a command of that name; the commands are {}", word, all)};
}

// Of the engine, and what it can run programs in.
std::string versions() {
  const auto compiler = wasi::optimising_compiler();
  return fmt::format("wasirun {}\ntiers: interp, baseline, {}\n", wasi::version(),
                     compiler ? fmt::format("llvm ({})", wasi::printable(*compiler))
                              : fmt::format("no llvm: {}", wasi::printable(compiler.error().message)));
}

}  // namespace

std::span<const CommandInfo> command_table() { return kCommands; }

CommandDescription describe(const CommandInfo& command) {
  CommandDescription description;
  CommandApp app(command.name);
  if (command.is_configurable) add_configuration_options(app);
  app.on_help = [&](const CommandApp& whole) {
    description = {.name = whole.get_name(),
                   .usage = whole.usage,
                   .what = whole.get_description(),
                   .notes = whole.get_footer(),
                   .options = describe_options(whole),
                   .has_border = whole.has_border};
    return Done{kSuccess};
  };
  constexpr const char* kHelp[] = {"--help"};
  (void)command.parse(app, std::span<const char* const>(kHelp));
  return description;
}

Command parse_own_program(std::span<const std::string> options, std::span<const char* const> args) {
  std::vector<const char*> words;
  for (const std::string& option : options) words.push_back(option.c_str());
  words.push_back("--");
  words.insert(words.end(), args.begin(), args.end());
  CommandApp app("run");
  Command command = parse_run(app, words);
  // A word that is no option would be taken for the module.
  const auto* run = std::get_if<RunCommand>(&command);
  if (run != nullptr && (args.empty() || run->module != args.front() || run->args.size() + 1 != args.size())) {
    return Done{usage_error("the options of run that an executable has are not all options of run")};
  }
  return command;
}

Command parse_command_line(std::span<const char* const> args) {
  if (args.empty()) {
    std::fputs(overview().c_str(), stderr);
    return Done{kUsage};
  }
  const std::string_view first = args[0];
  for (const CommandInfo& command : kCommands) {
    if (command.name == first) return parse_command(command, args.subspan(1));
  }
  if (first == "--help" || first == "-h" || first == "help") return print(overview());
  if (first == "--version" || first == "-V") return print(versions());
  Command command = parse_command(kCommands[0], args);
  if (const auto* run = std::get_if<RunCommand>(&command)) {
    if (auto done = check_bare_module(*run, first.starts_with('-'))) return *done;
  }
  return command;
}

}  // namespace wasirun

// Options, by CLI11, and the border between ours and the guest's.
#include "tools/wasirun/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <span>

#include "base/printable.h"
#include "engine/code_cache.h"
#include "tools/wasirun/nearest.h"
#include "tools/wasirun/report.h"
#include "wasi/context.h"
#include "wasi/table.h"

namespace wasirun {

namespace {

// CLI11's help with a usage line of our own.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) { column_width(34); }
  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override { return usage_; }

 private:
  std::string usage_;
};

void set_up(CLI::App& app, const char* usage) {
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.formatter(std::make_shared<HelpFormatter>(std::string("usage: ") + usage + "\n"));
  app.get_formatter()->label("OPTIONS", "Options");
}

Done print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return {finish_stdout(kSuccess)};
}

Done unknown_option(const CLI::App& app, const std::string& name) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) known.push_back("--" + option->get_single_name());
  const std::string nearest = nearest_word(name, known);
  return {usage_error("unknown option {}{}; 'wasirun {} --help' lists the options", name,
                      nearest.empty() ? "" : fmt::format(" (did you mean {}?)", nearest), app.get_name())};
}

// Hands `args` to CLI11; empty when they were fine.
std::optional<Done> parse(CLI::App& app, std::vector<std::string> args) {
  std::ranges::reverse(args);  // CLI11 takes them from the back
  try {
    app.parse(std::move(args));
  } catch (const CLI::CallForHelp&) {
    return print(app.help());
  } catch (const CLI::ParseError& error) {
    return Done{usage_error("{}; see 'wasirun {} --help'", error.what(), app.get_name())};
  }
  return std::nullopt;
}

// How many leading arguments are options of `app` (their values included): what follows is not ours. An unknown
// option ends it too.
struct Border {
  std::size_t options = 0;  // arguments [0, options)
  std::size_t rest = 0;     // arguments [rest, end), behind the "--" where there is one
};
std::variant<Border, Done> find_border(const CLI::App& app, std::span<const char* const> args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string arg = args[i];
    if (arg == "--") return Border{i, i + 1};
    if (!arg.starts_with('-') || arg == "-") return Border{i, i};
    const std::size_t equals = arg.find('=');
    const std::string name = arg.substr(0, equals);
    const CLI::Option* option = app.get_option_no_throw(name);
    if (option == nullptr) return unknown_option(app, name);
    if (equals == std::string::npos && option->get_items_expected_max() > 0) ++i;
  }
  return Border{args.size(), args.size()};
}

template <class T>
T or_throw(const char* option, Parsed<T> parsed) {
  if (!parsed) throw CLI::ValidationError(option, parsed.error());
  return *std::move(parsed);
}

template <class T>
struct Choice {
  std::string_view name;
  T value;
};

template <class T>
T choose(const char* option, const std::string& text, std::span<const Choice<T>> choices) {
  std::string known;
  for (const auto& choice : choices) {
    if (choice.name == text) return choice.value;
    known += (known.empty() ? "" : ", ") + std::string(choice.name);
  }
  throw CLI::ValidationError(option, fmt::format("\"{}\" is not one of {}", text, known));
}

template <class T, std::size_t N>
T choose(const char* option, const std::string& text, const Choice<T> (&choices)[N]) {
  return choose(option, text, std::span<const Choice<T>>(choices));
}

wasi::TierSelection choose_tier(const std::string& text) {
  static constexpr Choice<wasi::TierSelection> kTiers[] = {{"auto", wasi::TierSelection::automatic},
                                                           {"interp", wasi::TierSelection::interpreter},
                                                           {"baseline", wasi::TierSelection::baseline},
                                                           {"llvm", wasi::TierSelection::optimising}};
  return choose("--tier", text, kTiers);
}

using Text = const std::string&;

constexpr std::uint64_t kMostTierThreads = 64;
constexpr std::uint64_t kMostCompileThreads = 1024;

// An option whose value is read by `read`, which throws what is wrong with it.
template <class Read>
CLI::Option* add_read(CLI::App& app, const char* name, const char* type, const char* what, Read read) {
  return app.add_option_function<std::string>(name, std::move(read), what)->type_name(type);
}

// One that may be given several times.
template <class Read>
CLI::Option* add_repeatable(CLI::App& app, const char* name, const char* type, const char* what, Read read) {
  const auto read_all = [read](const std::vector<std::string>& values) {
    for (Text value : values) read(value);
  };
  return app.add_option_function<std::vector<std::string>>(name, read_all, what)
      ->type_name(type)
      ->allow_extra_args(false);
}

// A number in decimal digits, at most `most`.
template <class T>
CLI::Option* add_count(CLI::App& app, const char* name, const char* type, const char* what, T& target,
                       std::uint64_t most = std::numeric_limits<std::uint32_t>::max()) {
  return add_read(app, name, type, what, [name, most, &target](Text value) {
    target = static_cast<std::uint32_t>(or_throw(name, parse_count(value, most)));
  });
}

// The name of a file. An empty one would look as if the option had not been given.
CLI::Option* add_file(CLI::App& app, const char* names, const char* type, const char* what, std::string& target) {
  return add_read(app, names, type, what, [names, &target](Text value) {
    if (value.empty()) throw CLI::ValidationError(names, "\"\" is not the name of a file");
    target = value;
  });
}

// NAME=VALUE or NAME.
std::string parse_variable(Text value) {
  if (value.empty() || value.front() == '=') {
    throw CLI::ValidationError("--env", fmt::format("\"{}\" is not NAME=VALUE or NAME, like LANG=C", value));
  }
  return value;
}

// "wasi", or "wasi:" and patterns of functions' names.
void parse_trace(Text value, RunCommand& run) {
  const std::size_t colon = value.find(':');
  static constexpr Choice<bool> kChoices[] = {{"wasi", true}};
  run.trace_wasi = choose("--trace", value.substr(0, colon), kChoices);
  if (colon == std::string::npos) return;
  for (std::size_t at = colon + 1; at <= value.size();) {
    const std::size_t comma = std::min(value.find(',', at), value.size());
    std::string pattern = value.substr(at, comma - at);
    const auto means = [&](std::string_view function) { return wasi::preview1::matches(pattern, function); };
    if (!means(wasi::preview1::kThreadSpawn) &&
        std::ranges::none_of(wasi::preview1::function_infos(), means, &wasi::preview1::FunctionInfo::name)) {
      throw CLI::ValidationError("--trace", fmt::format("no function of WASI is called \"{}\"", pattern));
    }
    run.trace.functions.push_back(std::move(pattern));
    at = comma + 1;
  }
}

void add_trace_options(CLI::App& app, RunCommand& run) {
  CLI::Option* trace =
      add_read(app, "--trace", "wasi[:NAMES]",
               "Print calls of WASI, as strace does: wasi, or only some of them, e.g. wasi:path_*,fd_read",
               [&run](Text value) { parse_trace(value, run); });
  add_file(app, "--trace-output", "FILE", "Where to print them (default: stderr)", run.trace_output)->needs(trace);
  app.add_flag("-T,--trace-times", run.trace.times, "Print how long each call took")->needs(trace);
  app.add_flag("--trace-timestamps", run.trace_timestamps, "Print the time of day before each line")->needs(trace);
  add_count(app, "--trace-string-size", "COUNT", "How many bytes of data to print (default: 32)", run.trace.string_size)
      ->needs(trace);
}

// Where machine code is kept.
void add_cache_options(CLI::App& app, RunCommand& run) {
  wasi::EngineConfig& engine = run.engine;
  add_read(app, "--cache", "DIR",
           "Where machine code is kept for the next run (default: wasirun in the user's cache "
           "directory, see 'wasirun cache path'); nobody else may write to it",
           [&engine](Text value) {
             if (value.empty()) throw CLI::ValidationError("--cache", "\"\" is no directory");
             engine.cache.emplace().directory = value;
           });
  add_read(app, "--cache-size", "SIZE", "Most bytes that it holds (default: 1g)", [&engine](Text value) {
    const std::uint64_t limit = or_throw("--cache-size", parse_size(value));
    if (engine.cache) engine.cache->limit = limit;
  });
  app.add_flag("--no-cache", run.no_cache, "Keep no machine code, and use none that was kept");
}

// Of tiers with machine code.
void add_code_options(CLI::App& app, RunCommand& run) {
  add_read(
      app, "--tier-threshold", "COUNT",
      "With --tier auto: about how many calls and iterations of a function are interpreted before it is compiled; 1 "
      "compiles at once (default: by what it costs)",
      [&run](Text value) {
        run.engine.tier_threshold = static_cast<std::uint32_t>(
            or_throw("--tier-threshold", parse_count(value, std::numeric_limits<std::uint32_t>::max())));
      });
  add_read(app, "--tier-threads", "COUNT",
           "With --tier auto: most threads that compile in the background; 0: none (default: 2)", [&run](Text value) {
             run.engine.tier_threads =
                 static_cast<std::uint32_t>(or_throw("--tier-threads", parse_count(value, kMostTierThreads)));
           });
  add_read(
      app, "--optimise-threshold", "MILLISECONDS",
      "With --tier auto: how much time is spent in a function before it is optimised, at least (default: 2, more for "
      "large ones); 0: everything is, at once",
      [&run](Text value) {
        run.engine.optimise_threshold = static_cast<std::uint32_t>(
            or_throw("--optimise-threshold", parse_count(value, std::numeric_limits<std::uint32_t>::max())));
      });
  app.add_flag_callback(
      "--no-optimise", [&run] { run.engine.optimises = false; },
      "With --tier auto: what runs much goes no further than the baseline; the optimising compiler is not loaded");
  add_read(app, "--max-code", "SIZE", "Most memory for machine code (default: 512m); what finds no room is interpreted",
           [&run](Text value) { run.engine.code_memory_limit = or_throw("--max-code", parse_size(value)); });
  add_repeatable(
      app, "--code-tool", "TOOL",
      "Tell a tool the names of machine code: perf (a map in /tmp), jitdump (a file here, for perf inject) or gdb. "
      "Repeatable",
      [&run](Text value) {
        static constexpr Choice<wasi::CodeTool> kChoices[] = {{"perf", wasi::CodeTool::perf_map},
                                                              {"jitdump", wasi::CodeTool::jitdump},
                                                              {"gdb", wasi::CodeTool::debugger}};
        run.engine.code_tools.push_back(choose("--code-tool", value, kChoices));
      });
  app.add_flag("-g,--debug", run.debug,
               "For a debugger: the same as --code-tool gdb, with functions' lines where the module has DWARF, and, "
               "without --tier, --tier baseline");
}

// For a debugger: it is told of code, and all of that is there when the program begins.
void debug(const CLI::App& app, RunCommand& run) {
  auto& tools = run.engine.code_tools;
  if (std::ranges::count(tools, wasi::CodeTool::debugger) == 0) tools.push_back(wasi::CodeTool::debugger);
  if (app.count("--tier") == 0) run.engine.tier = wasi::TierSelection::baseline;
}

// How code checks memory accesses: of everything that makes some.
void add_bounds_checks(CLI::App& app, wasi::EngineConfig& engine) {
  add_read(app, "--bounds-checks", "HOW",
           "How memory accesses are checked: guard (pages, default) or explicit (comparisons)", [&engine](Text value) {
             static constexpr Choice<wasi::BoundsChecks> kChoices[] = {
                 {"guard", wasi::BoundsChecks::guard_pages}, {"explicit", wasi::BoundsChecks::explicit_checks}};
             engine.bounds_checks = choose("--bounds-checks", value, kChoices);
           });
}

void add_run_options(CLI::App& app, RunCommand& run) {
  const auto add_size = [&app](const char* name, const char* what, std::optional<std::uint64_t>& target) {
    add_read(app, name, "SIZE", what, [name, &target](Text value) { target = or_throw(name, parse_size(value)); });
  };
  add_repeatable(
      app, "--dir", "HOST[::GUEST][:ro]",
      "Give the program the directory HOST, as GUEST (default: the same name); :ro for reading only, :SIZE for "
      "writing no more than that. mem::GUEST[:SIZE]: an empty directory in memory. Repeatable",
      [&run](Text value) { run.directories.push_back(or_throw("--dir", parse_directory(value))); });
  add_repeatable(app, "--listen", "ADDRESS",
                 "Give the program a socket that listens at tcp:HOST:PORT or unix:PATH, or the open one of wasirun's "
                 "own, fd:N. Repeatable",
                 [&run](Text value) { run.listen.push_back(value); });
  app.add_flag("--listen-fds", run.listen_fds,
               "Give the program the sockets that wasirun was started with (socket activation: LISTEN_FDS)");
  add_repeatable(app, "--env", "NAME[=VALUE]",
                 "Set an environment variable, or inherit it when no value is given. Repeatable",
                 [&run](Text value) { run.env.push_back(parse_variable(value)); });
  app.add_flag("--inherit-env", run.inherit_env, "Give the program the whole environment");
  app.add_option("--invoke", run.invoke,
                 "Call this exported function with the arguments behind MODULE; print its results")
      ->type_name("NAME");
  add_read(app, "--deadline", "TIME", "Stop the program after this time, e.g. 5s or 250ms",
           [&run](Text value) { run.deadline = or_throw("--deadline", parse_duration(value)); });
  add_read(app, "--fuel", "COUNT", "Stop the program when it has executed so many instructions; makes it slower",
           [&run](Text value) {
             run.fuel = or_throw("--fuel", parse_count(value, std::numeric_limits<std::int64_t>::max()));
             run.engine.fuel = true;
           });
  add_size("--max-memory", "Most bytes that the program's memories, tables and code may have together, e.g. 64m",
           run.memory_limit);
  add_size("--max-gc-heap", "Most memory for the program's structures and arrays (default: 4g)", run.gc_heap_limit);
  add_size("--stack-size", "Size of the program's call stack (default: 8m)", run.stack_size);
  add_count(app, "--max-threads", "COUNT",
            "Most threads that the program may start (wasi-threads) and have at a time; 0: none (default: 128)",
            run.max_threads);
  add_count(app, "--max-descriptors", "COUNT",
            "Most files, directories and streams that the program may have open (default: 65536)",
            run.limits.descriptors);
  add_count(app, "--max-path", "BYTES", "Longest path that it may use (default: 4095, which is the most)",
            run.limits.path_length, wasi::preview1::Limits::kMostPathLength);
  add_count(app, "--max-subscriptions", "COUNT", "Most things that it may wait for in one call (default: 16384)",
            run.limits.subscriptions);
  add_count(app, "--max-iovecs", "COUNT", "Most buffers of one read or write (default: 65536)", run.limits.iovecs);
  add_read(app, "--tier", "TIER",
           "What executes the program: auto (default), interp, baseline or llvm. auto interprets at first and compiles "
           "what runs much, baseline and llvm compile all before the program begins: quickly, or to the fastest code",
           [&run](Text value) { run.engine.tier = choose_tier(value); });
  add_code_options(app, run);
  add_cache_options(app, run);
  app.add_flag(
      "--strict-memory", run.engine.strict_memory,
      "Code of the llvm tier makes every access to memory as the program has it, so that a trap leaves exactly "
      "what was stored before it");
  add_read(app, "--validate", "WHEN",
           "When function bodies are checked: lazy (default: at a function's first call), eager or parallel (at load)",
           [&run](Text value) {
             static constexpr Choice<wasi::Validation> kChoices[] = {{"eager", wasi::Validation::eager},
                                                                     {"parallel", wasi::Validation::parallel},
                                                                     {"lazy", wasi::Validation::lazy}};
             run.engine.validation = choose("--validate", value, kChoices);
           });
  add_bounds_checks(app, run.engine);
  add_read(
      app, "--unknown-imports", "WHAT",
      "Imports that wasirun does not have: error (default), trap (functions: when one is called) or zero (functions "
      "return zeros, memories and the like are empty)",
      [&run](Text value) {
        static constexpr Choice<wasi::UnknownImports> kChoices[] = {{"error", wasi::UnknownImports::error},
                                                                    {"trap", wasi::UnknownImports::trap},
                                                                    {"zero", wasi::UnknownImports::zero}};
        run.unknown_imports = choose("--unknown-imports", value, kChoices);
      });
  add_trace_options(app, run);
  add_repeatable(app, "--profile", "WHAT",
                 "Print to stderr what the run cost: phases (times and bytes of decode, validate, instantiate, "
                 "translate, run), tiers (which function was compiled when and why) or codegen (how often each "
                 "optimisation of the compiler applied). Repeatable",
                 [&run](Text value) {
                   static constexpr Choice<bool RunCommand::*> kChoices[] = {{"phases", &RunCommand::profile_phases},
                                                                             {"tiers", &RunCommand::profile_tiers},
                                                                             {"codegen", &RunCommand::profile_codegen}};
                   run.*choose("--profile", value, kChoices) = true;
                   run.engine.records_tier_changes = run.profile_tiers;
                   run.engine.counts_optimisations = run.profile_codegen;
                 });
  add_file(app, "--profile-out", "FILE",
           "Interpret the program, and write to FILE what ran how much, for 'compile --profile-use'", run.profile_out);
}

// The first argument of the program's that reads like an option of ours which was put behind the module by mistake;
// empty where there is none. Behind a "--" programs have their own reasons.
std::string misplaced_option(const CLI::App& app, const std::vector<std::string>& args) {
  for (const std::string& arg : args) {
    if (arg == "--") break;
    const std::string name = arg.substr(0, arg.find('='));
    // Short ones mean something in every program, and so does --help.
    if (!name.starts_with("--") || name == "--help") continue;
    if (app.get_option_no_throw(name) != nullptr) return name;
  }
  return "";
}

// Of a program that is started without options.
RunCommand default_run() {
  RunCommand run;
  // A program's start does not wait for code that it may never call.
  run.engine.validation = wasi::Validation::lazy;
  if (const auto usual = wasi::detail::CodeCache::default_directory()) {
    run.engine.cache = {.directory = *usual, .tells_failures = false};
  }
  return run;
}

Command parse_run(std::span<const char* const> args) {
  RunCommand run = default_run();
  // Where there is nothing to parse nothing is made to parse it, which would take as long as a small program. Of the
  // program's arguments those count that look like ours.
  const auto is_long_option = [](const char* arg) { return std::string_view(arg).starts_with("--"); };
  if (!args.empty() && *args.front() != '-' && std::ranges::none_of(args, is_long_option)) {
    run.module = args.front();
    run.args.assign(args.begin() + 1, args.end());
    return run;
  }
  CLI::App app("Runs a program: a module with a _start function, or with --invoke any exported function.", "run");
  set_up(app, "wasirun [run] [options] MODULE [arguments...]");
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
  if (run.no_cache) {
    if (app.count("--cache") != 0) return Done{usage_error("--cache and --no-cache exclude each other")};
    run.engine.cache.reset();
  }
  if (run.debug) debug(app, run);
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
void add_optimise_options(CLI::App& app, CompileCommand& compile) {
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
}

Command parse_compile(std::span<const char* const> args) {
  CompileCommand compile;
  // What the machine's code may take at most.
  compile.engine.code_memory_limit = std::uint64_t{1} << 30;
  CLI::App app(
      "Compiles a module, on all processors, into a file that starts at once wherever the same version of wasirun "
      "runs.",
      "compile");
  set_up(app, "wasirun compile [options] MODULE -o OUTPUT [-- options of run]");
  app.footer(
      "OUTPUT is written completely or not at all; the same module and options give the same bytes. `wasirun run` "
      "runs\n"
      "it where its name ends in .cwasm. It is machine code: run none that you would not run as a program.");
  add_file(app, "-o,--output", "OUTPUT", "File to write; - for standard output", compile.output);
  add_read(app, "--cpu", "CPU",
           "The processors that it is for: native (this one, default), or all with x86-64-v2, x86-64-v3 or x86-64-v4",
           [&compile](Text value) {
             static constexpr Choice<wasi::CpuTarget> kChoices[] = {{"native", wasi::CpuTarget::native},
                                                                    {"x86-64-v2", wasi::CpuTarget::x86_64_v2},
                                                                    {"x86-64-v3", wasi::CpuTarget::x86_64_v3},
                                                                    {"x86-64-v4", wasi::CpuTarget::x86_64_v4}};
             compile.engine.cpu = choose("--cpu", value, kChoices);
           });
  add_optimise_options(app, compile);
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
  if (compile.output.empty()) return Done{usage_error("write it where? Name a file with -o, or - for standard output")};
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

Command parse_cache(std::span<const char* const> args) {
  CacheCommand command;
  CLI::App app("Shows and empties the directory in which machine code is kept from one run to the next.", "cache");
  set_up(app, "wasirun cache [--cache DIR] list|clear|path");
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

Command parse_validate(std::span<const char* const> args) {
  ValidateCommand validate;
  CLI::App app("Checks modules completely: their format, and every function body.", "validate");
  set_up(app, "wasirun validate FILE...");
  app.footer("The exit code is 1 when any file is not a valid module.");
  app.add_option("FILE", validate.files, "Modules to check; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (validate.files.empty()) return Done{usage_error("which file? See 'wasirun validate --help'")};
  return validate;
}

Command parse_inspect(std::span<const char* const> args) {
  InspectCommand inspect;
  CLI::App app("Shows a module's imports, exports, sections, sizes, names and the features that it uses.", "inspect");
  set_up(app, "wasirun inspect [--json] FILE");
  app.add_flag("--json", inspect.json, "Print JSON");
  app.add_option("FILE", inspect.file, "Module to show; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (inspect.file.empty()) return Done{usage_error("which file? See 'wasirun inspect --help'")};
  return inspect;
}

Command parse_explain_caps(std::span<const char* const> args) {
  ExplainCapsCommand explain;
  CLI::App app(
      "Says what a program can make use of, by the functions of WASI that it imports, and which options of 'run' give\n"
      "it that. What it does not import it cannot do, whatever it is given.",
      "explain-caps");
  set_up(app, "wasirun explain-caps [--json] FILE");
  app.add_flag("--json", explain.json, "Print JSON");
  app.add_option("FILE", explain.file, "Module to look at; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (explain.file.empty()) return Done{usage_error("which file? See 'wasirun explain-caps --help'")};
  return explain;
}

Command parse_wat(std::span<const char* const> args) {
  WatCommand wat;
  CLI::App app("Prints a module in the text format. It is decoded, not validated.", "wat");
  set_up(app, "wasirun wat [--fold] [-o OUTPUT] FILE");
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

Command parse_objdump(std::span<const char* const> args) {
  ObjdumpCommand objdump;
  CLI::App app("Shows a module's sections and the instructions of its functions, with their byte offsets.", "objdump");
  set_up(app, "wasirun objdump [options] FILE");
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

Command parse_wasm(std::span<const char* const> args) {
  WasmCommand wasm;
  CLI::App app("Translates a module from the text format (WAT) to the binary format, names included.", "wasm");
  set_up(app, "wasirun wasm FILE -o OUTPUT");
  app.footer("The module is validated first. OUTPUT is written completely or not at all.");
  add_file(app, "-o,--output", "OUTPUT", "File to write; - for standard output", wasm.output);
  app.add_flag("!--no-check", wasm.check, "Do not validate the module");
  app.add_option("FILE", wasm.file, "Text to translate; - for standard input");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (wasm.file.empty()) return Done{usage_error("which file? See 'wasirun wasm --help'")};
  if (wasm.output.empty()) return Done{usage_error("write it where? Name a file with -o, or - for standard output")};
  return wasm;
}

// Every command, in the order of the overview.
struct CommandInfo {
  std::string_view name;
  std::string_view usage;
  std::string_view what;
  Command (*parse)(std::span<const char* const> args);
};
constexpr CommandInfo kCommands[] = {
    {"run", "[run] [options] MODULE [arguments...]", "run a program", parse_run},
    {"compile", "compile [options] MODULE -o OUTPUT", "compile a module into a file, or an executable", parse_compile},
    {"cache", "cache list|clear|path", "show or empty what is kept between runs", parse_cache},
    {"validate", "validate FILE...", "check modules", parse_validate},
    {"inspect", "inspect [--json] FILE", "show what is in a module", parse_inspect},
    {"explain-caps", "explain-caps [--json] FILE", "say what a program can make use of, and what gives it",
     parse_explain_caps},
    {"wasm", "wasm FILE -o OUTPUT", "translate a module from text to binary", parse_wasm},
    {"wat", "wat [--fold] [-o OUTPUT] FILE", "print a module as text", parse_wat},
    {"objdump", "objdump [options] FILE", "show sections and disassembly", parse_objdump},
};

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
                     compiler ? fmt::format("llvm ({})", wasi::printable(compiler->string()))
                              : fmt::format("no llvm: {}", wasi::printable(compiler.error().message)));
}

}  // namespace

Command parse_own_program(std::span<const std::string> options, std::span<const char* const> args) {
  std::vector<const char*> words;
  for (const std::string& option : options) words.push_back(option.c_str());
  words.push_back("--");
  words.insert(words.end(), args.begin(), args.end());
  Command command = parse_run(words);
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
    if (command.name == first) return command.parse(args.subspan(1));
  }
  if (first == "--help" || first == "-h" || first == "help") return print(overview());
  if (first == "--version" || first == "-V") return print(versions());
  Command command = parse_run(args);
  if (const auto* run = std::get_if<RunCommand>(&command)) {
    if (auto done = check_bare_module(*run, first.starts_with('-'))) return *done;
  }
  return command;
}

}  // namespace wasirun

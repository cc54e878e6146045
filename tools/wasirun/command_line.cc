// Options, by CLI11, and the border between ours and the guest's.
#include "tools/wasirun/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "tools/wasirun/report.h"
#include "wasi/table.h"

namespace wasirun {

namespace {

constexpr const char* kOverview =
    R"(Runs WebAssembly programs (WASI preview1) in a sandbox that reaches only what it is given.

usage:
  wasirun [run] [options] MODULE [arguments...]   run a program
  wasirun validate FILE...                        check modules
  wasirun inspect [--json] FILE                   show what is in a module
  wasirun explain-caps [--json] FILE              say what a program can make use of, and what gives it
  wasirun wasm FILE -o OUTPUT                     translate a module from text to binary
  wasirun wat [--fold] [-o OUTPUT] FILE           print a module as text
  wasirun objdump [options] FILE                  show sections and disassembly

'wasirun COMMAND --help' explains a command and its options.
'wasirun --version' prints the version.
)";

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

// How many characters have to be changed, added or removed.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

Done unknown_option(const CLI::App& app, const std::string& name) {
  std::string nearest;
  std::size_t best = 3;  // further away is another word, not a slip
  for (const CLI::Option* option : app.get_options()) {
    const std::string candidate = "--" + option->get_single_name();
    if (const std::size_t distance = edit_distance(name, candidate); distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
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
  std::size_t rest = 0;     // arguments [rest, end), behind a "--"
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

template <class T, std::size_t N>
T choose(const char* option, const std::string& text, const Choice<T> (&choices)[N]) {
  std::string known;
  for (const auto& choice : choices) {
    if (choice.name == text) return choice.value;
    known += (known.empty() ? "" : ", ") + std::string(choice.name);
  }
  throw CLI::ValidationError(option, fmt::format("\"{}\" is not one of {}", text, known));
}

wasi::TierSelection choose_tier(const std::string& text) {
  if (text == "baseline" || text == "llvm") {
    throw CLI::ValidationError("--tier", fmt::format("{} is not in this version; it has auto and interp", text));
  }
  static constexpr Choice<wasi::TierSelection> kTiers[] = {{"auto", wasi::TierSelection::automatic},
                                                           {"interp", wasi::TierSelection::interpreter}};
  return choose("--tier", text, kTiers);
}

using Text = const std::string&;

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
      app.add_option_function<std::string>(
             "--trace", [&run](Text value) { parse_trace(value, run); },
             "Print calls of WASI, as strace does: wasi, or only some of them, e.g. wasi:path_*,fd_read")
          ->type_name("wasi[:NAMES]");
  app.add_option("--trace-output", run.trace_output, "Where to print them (default: stderr)")
      ->type_name("FILE")
      ->needs(trace);
  app.add_flag("-T,--trace-times", run.trace.times, "Print how long each call took")->needs(trace);
  app.add_flag("--trace-timestamps", run.trace_timestamps, "Print the time of day before each line")->needs(trace);
  app.add_option("--trace-string-size", run.trace.string_size, "How many bytes of data to print (default: 32)")
      ->type_name("COUNT")
      ->needs(trace);
}

void add_run_options(CLI::App& app, RunCommand& run) {
  app.add_option_function<std::vector<std::string>>(
         "--dir",
         [&run](const std::vector<std::string>& values) {
           for (Text value : values) run.directories.push_back(or_throw("--dir", parse_directory(value)));
         },
         "Give the program the directory HOST, as GUEST (default: the same name); :ro for reading only, :SIZE for "
         "writing no more than that. mem::GUEST[:SIZE]: an empty directory in memory. Repeatable")
      ->type_name("HOST[::GUEST][:ro]")
      ->allow_extra_args(false);
  app.add_option("--listen", run.listen,
                 "Give the program a socket that listens at tcp:HOST:PORT or unix:PATH, or the open one of wasirun's "
                 "own, fd:N. Repeatable")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  app.add_flag("--listen-fds", run.listen_fds,
               "Give the program the sockets that wasirun was started with (socket activation: LISTEN_FDS)");
  app.add_option("--env", run.env, "Set an environment variable, or inherit it when no value is given. Repeatable")
      ->type_name("NAME[=VALUE]")
      ->allow_extra_args(false);
  app.add_flag("--inherit-env", run.inherit_env, "Give the program the whole environment");
  app.add_option("--invoke", run.invoke,
                 "Call this exported function with the arguments behind MODULE; print its results")
      ->type_name("NAME");
  app.add_option_function<std::string>(
         "--deadline", [&run](Text value) { run.deadline = or_throw("--deadline", parse_duration(value)); },
         "Stop the program after this time, e.g. 5s or 250ms")
      ->type_name("TIME");
  app.add_option_function<std::string>(
         "--max-memory", [&run](Text value) { run.memory_limit = or_throw("--max-memory", parse_size(value)); },
         "Most bytes that the program's memories and tables may have together, e.g. 64m")
      ->type_name("SIZE");
  app.add_option_function<std::string>(
         "--max-gc-heap", [&run](Text value) { run.gc_heap_limit = or_throw("--max-gc-heap", parse_size(value)); },
         "Most memory for the program's structures and arrays (default: 4g)")
      ->type_name("SIZE");
  app.add_option_function<std::string>(
         "--stack-size", [&run](Text value) { run.stack_size = or_throw("--stack-size", parse_size(value)); },
         "Size of the program's call stack (default: 8m)")
      ->type_name("SIZE");
  app.add_option("--max-threads", run.max_threads,
                 "Most threads that the program may start (wasi-threads) and have at a time; 0: none (default: 128)")
      ->type_name("COUNT");
  app.add_option("--max-descriptors", run.limits.descriptors,
                 "Most files, directories and streams that the program may have open (default: 65536)")
      ->type_name("COUNT");
  app.add_option("--max-path", run.limits.path_length,
                 "Longest path that it may use (default: 4095, which is the most)")
      ->type_name("BYTES");
  app.add_option("--max-subscriptions", run.limits.subscriptions,
                 "Most things that it may wait for in one call (default: 16384)")
      ->type_name("COUNT");
  app.add_option("--max-iovecs", run.limits.iovecs, "Most buffers of one read or write (default: 65536)")
      ->type_name("COUNT");
  app.add_option_function<std::string>(
         "--tier", [&run](Text value) { run.engine.tier = choose_tier(value); },
         "What executes the program: auto (default) or interp")
      ->type_name("TIER");
  app.add_option_function<std::string>(
         "--validate",
         [&run](Text value) {
           static constexpr Choice<wasi::Validation> kChoices[] = {{"eager", wasi::Validation::eager},
                                                                   {"parallel", wasi::Validation::parallel},
                                                                   {"lazy", wasi::Validation::lazy}};
           run.engine.validation = choose("--validate", value, kChoices);
         },
         "When function bodies are checked: lazy (default: at a function's first call), eager or parallel (at load)")
      ->type_name("WHEN");
  app.add_option_function<std::string>(
         "--bounds-checks",
         [&run](Text value) {
           static constexpr Choice<wasi::BoundsChecks> kChoices[] = {{"guard", wasi::BoundsChecks::guard_pages},
                                                                     {"explicit", wasi::BoundsChecks::explicit_checks}};
           run.engine.bounds_checks = choose("--bounds-checks", value, kChoices);
         },
         "How memory accesses are checked: guard (pages, default) or explicit (comparisons)")
      ->type_name("HOW");
  add_trace_options(app, run);
  app.add_option_function<std::string>(
         "--profile",
         [&run](Text value) {
           static constexpr Choice<bool> kChoices[] = {{"phases", true}};
           run.profile_phases = choose("--profile", value, kChoices);
         },
         "Print to stderr what the run cost: phases (times and bytes of decode, validate, instantiate, translate, run)")
      ->type_name("WHAT");
}

Command parse_run(std::span<const char* const> args) {
  RunCommand run;
  // A program's start does not wait for code that it may never call.
  run.engine.validation = wasi::Validation::lazy;
  CLI::App app("Runs a program: a module with a _start function, or with --invoke any exported function.", "run");
  set_up(app, "wasirun [run] [options] MODULE [arguments...]");
  app.footer(
      "Options before MODULE are wasirun's, everything behind it is the program's.\n"
      "The exit code is the program's; 134 after a trap, 1 when it cannot be loaded, 2 for a wrong command line.");
  add_run_options(app, run);

  const auto border = find_border(app, args);
  if (const Done* done = std::get_if<Done>(&border)) return *done;
  const auto [options, rest] = std::get<Border>(border);
  if (auto done = parse(app, {args.begin(), args.begin() + static_cast<std::ptrdiff_t>(options)})) return *done;
  if (rest >= args.size()) return Done{usage_error("which module? See 'wasirun run --help'")};
  run.module = args[rest];
  run.args.assign(args.begin() + static_cast<std::ptrdiff_t>(rest) + 1, args.end());
  return run;
}

Command parse_validate(std::span<const char* const> args) {
  ValidateCommand validate;
  CLI::App app("Checks modules completely: their format, and every function body.", "validate");
  set_up(app, "wasirun validate FILE...");
  app.footer("The exit code is 1 when any file is not a valid module.");
  app.add_option("FILE", validate.files, "Modules to check");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (validate.files.empty()) return Done{usage_error("which file? See 'wasirun validate --help'")};
  return validate;
}

Command parse_inspect(std::span<const char* const> args) {
  InspectCommand inspect;
  CLI::App app("Shows a module's imports, exports, sections, sizes, names and the features that it uses.", "inspect");
  set_up(app, "wasirun inspect [--json] FILE");
  app.add_flag("--json", inspect.json, "Print JSON");
  app.add_option("FILE", inspect.file, "Module to show");
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
  app.add_option("FILE", explain.file, "Module to look at");
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
  app.add_option("-o,--output", wat.output, "Write to this file, which appears when it is complete (default: stdout)")
      ->type_name("OUTPUT");
  app.add_option("FILE", wat.file, "Module to print");
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
  app.add_option("FILE", objdump.file, "Module to show");
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
  app.add_option("-o,--output", wasm.output, "File to write; - for standard output")->type_name("OUTPUT");
  app.add_flag("!--no-check", wasm.check, "Do not validate the module");
  app.add_option("FILE", wasm.file, "Text to translate");
  if (auto done = parse(app, {args.begin(), args.end()})) return *done;
  if (wasm.file.empty()) return Done{usage_error("which file? See 'wasirun wasm --help'")};
  if (wasm.output.empty()) return Done{usage_error("write it where? Name a file with -o, or - for standard output")};
  return wasm;
}

}  // namespace

Command parse_command_line(std::span<const char* const> args) {
  if (args.empty()) {
    std::fputs(kOverview, stderr);
    return Done{kUsage};
  }
  const std::string_view first = args[0];
  if (first == "run") return parse_run(args.subspan(1));
  if (first == "validate") return parse_validate(args.subspan(1));
  if (first == "inspect") return parse_inspect(args.subspan(1));
  if (first == "explain-caps") return parse_explain_caps(args.subspan(1));
  if (first == "wasm") return parse_wasm(args.subspan(1));
  if (first == "wat") return parse_wat(args.subspan(1));
  if (first == "objdump") return parse_objdump(args.subspan(1));
  if (first == "--help" || first == "-h" || first == "help") return print(kOverview);
  if (first == "--version" || first == "-V") return print(fmt::format("wasirun {}\n", wasi::version()));
  return parse_run(args);
}

}  // namespace wasirun

// See run_options.h.
#include "tools/wasirun/run_options.h"

#include <algorithm>

#include "engine/code_cache.h"
#include "tools/wasirun/report.h"
#include "wasi/context.h"
#include "wasi/table.h"
#include "wasm/features.h"

namespace wasirun {

namespace {

constexpr std::uint64_t kMostTierThreads = 64;

constexpr Choice<wasi::TierSelection> kTiers[] = {{"auto", wasi::TierSelection::automatic},
                                                  {"interp", wasi::TierSelection::interpreter},
                                                  {"baseline", wasi::TierSelection::baseline},
                                                  {"llvm", wasi::TierSelection::optimising}};
constexpr Choice<wasi::CodeTool> kCodeTools[] = {
    {"perf", wasi::CodeTool::perf_map}, {"jitdump", wasi::CodeTool::jitdump}, {"gdb", wasi::CodeTool::debugger}};
constexpr Choice<wasi::BoundsChecks> kBoundsChecks[] = {{"guard", wasi::BoundsChecks::guard_pages},
                                                        {"explicit", wasi::BoundsChecks::explicit_checks}};
constexpr Choice<wasi::Validation> kValidations[] = {
    {"eager", wasi::Validation::eager}, {"parallel", wasi::Validation::parallel}, {"lazy", wasi::Validation::lazy}};
constexpr Choice<wasi::UnknownImports> kUnknownImports[] = {
    {"error", wasi::UnknownImports::error}, {"trap", wasi::UnknownImports::trap}, {"zero", wasi::UnknownImports::zero}};
constexpr Choice<bool RunCommand::*> kProfiles[] = {{"phases", &RunCommand::profile_phases},
                                                    {"tiers", &RunCommand::profile_tiers},
                                                    {"codegen", &RunCommand::profile_codegen}};

// More than any table may have.
constexpr std::uint64_t kMostTableElements = std::numeric_limits<std::uint64_t>::max();

using wasi::wasm::Feature;

// All but what every module needs.
std::vector<Feature> switchable_features() {
  std::vector<Feature> features;
  for (std::uint8_t i = 0; i < wasi::wasm::kFeatureCount; ++i) {
    if (const auto feature = static_cast<Feature>(i); feature != Feature::mvp) features.push_back(feature);
  }
  return features;
}

// "simd=n,all=y,gc": switches features off and on in `disabled`, which has their names.
void parse_features(Text value, std::vector<std::string>& disabled) {
  constexpr const char* kOption = "--features";
  const std::vector<Feature> features = switchable_features();
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t comma = std::min(value.find(',', at), value.size());
    const std::string word = value.substr(at, comma - at);
    at = comma + 1;
    const std::string name = word.substr(0, word.find('='));
    const std::string state = name.size() == word.size() ? "y" : word.substr(name.size() + 1);
    static constexpr Choice<bool> kStates[] = {{"y", true}, {"n", false}};
    const bool is_on = choose(kOption, state, kStates);
    bool is_known = name == "all";
    for (const Feature feature : features) {
      const std::string_view known = name_of(feature);
      if (name != "all" && name != known) continue;
      is_known = true;
      std::erase(disabled, known);
      if (!is_on) disabled.emplace_back(known);
    }
    if (is_known) continue;
    std::vector<std::string> names = {"all"};
    for (const Feature feature : features) names.emplace_back(name_of(feature));
    throw CLI::ValidationError(kOption, fmt::format("\"{}\" is not one of {}", name, fmt::join(names, ", ")));
  }
}

constexpr std::string_view kGuestProfile = "guest";

// One of kProfiles, or "guest[:FILE]".
void parse_profile(Text value, RunCommand& run) {
  constexpr const char* kOption = "--profile";
  if (!value.starts_with(kGuestProfile)) {
    std::string known(kGuestProfile);
    for (const auto& choice : kProfiles) {
      known += fmt::format(", {}", choice.name);
      if (choice.name != value) continue;
      run.*choice.value = true;
      run.engine.records_tier_changes = run.profile_tiers;
      run.engine.counts_optimisations = run.profile_codegen;
      return;
    }
    throw CLI::ValidationError(kOption, fmt::format("\"{}\" is not one of {}", value, known));
  }
  if (value == kGuestProfile) {
    for (const char* extension : {"json", "html"})
      run.guest_profiles.push_back(fmt::format("wasirun-guest.{}", extension));
    return;
  }
  const std::string file = value.substr(kGuestProfile.size());
  if (!file.starts_with(':') || !(file.ends_with(".json") || file.ends_with(".html"))) {
    throw CLI::ValidationError(kOption,
                               fmt::format("\"{}\" is not guest:FILE with a FILE that ends in .json or .html", value));
  }
  run.guest_profiles.push_back(file.substr(1));
}

// NAME=FILE.
Preload parse_preload(Text value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == value.size()) {
    throw CLI::ValidationError("--preload", fmt::format("\"{}\" is not NAME=FILE, like env=lib.wasm", value));
  }
  return {value.substr(0, equals), value.substr(equals + 1)};
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

void add_trace_options(CommandApp& app, RunCommand& run) {
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
void add_cache_options(CommandApp& app, RunCommand& run) {
  wasi::EngineConfig& engine = run.engine;
  CLI::Option* directory = add_read(app, "--cache", "DIR",
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
  app.add_flag("--no-cache", run.no_cache, "Keep no machine code, and use none that was kept")->excludes(directory);
}

// Of tiers with machine code.
void add_code_options(CommandApp& app, RunCommand& run) {
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
  add_repeatable_choice(
      app, "--code-tool", "TOOL",
      "Tell a tool the names of machine code: perf (a map in /tmp), jitdump (a file here, for perf inject) or gdb. "
      "Repeatable",
      kCodeTools, [&run](wasi::CodeTool tool) { run.engine.code_tools.push_back(tool); });
  app.add_flag("-g,--debug", run.debug,
               "For a debugger: the same as --code-tool gdb, with lines and variables where the module has DWARF, "
               "without the cache and, without --tier, with --tier baseline");
}

// For a debugger: it is told of code, and all of that is there when the program begins. Code that is kept does not say
// where variables are.
void debug(const CommandApp& app, RunCommand& run) {
  auto& tools = run.engine.code_tools;
  if (std::ranges::count(tools, wasi::CodeTool::debugger) == 0) tools.push_back(wasi::CodeTool::debugger);
  if (app.count("--tier") == 0) run.engine.tier = wasi::TierSelection::baseline;
  run.engine.cache.reset();
}

}  // namespace

void add_size(CommandApp& app, const char* name, const char* what, std::optional<std::uint64_t>& target) {
  add_read(app, name, "SIZE", what, [name, &target](Text value) { target = or_throw(name, parse_size(value)); });
}

void add_tier(CommandApp& app, wasi::EngineConfig& engine) {
  add_choice(app, "--tier", "TIER",
             "What executes the program: auto (default), interp, baseline or llvm. auto interprets at first and "
             "compiles what runs much, baseline and llvm compile all before the program begins: quickly, or to the "
             "fastest code",
             kTiers, [&engine](wasi::TierSelection tier) { engine.tier = tier; });
}

void add_bounds_checks(CommandApp& app, wasi::EngineConfig& engine) {
  add_choice(app, "--bounds-checks", "HOW",
             "How memory accesses are checked: guard (pages, default) or explicit (comparisons)", kBoundsChecks,
             [&engine](wasi::BoundsChecks checks) { engine.bounds_checks = checks; });
}

void add_capability_options(CommandApp& app, RunCommand& run) {
  add_repeatable(
      app, "--dir", "HOST[::GUEST][:ro]",
      "Give the program the directory HOST, as GUEST (default: the same name); :ro for reading only, :SIZE for "
      "writing no more than that. mem::GUEST[:SIZE]: an empty directory in memory. Repeatable",
      [&run](Text value) { run.directories.push_back(or_throw("--dir", parse_directory(value))); });
  add_repeatable(app, "--env", "NAME[=VALUE]",
                 "Set an environment variable, or inherit it when no value is given. Repeatable",
                 [&run](Text value) { run.env.push_back(parse_variable(value)); });
  app.add_flag("--inherit-env", run.inherit_env, "Give the program the whole environment");
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
}

void add_feature_options(CommandApp& app, wasi::EngineConfig& engine) {
  CLI::Option* option = add_repeatable(
      app, "-W,--features", "LIST",
      "Features of Wasm that modules may use (default: all), by names with =n or =y, in order: simd=n,gc=n, or "
      "all=n,simd for nothing but one. 'wasirun inspect' names them. Repeatable",
      [&engine](Text value) { parse_features(value, engine.disabled_features); });
  auto& choices = app.facts(option).choices;
  for (const Feature feature : switchable_features()) choices.push_back(fmt::format("{}=n", name_of(feature)));
}

void add_engine_options(CommandApp& app, RunCommand& run) {
  add_feature_options(app, run.engine);
  add_read(app, "--max-table-elements", "COUNT", "Most elements of each of the program's tables (default: 10000000)",
           [&run](Text value) {
             run.table_limit = or_throw("--max-table-elements", parse_count(value, kMostTableElements));
           });
  add_size(app, "--max-gc-heap", "Most memory for the program's structures and arrays (default: 4g)",
           run.gc_heap_limit);
  add_size(app, "--stack-size", "Size of the program's call stack (default: 8m)", run.stack_size);
  add_tier(app, run.engine);
  add_code_options(app, run);
  add_cache_options(app, run);
  app.add_flag(
      "--strict-memory", run.engine.strict_memory,
      "Code of the llvm tier makes every access to memory as the program has it, so that a trap leaves exactly "
      "what was stored before it");
  add_choice(
      app, "--validate", "WHEN",
      "When function bodies are checked: lazy (default: at a function's first call), eager or parallel (at load)",
      kValidations, [&run](wasi::Validation when) { run.engine.validation = when; });
  add_bounds_checks(app, run.engine);
  add_choice(
      app, "--unknown-imports", "WHAT",
      "Imports that wasirun does not have: error (default), trap (functions: when one is called) or zero (functions "
      "return zeros, memories and the like are empty)",
      kUnknownImports, [&run](wasi::UnknownImports choice) { run.unknown_imports = choice; });
}

void finish_engine_options(const CommandApp& app, RunCommand& run) {
  if (run.no_cache) run.engine.cache.reset();
  if (!run.core_dump.empty()) {
    // Code that is kept does not say where locals are.
    run.engine.core_dumps = true;
    run.engine.cache.reset();
  }
  if (run.debug) debug(app, run);
}

void add_run_options(CommandApp& app, RunCommand& run) {
  add_capability_options(app, run);
  add_repeatable(app, "--listen", "ADDRESS",
                 "Give the program a socket that listens at tcp:HOST:PORT or unix:PATH, or the open one of wasirun's "
                 "own, fd:N. Repeatable",
                 [&run](Text value) { run.listen.push_back(value); });
  app.add_flag("--listen-fds", run.listen_fds,
               "Give the program the sockets that wasirun was started with (socket activation: LISTEN_FDS)");
  app.add_option("--invoke", run.invoke,
                 "Call this exported function with the arguments behind MODULE; print its results")
      ->type_name("NAME");
  app.add_option("--argv0", run.argv0, "The program's own name, its first argument (default: MODULE as it is written)")
      ->type_name("NAME");
  add_repeatable(app, "--preload", "NAME=FILE",
                 "Instantiate the module FILE first; what it exports can be imported from NAME. Repeatable, in order: "
                 "each can import from those before it",
                 [&run](Text value) { run.preloads.push_back(parse_preload(value)); });
  add_count(app, "--max-instances", "COUNT", "Most instances of modules that there may be (default: 10000)",
            run.instance_limit);
  add_read(app, "--deadline", "TIME", "Stop the program after this time, e.g. 5s or 250ms",
           [&run](Text value) { run.deadline = or_throw("--deadline", parse_duration(value)); });
  add_read(app, "--fuel", "COUNT", "Stop the program when it has executed so many instructions; makes it slower",
           [&run](Text value) {
             run.fuel = or_throw("--fuel", parse_count(value, std::numeric_limits<std::int64_t>::max()));
             run.engine.fuel = true;
           });
  add_size(app, "--max-memory", "Most bytes that the program's memories, tables and code may have together, e.g. 64m",
           run.memory_limit);
  add_engine_options(app, run);
  add_trace_options(app, run);
  CLI::Option* profile = add_repeatable(
      app, "--profile", "WHAT",
      "Print to stderr what the run cost: phases (times and bytes of decode, validate, instantiate, translate, run), "
      "tiers (which function was compiled when and why) or codegen (how often each optimisation of the compiler "
      "applied). guest[:FILE]: write samples of what the program did, to FILE.json for the Firefox profiler or "
      "FILE.html "
      "as a flame graph (default: both, wasirun-guest). Repeatable",
      [&run](Text value) { parse_profile(value, run); });
  for (const auto& choice : kProfiles) app.facts(profile).choices.emplace_back(choice.name);
  app.facts(profile).choices.emplace_back(kGuestProfile);
  add_file(
      app, "--coredump", "FILE",
      "Where the program's stack, memories and globals are written when it traps, for debuggers of Wasm core dumps",
      run.core_dump);
  add_file(app, "--profile-out", "FILE",
           "Interpret the program, and write to FILE what ran how much, for 'compile --profile-use'", run.profile_out);
}

RunCommand default_run() {
  RunCommand run;
  // A program's start does not wait for code that it may never call.
  run.engine.validation = wasi::Validation::lazy;
  if (const auto usual = wasi::detail::CodeCache::default_directory()) {
    run.engine.cache = {.directory = *usual, .tells_failures = false};
  }
  return run;
}
}  // namespace wasirun

// bench-run: what benchmarks run modules with where the command line is not enough. It writes what it measured to a
// file as "name value" lines (--report).
//
//   bench-run [options] run MODULE [ARGUMENTS...]   a program; bench.start and bench.end are timed
//   bench-run [options] load MODULE                 everything until the first instruction
//   bench-run [options] compile MODULE              every function, whether it is called or not
//   bench-run [options] instances MODULE COUNT      instances that all stay alive
//
// An embedder like any other, but for `compile`: tiers compile when functions are called, and only the inside can ask
// for all of them.
#include <wasi/wasi.h>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "engine/state.h"
#include "runtime/preparation.h"
#include "runtime/tier.h"

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

// What --report gets.
class Report {
 public:
  explicit Report(const std::string& path) {
    if (!path.empty()) file_.open(path);
  }
  void add(const char* name, double value) {
    if (file_.is_open()) file_ << name << ' ' << std::fixed << value << "\n";
  }
  void add(const char* name, Clock::duration time) {
    add(name, static_cast<double>(std::chrono::duration_cast<Nanoseconds>(time).count()));
  }

 private:
  std::ofstream file_;
};

struct Options {
  wasi::EngineConfig engine;
  std::string report;
  std::vector<std::string> directories;  // HOST::GUEST
  std::string module;
  std::vector<std::string> args;
  std::uint32_t count = 1;
};

int fail(const std::string& message) {
  std::cerr << "bench-run: " << message << "\n";
  return 1;
}

struct Times {
  Clock::time_point start;
  Clock::duration between{};
};

wasi::WasiConfig wasi_config(const Options& options) {
  wasi::WasiConfig config;
  std::vector<std::string> args{options.module};
  args.insert(args.end(), options.args.begin(), options.args.end());
  config.args(std::move(args)).inherit_stdio();
  for (const std::string& directory : options.directories) {
    const auto split = directory.find("::");
    const std::string host = directory.substr(0, split);
    config.preopen(host, split == std::string::npos ? host : directory.substr(split + 2));
  }
  return config;
}

// WASI, and what benchmark modules import besides: sightglass's timer, and the clock of CoreMark's smallest build.
void define_imports(wasi::Linker& linker, const Options& options, Times& times) {
  linker.define("bench", "start", [&times] { times.start = Clock::now(); });
  linker.define("bench", "end", [&times] { times.between += Clock::now() - times.start; });
  linker.define("env", "clock_ms", [] {
    return std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count()};
  });
  linker.define_wasi(wasi_config(options));
}

// Runs _start, or `run`, which returns a score. The process's exit code.
int call(const wasi::Instance& instance, Report& report) {
  if (auto score = instance.function<float()>("run")) {
    const auto value = (*score)();
    if (!value) return fail(value.error().to_string());
    report.add("score", *value);
    return 0;
  }
  auto start = instance.function<void()>("_start");
  if (!start) return fail(start.error().to_string());
  if (const auto done = (*start)(); !done) {
    if (!done.error().is_exit()) return fail(done.error().to_string());
    return static_cast<int>(done.error().exit_status);
  }
  return 0;
}

// `run` and `load`.
int load_and_run(const Options& options, bool is_run) {
  Report report(options.report);
  auto engine = wasi::Engine::create(options.engine);
  if (!engine) return fail(engine.error().to_string());
  const auto begin = Clock::now();
  auto module = wasi::Module::from_file(*engine, options.module);
  if (!module) return fail(module.error().to_string());
  // As the command does: nothing of what is measured waits for these compilers.
  const bool is_ahead =
      options.engine.tier == wasi::TierSelection::baseline || options.engine.tier == wasi::TierSelection::optimising;
  if (is_run && is_ahead) {
    if (const auto prepared = module->prepare(); !prepared) return fail(prepared.error().to_string());
  }
  report.add("compile_ns", Clock::now() - begin);

  Times times;
  wasi::Store store(*engine);
  wasi::Linker linker(*engine);
  define_imports(linker, options, times);
  const auto loaded = Clock::now();
  auto instance = linker.instantiate(store, *module);
  if (!instance) return fail(instance.error().to_string());
  const auto ready = Clock::now();
  report.add("instantiate_ns", ready - loaded);
  if (!is_run) return 0;

  const int code = call(*instance, report);
  report.add("run_ns", Clock::now() - ready);
  report.add("timed_ns", times.between);
  const wasi::TierMetrics metrics = engine->metrics();
  report.add("translate_ns", metrics.translate.time);
  report.add("translated_bytes", static_cast<double>(metrics.translate.bytes));
  return code;
}

// Asks the tier for each function in turn; false when one cannot be had.
wasi::Result<void> compile_all(const wasi::Engine& engine, const wasi::Module& module) {
  using wasi::detail::Internals;
  const auto checks = wasi::detail::bounds_checks_of(engine.config());
  wasi::runtime::ModuleCode& code = *Internals::state(module)->code()[static_cast<std::size_t>(checks)];
  for (std::size_t i = 0; i < code.module->bodies.size(); ++i) {
    const wasi::wasm::FuncIndex index(static_cast<std::uint32_t>(code.module->imported_functions + i));
    wasi::runtime::Preparation unbounded;
    if (auto entry = code.prepare(code.code(index), unbounded); !entry) return std::unexpected(entry.error());
  }
  return {};
}

int compile(const Options& options) {
  Report report(options.report);
  auto engine = wasi::Engine::create(options.engine);
  if (!engine) return fail(engine.error().to_string());
  const auto begin = Clock::now();
  auto module = wasi::Module::from_file(*engine, options.module);
  if (!module) return fail(module.error().to_string());
  if (const auto done = compile_all(*engine, *module); !done) return fail(done.error().to_string());
  report.add("compile_ns", Clock::now() - begin);
  const wasi::ModuleMetrics loading = module->metrics();
  const wasi::TierMetrics tier = engine->metrics();
  report.add("decode_ns", loading.decode.time);
  report.add("validate_ns", loading.validate.time);
  report.add("translate_ns", tier.translate.time);
  report.add("bytecode_bytes", static_cast<double>(tier.translate.bytes));
  report.add("code_bytes", static_cast<double>(tier.code_bytes));
  return 0;
}

// Bytes of memory that the process has.
double resident() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double pages = 0;
  file >> total >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

int instances(const Options& options) {
  Report report(options.report);
  auto engine = wasi::Engine::create(options.engine);
  if (!engine) return fail(engine.error().to_string());
  auto module = wasi::Module::from_file(*engine, options.module);
  if (!module) return fail(module.error().to_string());
  const wasi::Linker linker(*engine);
  std::vector<wasi::Store> stores;
  std::vector<wasi::Instance> alive;
  stores.reserve(options.count);
  alive.reserve(options.count);
  const double before = resident();
  const auto begin = Clock::now();
  // A store for each, as for guests that know nothing of each other.
  for (std::uint32_t i = 0; i < options.count; ++i) {
    stores.emplace_back(*engine);
    auto instance = linker.instantiate(stores.back(), *module);
    if (!instance) return fail("instance " + std::to_string(i) + ": " + instance.error().to_string());
    alive.push_back(std::move(*instance));
  }
  const auto end = Clock::now();
  report.add("instantiate_ns", static_cast<double>(Nanoseconds(end - begin).count()) / options.count);
  report.add("instance_bytes", (resident() - before) / options.count);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Runs a module for a benchmark and writes what it measured.", "bench-run");
  app.add_option("--report", options.report, "The file that gets the figures");
  const std::map<std::string, wasi::TierSelection> tiers{{"auto", wasi::TierSelection::automatic},
                                                         {"interp", wasi::TierSelection::interpreter},
                                                         {"baseline", wasi::TierSelection::baseline},
                                                         {"llvm", wasi::TierSelection::optimising}};
  app.add_option("--tier", options.engine.tier)->transform(CLI::Transformer(tiers));
  const std::map<std::string, wasi::BoundsChecks> checks{{"guard", wasi::BoundsChecks::guard_pages},
                                                         {"explicit", wasi::BoundsChecks::explicit_checks}};
  app.add_option("--bounds-checks", options.engine.bounds_checks)->transform(CLI::Transformer(checks));
  const std::map<std::string, wasi::Validation> validations{
      {"lazy", wasi::Validation::lazy}, {"eager", wasi::Validation::eager}, {"parallel", wasi::Validation::parallel}};
  app.add_option("--validate", options.engine.validation)->transform(CLI::Transformer(validations));
  app.add_option("--dir", options.directories, "HOST::GUEST")->expected(1)->take_all();
  app.require_subcommand(1);
  std::map<std::string, CLI::App*> actions;
  for (const char* name : {"run", "load", "compile", "instances"}) {
    actions[name] = app.add_subcommand(name);
    actions[name]->add_option("module", options.module)->required();
  }
  actions["run"]->prefix_command();  // what stands behind the module is the guest's
  actions["instances"]->add_option("count", options.count)->required()->check(CLI::Range(1U, 10'000'000U));
  CLI11_PARSE(app, argc, argv);
  if (*actions["run"]) {
    options.args = actions["run"]->remaining();
    return load_and_run(options, true);
  }
  if (*actions["load"]) return load_and_run(options, false);
  if (*actions["compile"]) return compile(options);
  return instances(options);
}

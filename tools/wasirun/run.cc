// wasirun run: load, instantiate, call, report.
#include <fmt/format.h>
#include <unistd.h>
#include <wasi/wasi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <string>

#include "base/printable.h"
#include "base/result.h"
#include "engine/core_dump.h"
#include "engine/guest_profile.h"
#include "engine/process_end.h"
#include "tools/wasirun/codegen_profile.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/guest_config.h"
#include "tools/wasirun/guest_profile_output.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/output_file.h"
#include "tools/wasirun/payload.h"
#include "tools/wasirun/progress.h"
#include "tools/wasirun/report.h"
#include "tools/wasirun/sockets.h"
#include "tools/wasirun/trace_output.h"

namespace wasirun {

namespace {

using Clock = std::chrono::steady_clock;

wasi::WasiConfig wasi_config(const RunCommand& command, TraceOutput* trace) {
  wasi::WasiConfig config;
  config.inherit_stdio();
  // What a terminal would still give belongs to nobody.
  if (is_standard_input(command.module)) config.stdin_from(wasi::Stdio::null());
  // With --invoke what follows the module are a function's arguments.
  std::vector<std::string> args = {command.argv0.value_or(command.module)};
  if (!command.invoke) args.insert(args.end(), command.args.begin(), command.args.end());
  config.args(std::move(args));
  give_capabilities(command, config);
  if (trace != nullptr) config.trace([trace](std::string_view line) { trace->write(line); }, command.trace);
  return config;
}

// The exit code of a call that did not return.
int finish(const wasi::Trap& trap) {
  if (trap.is_exit()) return trap.exit_status;
  // The text begins with "trap: ", which is the label here.
  const std::string text = trap.to_string();
  constexpr std::string_view kLabel = "trap: ";
  print_labelled("trap", text.starts_with(kLabel) ? std::string_view(text).substr(kLabel.size()) : text);
  return kTrap;
}

// "add, fac and 3 more", of the functions that a module exports; empty when it exports none.
std::string list_functions(const wasi::Module& module) {
  constexpr std::size_t kListed = 12;
  std::string list;
  std::size_t count = 0;
  for (const wasi::ExportType& exported : module.exports()) {
    if (exported.type.kind() != wasi::ExternKind::function) continue;
    if (++count <= kListed) list += (count == 1 ? "" : ", ") + exported.name;
  }
  if (count > kListed) list += fmt::format(" and {} more", count - kListed);
  return list;
}

int run_command(const RunCommand& command, const wasi::Instance& instance) {
  auto start = instance.function<void()>("_start");
  if (!start) {
    if (instance.get("_start")) return failure("{}: {}", name_of(command.module), start.error().message);
    const std::string functions = list_functions(instance.module());
    if (functions.empty()) {
      return failure("{}: the module has no _start function and exports no other to --invoke", name_of(command.module));
    }
    return failure(
        "{}: the module has no _start function, so it is not a program; call one of its functions with --invoke: {}",
        name_of(command.module), functions);
  }
  const auto done = (*start)();
  return done ? kSuccess : finish(done.error());
}

int run_function(const RunCommand& command, const wasi::Instance& instance) {
  const auto function = instance.func(*command.invoke);
  if (!function) return usage_error("--invoke: {}", function.error().message);
  const wasi::FunctionType type = function->type();
  if (command.args.size() != type.params.size()) {
    return usage_error("--invoke: {} has type {} and needs {} argument{} behind the module, got {}", *command.invoke,
                       type.to_string(), type.params.size(), type.params.size() == 1 ? "" : "s", command.args.size());
  }
  std::vector<wasi::Value> args;
  for (std::size_t i = 0; i < type.params.size(); ++i) {
    auto value = parse_value(command.args[i], type.params[i]);
    if (!value) return usage_error("--invoke: argument {} of {}: {}", i + 1, *command.invoke, value.error());
    args.push_back(*value);
  }
  // A reactor wants to be set up before its first call.
  if (*command.invoke != "_initialize" && instance.get("_initialize")) {
    const auto initialize = instance.function<void()>("_initialize");
    if (!initialize) return failure("{}: {}", name_of(command.module), initialize.error().message);
    if (const auto done = (*initialize)(); !done) return finish(done.error());
  }
  const auto results = function->call(args);
  if (!results) return finish(results.error());
  for (const wasi::Value& result : *results) print_stdout("{}\n", result.to_string());
  return kSuccess;
}

// A number of bytes per second, for people.
std::string rate(const wasi::PhaseMetrics& phase) {
  const double seconds = std::chrono::duration<double>(phase.time).count();
  if (phase.bytes == 0 || seconds <= 0) return "";
  return fmt::format("{:>9.1f} MB/s", static_cast<double>(phase.bytes) / seconds / 1e6);
}

void print_phase(const char* name, const wasi::PhaseMetrics& phase, const std::string& details) {
  fmt::print(stderr, "{:<11} {:>12.3f} ms {:>12} bytes {}{}\n", name,
             std::chrono::duration<double, std::milli>(phase.time).count(), phase.bytes, rate(phase), details);
}

// `translated_before`: how long translation had taken when the run began.
void print_phases(const wasi::Engine& engine, const wasi::Module& module, std::chrono::nanoseconds translated_before,
                  std::chrono::nanoseconds instantiate, std::chrono::nanoseconds run) {
  const wasi::ModuleMetrics loading = module.metrics();
  const wasi::TierMetrics tier = engine.metrics();
  print_phase("decode", loading.decode, "");
  print_phase("validate", loading.validate, "");
  print_phase("instantiate", {.time = instantiate, .bytes = 0}, "");
  const std::string uncompiled = tier.uncompiled == 0 ? "" : fmt::format(", {} of them not compiled", tier.uncompiled);
  print_phase("translate", tier.translate,
              fmt::format("  {} functions into {} bytes{}", tier.functions, tier.code_bytes, uncompiled));
  // What is translated while the program runs counts once.
  print_phase("run", {.time = run - std::min(run, tier.translate.time - translated_before), .bytes = 0}, "");
}

std::string why(const wasi::TierChange& change) {
  switch (change.reason) {
    case wasi::TierChange::Reason::first_call:
      return "first call";
    case wasi::TierChange::Reason::calls:
      return "calls";
    case wasi::TierChange::Reason::loop:
      return fmt::format("loop at {:#x}", change.loop_offset);
    case wasi::TierChange::Reason::kept:
      return "for the next run";
  }
  return "";
}

void print_tiers(const wasi::Engine& engine) {
  const auto milliseconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  for (const wasi::TierChange& change : engine.tier_changes()) {
    const std::string name = change.function.empty() ? "" : " " + wasi::printable(change.function);
    fmt::print(stderr, "{:>12.3f} ms  {:<9} {:<18} {:>8.3f} ms {:>9} bytes  function {}{}{}{}\n",
               milliseconds(change.at), change.failure.empty() ? change.tier : "no code", why(change),
               milliseconds(change.took), change.body_bytes, change.function_index, name,
               change.in_background ? ", in the background" : "",
               change.failure.empty() ? "" : ": " + wasi::printable(change.failure));
  }
  for (const wasi::TierMetrics& tier : engine.tiers()) {
    print_phase(std::string(tier.tier).c_str(), tier.translate,
                fmt::format("  {} functions into {} bytes", tier.functions, tier.code_bytes));
  }
}

}  // namespace

int file_failure(const std::string& file, const wasi::Error& error) {
  const std::string text = error.to_string();
  // Many name it already.
  const bool is_named = !is_standard_input(file) && text.contains(name_of(file));
  print_labelled("error", is_named ? text : fmt::format("{}: {}", name_of(file), text));
  return kFailure;
}

namespace {

// What is recorded of a program while it runs, and the files for it. What cannot be written is known before it runs.
class Recordings {
 public:
  wasi::Result<void> open(const RunCommand& command) {
    if (!command.profile_out.empty()) WASI_TRY(add(command.profile_out, profile_));
    if (!command.core_dump.empty()) WASI_TRY(add(command.core_dump, core_dump_));
    for (const std::string& file : command.guest_profiles) WASI_TRY(add(file, guest_profiles_.emplace_back()));
    return {};
  }

  // From here on.
  wasi::Result<void> begin(const wasi::Store& store) {
    constexpr std::chrono::milliseconds kPeriod{1};
    if (core_dump_.output) dumper_.emplace(store);
    if (!guest_profiles_.empty()) {
      profiler_.emplace(WASI_TRY(wasi::detail::GuestProfiler::start(store, kPeriod)));
    }
    return {};
  }

  // The program's own exit code stands: it has run as it would have without.
  void finish(const RunCommand& command, const wasi::Module& module, bool has_trapped) {
    if (profiler_) {
      const wasi::detail::GuestProfile samples = profiler_->finish();
      for (File& file : guest_profiles_) {
        const bool is_page = file.name.ends_with(".html");
        const std::string program = name_of(command.module);
        write(file, is_page ? flame_graph(samples, program) : firefox_profile(samples, program));
      }
    }
    if (profile_.output) write(profile_, module.profile().to_text());
    if (dumper_ && has_trapped && dumper_->has_frames()) {
      const auto dump = dumper_->dump(command.module);
      if (!dump) return print_error(dump.error().message);
      if (write(core_dump_, {reinterpret_cast<const char*>(dump->data()), dump->size()})) {
        print_labelled("note", fmt::format("core dumped: {}", wasi::printable(core_dump_.name)));
      }
    }
  }

 private:
  struct File {
    std::string name;
    std::optional<OutputFile> output;
  };
  static wasi::Result<void> add(const std::string& name, File& file) {
    file.name = name;
    file.output.emplace(WASI_TRY(OutputFile::open(name)));
    return {};
  }
  static bool write(File& file, std::string_view text) {
    (void)file.output->write(text);
    const auto written = file.output->finish();
    if (!written) print_error(written.error().message);
    return written.has_value();
  }

  File profile_;
  File core_dump_;
  std::deque<File> guest_profiles_;
  std::optional<wasi::detail::CoreDumper> dumper_;
  std::optional<wasi::detail::GuestProfiler> profiler_;
};

// Whoever chooses a compiler wants programs to run in its code from the first instruction on.
wasi::Result<void> prepare(const RunCommand& command, const wasi::Module& module) {
  if (command.engine.tier != wasi::TierSelection::baseline && command.engine.tier != wasi::TierSelection::optimising) {
    return {};
  }
  Progress progress("compiling");
  return module.prepare([&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); });
}

// The exit code for an instantiation that failed, of the module of this file.
int instantiation_failure(const std::string& file, const wasi::InstantiationError& failed) {
  if (const wasi::Trap* trap = failed.trap()) return finish(*trap);
  const wasi::Error& error = *failed.error();
  // What the program was to be given is not what one can give.
  if (error.kind == wasi::ErrorKind::argument) return usage_error("{}", error.message);
  return file_failure(file, error);
}

// Makes the instances that the program can import from. Empty where all went well, else the exit code.
std::optional<int> preload(const RunCommand& command, const wasi::Engine& engine, wasi::Linker& linker,
                           wasi::Store& store) {
  for (const Preload& preload : command.preloads) {
    const auto module = load_program(engine, preload.file);
    if (!module) return file_failure(preload.file, module.error());
    if (const auto prepared = prepare(command, *module); !prepared) {
      return file_failure(preload.file, prepared.error());
    }
    const auto instance = linker.instantiate(store, *module);
    if (!instance) return instantiation_failure(preload.file, instance.error());
    // A reactor wants to be set up before its first call.
    if (instance->get("_initialize")) {
      const auto initialize = instance->function<void()>("_initialize");
      if (!initialize) return file_failure(preload.file, initialize.error());
      if (const auto done = (*initialize)(); !done) return finish(done.error());
    }
    linker.define_instance(preload.name, *instance);
  }
  return std::nullopt;
}

// Until nothing of it runs any more.
int run_module(const RunCommand& command, const wasi::Engine& engine, const wasi::Module& module, TraceOutput* trace,
               Sockets sockets) {
  wasi::StoreConfig store_config = store_config_of(command);
  store_config.deadline = command.deadline;
  wasi::Store store(engine, store_config);
  if (command.fuel) store.set_fuel(*command.fuel).value();
  // Behind the store, which it looks into.
  Recordings recordings;
  if (const auto opened = recordings.open(command); !opened) return failure("{}", opened.error().message);
  wasi::Linker linker(engine);
  wasi::WasiConfig config = wasi_config(command, trace);
  give_sockets(std::move(sockets), command, config);
  linker.define_wasi(std::move(config)).unknown_imports(command.unknown_imports);
  if (const auto begun = recordings.begin(store); !begun) return failure("{}", begun.error().to_string());
  if (const auto failed = preload(command, engine, linker, store)) return *failed;

  const auto translated = engine.metrics().translate.time;
  const auto start = Clock::now();
  const auto instance = linker.instantiate(store, module);
  const auto instantiated = Clock::now();
  int exit_code = kSuccess;
  if (instance) {
    exit_code = command.invoke ? run_function(command, *instance) : run_command(command, *instance);
  } else {
    exit_code = instantiation_failure(command.module, instance.error());
  }
  if (command.profile_phases) {
    print_phases(engine, module, translated, instantiated - start, Clock::now() - instantiated);
  }
  if (command.profile_tiers) print_tiers(engine);
  if (command.profile_codegen) print_codegen(engine.optimisations(), engine.tiers());
  recordings.finish(command, module, exit_code == kTrap);
  // Only where something went wrong: an option of the same name may well be the program's own.
  if (exit_code != kSuccess && !command.misplaced_option.empty()) {
    print_labelled("note", fmt::format("{} stands behind the module, so it went to the program; options of wasirun's "
                                       "stand before it (a -- before the module says that none was meant)",
                                       command.misplaced_option));
  }
  return exit_code;
}

int load_and_run(const RunCommand& command, TraceOutput* trace, Sockets sockets) {
  wasi::EngineConfig engine_config = command.engine;
  engine_config.on_warning = [](const std::string& message) { print_labelled("warning", message); };
  const auto engine = wasi::Engine::create(std::move(engine_config));
  if (!engine) return failure("{}", engine.error().to_string());
  const auto module = command.embedded ? wasi::Module::deserialize_file(
                                             *engine, kOwnExecutable, command.embedded->first, command.embedded->second)
                                       : load_program(*engine, command.module);
  if (!module) return file_failure(command.module, module.error());
  if (const auto prepared = prepare(command, *module); !prepared) return failure("{}", prepared.error().to_string());
  const int exit_code = run_module(command, *engine, *module, trace, std::move(sockets));
  wasi::detail::leave_to_process_end(*module);
  return exit_code;
}

}  // namespace

int run(const RunCommand& command) {
  auto sockets = open_sockets(command);
  if (!sockets) {
    print_error(sockets.error().message);
    return sockets.error().exit_code;
  }
  const std::vector<RemovedFile> files = std::move(sockets->files);
  if (!command.trace_wasi) return load_and_run(command, nullptr, *std::move(sockets));
  auto trace = TraceOutput::open(command.trace_output, command.trace_timestamps);
  if (!trace) return failure("{}", trace.error().message);
  const int exit_code = load_and_run(command, &*trace, *std::move(sockets));
  // The program's own exit code stands: it has run as it would have without.
  if (const auto finished = trace->finish(); !finished) print_error(finished.error().message);
  return exit_code;
}

}  // namespace wasirun

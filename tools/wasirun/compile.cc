// wasirun compile: a module with its machine code as a file, or as an executable.
#include <fmt/format.h>
#include <wasi/wasi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/printable.h"
#include "tools/wasirun/codegen_profile.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/output_file.h"
#include "tools/wasirun/payload.h"
#include "tools/wasirun/progress.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

std::string_view text_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// All of them together; null where none is given.
wasi::Result<std::optional<wasi::Profile>> read_profiles(const std::vector<std::string>& files) {
  std::optional<wasi::Profile> all;
  for (const std::string& file : files) {
    const auto in_file = [&](wasi::Error error) {
      error.message = fmt::format("{}: {}", name_of(file), error.message);
      return std::unexpected(std::move(error));
    };
    const auto content = open_file(file);
    if (!content) return std::unexpected(content.error());
    const auto bytes = (*content)->bytes();
    auto profile = wasi::Profile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!profile) return in_file(std::move(profile).error());
    if (!all) all.emplace();
    if (const auto merged = all->merge(*profile); !merged) return in_file(merged.error());
  }
  return all;
}

// What went wrong with the cache, which the engine tells when the last handle of the module has gone.
struct Warnings {
  bool are_failures = false;
  std::string first = {};
  void operator()(const std::string& message) {
    if (!are_failures) return print_labelled("warning", message);
    if (first.empty()) first = message;
  }
};

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

int compile(const CompileCommand& command) {
  const auto begin = std::chrono::steady_clock::now();
  wasi::EngineConfig config = command.engine;
  config.tier = wasi::TierSelection::baseline;
  config.validation = wasi::Validation::parallel;
  Warnings warnings;
  config.on_warning = std::ref(warnings);
  const auto engine = wasi::Engine::create(std::move(config));
  if (!engine) return failure("{}", engine.error().to_string());
  const auto profile = read_profiles(command.profiles);
  if (!profile) return failure("{}", profile.error().message);
  auto module = load_module(*engine, command.file);
  if (!module) return file_failure(command.file, module.error());
  const auto tiers = [&] {
    Progress progress("compiling");
    return module->compile(
        {.optimise = command.optimise,
         .profile = *profile ? &**profile : nullptr,
         .threads = command.threads,
         .progress = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); }});
  }();
  if (!tiers) return failure("{}: {}", name_of(command.file), tiers.error().message);
  std::uint64_t compiled = 0;
  std::uint64_t uncompiled = 0;
  for (const wasi::TierMetrics& tier : *tiers) {
    compiled += tier.functions - tier.uncompiled;
    uncompiled += tier.uncompiled;
  }
  if (compiled == 0 && uncompiled != 0) {
    return failure("{}: none of its {} functions could be compiled", name_of(command.file), uncompiled);
  }
  const auto report = [&](std::string_view what) {
    const std::string interpreted = uncompiled == 0 ? "" : fmt::format(", {} more will be interpreted", uncompiled);
    fmt::print(stderr, "{}, {} functions{}, in {:.2f} s\n", what, compiled, interpreted,
               seconds(std::chrono::steady_clock::now() - begin));
    for (const wasi::TierMetrics& tier : *tiers) {
      if (tiers->size() == 1 || tier.functions == 0) continue;
      fmt::print(stderr, "  {:<9} {} functions of {} bytes into {} bytes of code, {:.2f} s of processor time\n",
                 tier.tier, tier.functions, tier.translate.bytes, tier.code_bytes, seconds(tier.translate.time));
    }
    if (!command.profile_codegen) return;
    std::vector<wasi::TierMetrics> used = *tiers;
    std::erase_if(used, [](const wasi::TierMetrics& tier) { return tier.functions == 0; });
    print_codegen(engine->optimisations(), used);
  };
  if (command.output.empty()) {
    warnings.are_failures = true;
    module = std::unexpected(wasi::Error());  // with it the code goes into the cache
    if (!warnings.first.empty()) return failure("{}", warnings.first);
    report(fmt::format("{}: machine code kept", wasi::printable(command.engine.cache->directory)));
    return kSuccess;
  }
  auto bytes = module->serialize();
  if (bytes && command.exe) bytes = with_payload(*bytes, command.run_options);
  if (!bytes) return file_failure(command.file, bytes.error());

  auto output = OutputFile::open(command.output, command.exe);
  if (!output) return failure("{}", output.error().message);
  output->write(text_of(*bytes));
  if (const auto finished = output->finish(); !finished) return failure("{}", finished.error().message);
  report(fmt::format("{}: {} bytes", command.output == "-" ? "standard output" : wasi::printable(command.output),
                     bytes->size()));
  return kSuccess;
}

}  // namespace wasirun

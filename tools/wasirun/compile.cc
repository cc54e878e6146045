// wasirun compile: a module with its machine code as a file, or as an executable.
#include <fmt/format.h>
#include <wasi/wasi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/printable.h"
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

// Of the tier that compiles.
wasi::TierMetrics compiled(const wasi::Engine& engine) {
  const auto tiers = engine.tiers();
  const auto tier = std::ranges::find(tiers, "baseline", &wasi::TierMetrics::tier);
  return tier == tiers.end() ? wasi::TierMetrics() : *tier;
}

}  // namespace

int compile(const CompileCommand& command) {
  const auto begin = std::chrono::steady_clock::now();
  wasi::EngineConfig config = command.engine;
  config.tier = wasi::TierSelection::baseline;
  config.validation = wasi::Validation::parallel;
  config.on_warning = [](const std::string& message) { print_labelled("warning", message); };
  const auto engine = wasi::Engine::create(std::move(config));
  if (!engine) return failure("{}", engine.error().to_string());
  const auto module = load_module(*engine, command.file);
  if (!module) return file_failure(command.file, module.error());
  {
    Progress progress("compiling");
    const auto update = [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); };
    if (const auto prepared = module->prepare(update); !prepared) return failure("{}", prepared.error().to_string());
  }
  const wasi::TierMetrics code = compiled(*engine);
  if (code.functions == 0 && code.uncompiled != 0) {
    return failure("{}: none of its {} functions could be compiled", name_of(command.file), code.uncompiled);
  }
  auto bytes = module->serialize();
  if (bytes && command.exe) bytes = with_payload(*bytes, command.run_options);
  if (!bytes) return file_failure(command.file, bytes.error());

  auto output = OutputFile::open(command.output, command.exe);
  if (!output) return failure("{}", output.error().message);
  output->write(text_of(*bytes));
  if (const auto finished = output->finish(); !finished) return failure("{}", finished.error().message);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const std::string interpreted =
      code.uncompiled == 0 ? "" : fmt::format(", {} more will be interpreted", code.uncompiled);
  fmt::print(stderr, "{}: {} bytes, {} functions{}, in {:.2f} s\n",
             command.output == "-" ? "standard output" : wasi::printable(command.output), bytes->size(), code.functions,
             interpreted, took.count());
  return kSuccess;
}

}  // namespace wasirun

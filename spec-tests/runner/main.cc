// spec-runner [FOLDER...]: runs the official suite's scripts and prints a table per folder and tier.
//
// There is no list of what may fail: the exit code is 1 when anything failed, 2 when nothing could be run.
#include <fmt/format.h>
#include <wasi/engine.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coverage.h"
#include "report.h"
#include "tools/wast/script.h"

namespace {

namespace fs = std::filesystem;
using wasi::spec::Report;

struct Options {
  fs::path suite;
  std::vector<std::string> folders;
  std::vector<std::string> default_folders;
  std::string only;  // FILE or FILE:LINE
  std::string checks = "guard";
  std::string gc = "normal";
  std::vector<std::string> tiers;
  std::optional<std::uint32_t> tier_threshold;
  std::optional<std::uint32_t> optimise_threshold;
  std::vector<fs::path> reports;
  bool coverage = false;
  bool is_strict = false;
};

struct Tier {
  std::string_view name;
  wasi::TierSelection selection;
};
constexpr Tier kTiers[] = {{"interp", wasi::TierSelection::interpreter},
                           {"baseline", wasi::TierSelection::baseline},
                           {"llvm", wasi::TierSelection::optimising},
                           {"auto", wasi::TierSelection::automatic}};

std::vector<fs::path> find_scripts(const Options& options, const std::string& only_file) {
  std::vector<fs::path> found;
  std::vector<std::string> folders = options.folders;
  if (folders.empty()) folders.emplace_back(".");
  for (const std::string& folder : folders) {
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(options.suite / folder, error)) {
      if (entry.path().extension() != ".wast") continue;
      // Folders elsewhere keep their whole path.
      const fs::path relative = fs::path(folder).is_absolute()
                                    ? entry.path()
                                    : entry.path().lexically_relative(options.suite).lexically_normal();
      if (only_file.empty() || relative.string().ends_with(only_file)) found.push_back(relative);
    }
  }
  std::ranges::sort(found);
  const auto [first, last] = std::ranges::unique(found);
  found.erase(first, last);
  return found;
}

std::optional<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

// False where an instruction was never executed.
bool print_coverage(std::string_view tier, const wasi::spec::Coverage& coverage) {
  const auto missing = coverage.missing();
  fmt::print("{}: {} instructions were executed, {} were not\n", tier, coverage.executed(), missing.size());
  for (const std::string_view name : missing) fmt::print("never executed: {}\n", name);
  return missing.empty();
}

int run(Options options) {
  if (options.folders.empty() && options.only.empty()) options.folders = options.default_folders;
  std::string only_file = options.only;
  std::optional<std::uint64_t> only_line;
  if (const auto colon = only_file.rfind(':'); colon != std::string::npos) {
    only_line = std::strtoull(only_file.c_str() + colon + 1, nullptr, 10);
    only_file.resize(colon);
  }
  const auto scripts = find_scripts(options, only_file);
  if (scripts.empty()) {
    fmt::print(stderr, "spec-runner: no script found below {}\n", options.suite.string());
    return 2;
  }
  Report report;
  bool is_covered = true;
  for (const Tier& tier : kTiers) {
    if (!options.tiers.empty() && std::ranges::find(options.tiers, tier.name) == options.tiers.end()) continue;
    // Only the interpreter counts.
    if (options.coverage && tier.selection != wasi::TierSelection::interpreter) continue;
    wasi::EngineConfig config;
    config.tier = tier.selection;
    config.tier_threshold = options.tier_threshold;
    config.optimise_threshold = options.optimise_threshold;
    if (options.checks == "explicit") config.bounds_checks = wasi::BoundsChecks::explicit_checks;
    config.strict_memory = options.is_strict;
    const auto engine = wasi::Engine::create(config);
    if (!engine) {
      fmt::print(stderr, "spec-runner: {}\n", engine.error().to_string());
      return 2;
    }
    const wasi::StoreConfig store = {.gc_stress = options.gc == "stress"};
    std::optional<wasi::spec::Coverage> coverage;
    if (options.coverage) coverage.emplace(*engine);
    for (const fs::path& script : scripts) {
      const auto text = read_file(options.suite / script);
      if (!text) {
        fmt::print(stderr, "spec-runner: cannot read {}\n", (options.suite / script).string());
        return 2;
      }
      report.begin_script(script, tier.name);
      wasi::spec::run_script(*engine, store, *text, report.observer(only_line));
    }
    // What is interpreted says nothing of a compiler.
    if (const auto uncompiled = engine->metrics().uncompiled; uncompiled != 0) {
      fmt::print("{}: {} functions were not compiled\n", tier.name, uncompiled);
      is_covered = false;
    }
    if (coverage) is_covered = print_coverage(tier.name, *coverage) && is_covered;
  }
  report.print();
  for (const fs::path& path : options.reports) {
    if (!report.write(path)) {
      fmt::print(stderr, "spec-runner: cannot write {}\n", path.string());
      return 2;
    }
  }
  if (report.is_empty()) {
    fmt::print(stderr, "spec-runner: no command was run\n");
    return 2;
  }
  return report.has_failures() || !is_covered ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Runs the official suite (spec-tests/README.md)");
  app.add_option("folders", options.folders, "Folders of the suite; default: all");
  // Options that may be repeated take one word each, so that folders may follow them.
  app.add_option("--default-folder", options.default_folders, "Run where no folder and no --only is given. Repeatable")
      ->allow_extra_args(false);
  app.add_option("--suite", options.suite, "The suite")->required()->check(CLI::ExistingDirectory);
  app.add_option("--only", options.only, "FILE or FILE:LINE: the scripts whose path ends so");
  app.add_option("--tier", options.tiers, "A tier to run; default: all. Repeatable")
      ->allow_extra_args(false)
      ->check([](const std::string& name) {
        const bool is_known = std::ranges::any_of(kTiers, [&](const Tier& tier) { return tier.name == name; });
        return is_known ? std::string() : "there is no such tier";
      });
  app.add_option("--tier-threshold", options.tier_threshold,
                 "With auto: calls and iterations before a function is compiled; default: as shipped");
  app.add_option("--optimise-threshold", options.optimise_threshold,
                 "With auto: milliseconds in a function before it is optimised, 0: all are; default: as shipped");
  app.add_option("--bounds-checks", options.checks, "guard or explicit")->check(CLI::IsMember({"guard", "explicit"}));
  app.add_flag("--strict-memory", options.is_strict, "Optimised code makes every access as the script has it");
  app.add_option("--gc", options.gc, "normal, or stress: collect at every allocation")
      ->check(CLI::IsMember({"normal", "stress"}));
  app.add_option("--report", options.reports, "FILE.json or FILE.xml (JUnit): a report for programs. Repeatable")
      ->allow_extra_args(false)
      ->check([](const std::string& path) {
        const auto extension = fs::path(path).extension();
        return extension == ".json" || extension == ".xml" ? std::string()
                                                           : "expected a name that ends in .json or .xml";
      });
  app.add_flag("--coverage", options.coverage, "Fail when an instruction is never executed");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

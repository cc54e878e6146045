// spec-runner SUITE [options]: runs the converted official suite and prints a table per folder.
//
// There is no list of what may fail: the exit code is 1 when anything failed, 2 when nothing could be run.
#include <fmt/format.h>
#include <wasi/engine.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <vector>

#include "outcome.h"
#include "script.h"

namespace {

namespace fs = std::filesystem;
using wasi::spec::Json;
using wasi::spec::Outcome;
using wasi::spec::Status;
using wasi::spec::Tally;

struct Options {
  fs::path suite;
  std::vector<std::string> folders;
  std::string only;  // FILE or FILE:LINE
  std::string checks = "guard";
  std::string gc = "normal";
  std::string report;
  bool show_not_yet = false;
};

struct Failure {
  std::string file;
  std::uint64_t line;
  std::string command;
  std::string detail;
};

struct Report {
  std::map<std::string, Tally> folders;
  std::vector<Failure> failures;
  Tally total;
};

std::vector<fs::path> find_scripts(const Options& options, const std::string& only_file) {
  std::vector<fs::path> found;
  std::vector<std::string> folders = options.folders;
  if (folders.empty()) folders.emplace_back(".");
  for (const std::string& folder : folders) {
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(options.suite / folder, error)) {
      if (entry.path().extension() != ".json") continue;
      fs::path relative = entry.path().lexically_relative(options.suite);
      relative.replace_extension(".wast");
      if (only_file.empty() || relative.string().ends_with(only_file)) found.push_back(relative.lexically_normal());
    }
  }
  std::ranges::sort(found);
  return found;
}

void run_script(const wasi::Engine& engine, const Options& options, const fs::path& script,
                std::optional<std::uint64_t> only_line, Report& report) {
  fs::path path = options.suite / script;
  path.replace_extension(".json");
  Tally& folder = report.folders[script.parent_path().string()];
  const auto observe = [&](std::uint64_t line, const std::string& command, const Outcome& outcome) {
    if (only_line && *only_line != line) return;
    folder.add(outcome.status);
    report.total.add(outcome.status);
    if (outcome.status == Status::failed) report.failures.push_back({script.string(), line, command, outcome.detail});
    if (outcome.status == Status::not_yet && options.show_not_yet) {
      fmt::print("{}:{}: {}: not yet: {}\n", script.string(), line, command, outcome.detail);
    }
  };
  const auto json = wasi::spec::read_script(path);
  if (!json) {
    observe(0, "script", Outcome::fail(json.error()));
    return;
  }
  const wasi::StoreConfig store = {.gc_stress = options.gc == "stress"};
  wasi::spec::Script(engine, store, path.parent_path(), observe).run(json->at("commands"));
}

void print_table(const Report& report) {
  fmt::print("{:<32} {:>8} {:>8} {:>8} {:>8}\n", "folder", "passed", "failed", "not yet", "text");
  const auto row = [](std::string_view name, const Tally& tally) {
    fmt::print("{:<32} {:>8} {:>8} {:>8} {:>8}\n", name, tally[Status::passed], tally[Status::failed],
               tally[Status::not_yet], tally[Status::text]);
  };
  for (const auto& [folder, tally] : report.folders) row(folder, tally);
  row("total", report.total);
}

Json to_json(const Tally& tally) {
  return {{"passed", tally[Status::passed]},
          {"failed", tally[Status::failed]},
          {"not_yet", tally[Status::not_yet]},
          {"text", tally[Status::text]}};
}

void print_json(const Report& report) {
  Json json = {{"total", to_json(report.total)}, {"folders", Json::object()}, {"failures", Json::array()}};
  for (const auto& [folder, tally] : report.folders) json["folders"][folder] = to_json(tally);
  for (const Failure& failure : report.failures) {
    json["failures"].push_back(
        {{"file", failure.file}, {"line", failure.line}, {"command", failure.command}, {"detail", failure.detail}});
  }
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

int run(const Options& options) {
  wasi::EngineConfig config;
  if (options.checks == "explicit") config.bounds_checks = wasi::BoundsChecks::explicit_checks;
  const auto engine = wasi::Engine::create(config);
  if (!engine) {
    fmt::print(stderr, "spec-runner: {}\n", engine.error().to_string());
    return 2;
  }
  std::string only_file = options.only;
  std::optional<std::uint64_t> only_line;
  if (const auto colon = only_file.rfind(':'); colon != std::string::npos) {
    only_line = std::stoull(only_file.substr(colon + 1));
    only_file.resize(colon);
  }
  const auto scripts = find_scripts(options, only_file);
  if (scripts.empty()) {
    fmt::print(stderr, "spec-runner: no script found below {}\n", options.suite.string());
    return 2;
  }
  Report report;
  for (const fs::path& script : scripts) run_script(*engine, options, script, only_line, report);
  if (options.report == "json") {
    print_json(report);
  } else {
    for (const Failure& failure : report.failures) {
      fmt::print("{}:{}: {}: {}\n", failure.file, failure.line, failure.command, failure.detail);
    }
    print_table(report);
  }
  if (report.total.total() == 0) {
    fmt::print(stderr, "spec-runner: no command was run\n");
    return 2;
  }
  return report.total[Status::failed] == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Runs the converted official suite (spec-tests/README.md)");
  app.add_option("suite", options.suite, "Folder that wast2json wrote")->required();
  app.add_option("folders", options.folders, "Folders below it; default: all");
  app.add_option("--only", options.only, "FILE or FILE:LINE: the scripts whose path ends so");
  app.add_option("--bounds-checks", options.checks, "guard or explicit")->check(CLI::IsMember({"guard", "explicit"}));
  app.add_option("--gc", options.gc, "normal, or stress: collect at every allocation")
      ->check(CLI::IsMember({"normal", "stress"}));
  app.add_option("--report", options.report, "json: a report for programs")->check(CLI::IsMember({"json"}));
  app.add_flag("--show-not-yet", options.show_not_yet, "Say which commands wait for a later version, and why");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}

// wasirun wast: scripts of the specification's text format.
#include <fmt/format.h>
#include <wasi/wasi.h>

#include <string>

#include "base/printable.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/report.h"
#include "tools/wast/script.h"

namespace wasirun {

int wast(const WastCommand& command) {
  wasi::EngineConfig config = command.engine;
  config.on_warning = [](const std::string& message) { print_labelled("warning", message); };
  const auto engine = wasi::Engine::create(std::move(config));
  if (!engine) return failure("{}", engine.error().to_string());
  int exit_code = kSuccess;
  for (const std::string& file : command.files) {
    const auto content = open_file(file);
    if (!content) {
      exit_code = file_failure(file, content.error());
      continue;
    }
    const auto bytes = (*content)->bytes();
    const std::string source(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    wasi::spec::Tally tally;
    wasi::spec::run_script(*engine, {}, source,
                           [&](const wasi::text::ScriptCommand& done, const wasi::spec::Outcome& outcome) {
                             tally.add(outcome.status);
                             if (outcome.status == wasi::spec::Status::passed) return;
                             print_error(fmt::format("{}:{}: {}", name_of(file), done.line, outcome.detail));
                           });
    const auto failed = tally[wasi::spec::Status::failed];
    if (failed != 0) exit_code = kFailure;
    print_stdout("{}: {} commands, {} failed\n", name_of(file), tally.total(), failed);
  }
  return exit_code;
}

}  // namespace wasirun

// wasirun serve: an HTTP server, of tools/serve, with what the command line gives.
#include <wasi/wasi.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "tools/serve/server.h"
#include "tools/wasirun/commands.h"
#include "tools/wasirun/guest_config.h"
#include "tools/wasirun/load.h"
#include "tools/wasirun/progress.h"
#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

int refuse(const wasi::Error& error) {
  print_labelled("error", error.kind == wasi::ErrorKind::argument ? error.message : error.to_string());
  return error.kind == wasi::ErrorKind::argument ? kUsage : kFailure;
}

// Whoever chooses a compiler wants its code from the first request on.
wasi::Result<void> prepare(const wasi::EngineConfig& config, const serve::GuestSetup& setup) {
  const bool is_chosen = config.tier == wasi::TierSelection::baseline || config.tier == wasi::TierSelection::optimising;
  if (!is_chosen || !setup.module) return {};
  Progress progress("compiling");
  return setup.module->prepare([&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); });
}

}  // namespace

int serve_http(const ServeCommand& command) {
  if (is_standard_input(command.guest.module)) return usage_error("serve needs a file, not standard input");
  wasi::EngineConfig engine_config = command.guest.engine;
  engine_config.on_warning = [](const std::string& message) { print_labelled("warning", message); };
  const auto engine = wasi::Engine::create(std::move(engine_config));
  if (!engine) return failure("{}", engine.error().to_string());

  serve::ServeOptions options = command.options;
  serve::GuestSetup& guest = options.guest;
  guest.engine = *engine;
  guest.args = command.guest.args;
  guest.store = store_config_of(command.guest);
  guest.unknown_imports = command.guest.unknown_imports;
  give_capabilities(command.guest, guest.wasi);
  if (const auto loaded = serve::load_application(guest, command.guest.module); !loaded) {
    return file_failure(command.guest.module, loaded.error());
  }
  if (const auto prepared = prepare(command.guest.engine, guest); !prepared) {
    return failure("{}", prepared.error().to_string());
  }
  auto server = serve::Server::start(std::move(options));
  if (!server) return refuse(server.error());
  for (const std::string& address : (*server)->addresses()) print_labelled("serving", address);
  if (const std::string address = (*server)->metrics_address(); !address.empty()) print_labelled("metrics", address);

  switch ((*server)->run()) {
    case serve::Server::End::drained:
      return kSuccess;
    case serve::Server::End::failed:
      return (*server)->exit_status();
    case serve::Server::End::cut:
      break;
  }
  print_labelled("note", "guests that could not be stopped in time were left behind");
  // Whoever waited for them here could wait for ever.
  std::fflush(nullptr);
  std::_Exit(kFailure);
}

}  // namespace wasirun

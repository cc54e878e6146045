#include "tools/shim/http_program.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "tools/serve/server.h"
#include "tools/shim/guest_messages.h"
#include "tools/shim/wasm_program.h"

namespace wasirun::shim {

namespace {

constexpr const char* kAddress = "wasirun.dev/http";
constexpr const char* kMetrics = "wasirun.dev/http-metrics";
constexpr const char* kContract = "wasirun.dev/http-contract";
constexpr const char* kDefaultPort = "80";

// "8080" is that port of every address of IPv4.
std::string full_address(std::string_view text) {
  const bool is_port = text.find_first_not_of("0123456789") == std::string_view::npos;
  return (is_port ? "tcp:0.0.0.0:" : text.starts_with("tcp:") ? "" : "tcp:") + std::string(text);
}

// Signals go to it, since libuv's own way cannot be used here: what it keeps for them was the shim's, and closed.
serve::Server* running_server = nullptr;

void drain_at_signals(serve::Server& server) {
  running_server = &server;
  struct sigaction action{};
  action.sa_handler = [](int) { running_server->stop(); };
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

wasi::Result<HttpConfig> parse_http_config(const Bundle& bundle) {
  HttpConfig config;
  std::string list = bundle.annotation(kAddress);
  if (list.empty()) list = kDefaultPort;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (end == begin) {
      return wasi::fail(wasi::ErrorKind::argument,
                        "annotation {}: \"{}\": expected a port, or HOST:PORT, or several of "
                        "these with commas between",
                        kAddress, wasi::printable(list));
    }
    config.addresses.push_back(full_address(std::string_view(list).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (const std::string metrics = bundle.annotation(kMetrics); !metrics.empty()) config.metrics = full_address(metrics);
  if (const std::string contract = bundle.annotation(kContract); !contract.empty()) {
    config.contract = serve::contract_named(contract);
    if (!config.contract) {
      return wasi::fail(wasi::ErrorKind::argument, "annotation {}: \"{}\" is not one of wagi, spin, slight, server",
                        kContract, wasi::printable(contract));
    }
  }
  return config;
}

wasi::Result<HttpProgram> HttpProgram::load(HttpConfig config, int module_file, const std::string& module_name,
                                            const std::string& cache_directory) {
  std::vector<wasi::Socket> sockets;
  for (const std::string& address : config.addresses) sockets.push_back(WASI_TRY(wasi::Socket::listen(address)));
  if (module_file < 0) {
    // Modules that are loaded inside of the container must not take code from there.
    HttpProgram program(std::move(config), WASI_TRY(make_engine("")));
    program.sockets_ = std::move(sockets);
    return program;
  }
  CompiledModule compiled = WASI_TRY(load_compiled(module_file, module_name, cache_directory));
  HttpProgram program(std::move(config), compiled.engine);
  program.module_ = compiled.module;
  program.module_name_ = module_name;
  program.sockets_ = std::move(sockets);
  return program;
}

int HttpProgram::run(const Bundle& bundle) {
  serve::ServeOptions options{.guest = {.engine = engine_}};
  serve::GuestSetup& guest = options.guest;
  guest.module = module_;
  guest.module_path = module_name_;
  guest.manifest = config_.manifest;
  guest.args.assign(bundle.process.args.begin() + 1, bundle.process.args.end());
  give_environment(bundle.process, guest.wasi);
  // Components of Spin see the files that their manifest names; all others the container's.
  if (module_) guest.wasi.preopen("/", "/");
  options.contract = config_.contract;
  options.sockets = std::move(sockets_);
  options.metrics = config_.metrics;
  options.handles_signals = false;
  // One instance that wants too much fails by itself, before it takes the others with it.
  const std::int64_t limit = bundle.resources.memory_limit.value_or(0);
  if (limit > 0) options.memory_limit = std::min(options.memory_limit, static_cast<std::uint64_t>(limit));
  auto server = serve::Server::start(std::move(options));
  if (!server) return fail_program(server.error().to_string());
  drain_at_signals(**server);
  switch ((*server)->run()) {
    case serve::Server::End::drained:
      return 0;
    case serve::Server::End::failed:
      return (*server)->exit_status();
    case serve::Server::End::cut:
      break;
  }
  return fail_program("requests that were under way were given up");
}

}  // namespace wasirun::shim

#include "tools/shim/http_program.h"

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "tools/serve/server.h"
#include "tools/shim/guest_messages.h"
#include "tools/shim/host_file.h"
#include "tools/shim/outbound_setup.h"
#include "tools/shim/root_file_system.h"
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

constexpr int kReading = O_RDONLY | O_NONBLOCK | O_NOCTTY;

wasi::Result<serve::SpinNeeds> read_manifest(const Bundle& bundle, const std::string& path) {
  const wasi::os::UniqueFd file = WASI_TRY(open_in_container(bundle, path, kReading));
  const auto text = read_file(fmt::format("/proc/self/fd/{}", file.get()));
  if (!text) return wasi::fail(text.error().kind, "{}: {}", wasi::printable(path), text.error().message);
  return serve::spin_needs(path, *text);
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

wasi::Result<HttpProgram> HttpProgram::load(const Bundle& bundle, HttpConfig config, const ModuleFile& module,
                                            const CodeOptions& options) {
  std::vector<wasi::Socket> sockets;
  for (const std::string& address : config.addresses) sockets.push_back(WASI_TRY(wasi::Socket::listen(address)));
  std::vector<ModuleFile> files;
  std::vector<wasi::os::UniqueFd> opened;
  std::vector<std::filesystem::path> paths;
  if (module.file >= 0) {
    files.push_back(module);
  } else {
    serve::SpinNeeds needs = WASI_TRY(read_manifest(bundle, config.manifest));
    if (needs.sends_requests) WASI_TRY(prepare_requests(bundle));
    paths = std::move(needs.modules);
    for (const std::filesystem::path& path : paths) {
      opened.push_back(WASI_TRY(open_in_container(bundle, path.string(), kReading)));
      files.push_back({.file = opened.back().get(), .name = path.string()});
    }
  }
  HttpProgram program(std::move(config), std::move(sockets), WASI_TRY(load_compiled(files, options)));
  if (module.file >= 0) program.module_name_ = module.name;
  program.module_paths_ = std::move(paths);
  return program;
}

int HttpProgram::run(const Bundle& bundle) {
  serve::ServeOptions options{.guest = {.engine = compiled_.engine}};
  serve::GuestSetup& guest = options.guest;
  const bool has_one_module = !module_name_.empty();
  if (has_one_module) {
    guest.module = compiled_.modules.front();
    guest.module_path = module_name_;
  }
  for (std::size_t i = 0; i < module_paths_.size(); ++i) guest.loaded.emplace(module_paths_[i], compiled_.modules[i]);
  guest.manifest = config_.manifest;
  guest.args.assign(bundle.process.args.begin() + 1, bundle.process.args.end());
  give_environment(bundle.process, guest.wasi);
  // Components of Spin see the files that their manifest names; all others the container's.
  if (has_one_module) guest.wasi.preopen("/", "/");
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

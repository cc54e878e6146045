// The HTTP server: a process's whole `serve`, for the command line and the containerd shim.
//
// One thread has the loop, with all connections, the log's lines and the metrics; guests run on others, each request in
// an instance of its own, and never on the loop's. All memory that clients can make it take is bounded.
#pragma once

#include <wasi/error.h>
#include <wasi/socket.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/serve/access_log.h"
#include "tools/serve/contracts.h"
#include "tools/serve/detect.h"

namespace wasirun::serve {

struct ServeOptions {
  // What is served: see load_application().
  GuestSetup guest;
  std::optional<ContractKind> contract = {};  // empty: found out from the module

  // Where requests come from: "HOST:PORT", "tcp:HOST:PORT", "unix:PATH" or "fd:N"; and sockets that listen already.
  std::vector<std::string> listen = {};
  std::vector<wasi::Socket> sockets = {};
  std::string metrics = {};  // the same, for /metrics and /healthz; empty: nowhere

  std::uint32_t concurrency = 0;  // most guests at a time; 0: two for each processor, and at least four
  std::uint32_t queue = 1024;     // most requests that wait for one: beyond it, 503
  std::uint32_t most_connections = 10'000;
  std::uint32_t most_header_bytes = 32U << 10;
  std::uint64_t most_body_bytes = 8U << 20;
  std::uint64_t most_response_bytes = 64U << 20;
  std::uint64_t memory_limit = 256U << 20;            // of each instance
  std::chrono::milliseconds timeout{30'000};          // of an answer, waiting included: 504
  std::chrono::milliseconds request_timeout{30'000};  // of a request to come: 408
  std::chrono::milliseconds idle_timeout{75'000};     // of a connection between requests
  std::chrono::milliseconds drain{10'000};            // for what is under way when it is to end

  enum class AccessLog : std::uint8_t { none, standard_error, file };
  AccessLog access_log = AccessLog::standard_error;
  std::string access_log_file = {};
  LogFormat log_format = LogFormat::common;

  bool handles_signals = true;  // SIGTERM and SIGINT: drain; a second one: at once
};

// What is served by its name: a module (binary, text, .cwasm); a manifest, spin.toml, or slightfile.toml beside its
// app.wasm; or a directory with one of these. Fills in the setup's module and manifest, by its engine.
wasi::Result<void> load_application(GuestSetup& setup, const std::filesystem::path& path);

class Server {
 public:
  // Opens sockets and makes the contract. Clients can connect from then on, and are answered by run(). Signal SIGPIPE
  // must be ignored in this process.
  static wasi::Result<std::unique_ptr<Server>> start(ServeOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  enum class End : std::uint8_t {
    drained,  // all that was under way has been answered
    cut,      // the time for that was over, or a second signal or stop() came; with guests that may still run
    failed,   // of a server of the guest's own: it ended by itself, see exit_status()
  };
  // Serves until it is told to end, by a signal or stop(), on the calling thread.
  End run();
  // Begins to drain; the second time, ends at once. Any thread, and signal handlers.
  void stop();

  // Where it listens, as open_listener() takes it, with ports that the kernel chose.
  [[nodiscard]] std::vector<std::string> addresses() const;
  [[nodiscard]] std::string metrics_address() const;
  [[nodiscard]] ContractKind contract() const;
  // Of a server of the guest's own: the program's exit code, 134 after a trap.
  [[nodiscard]] int exit_status() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wasirun::serve

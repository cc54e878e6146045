// A container that answers HTTP requests: the server of `wasirun serve` on the container's module, or on the manifest
// of an application in its root.
#pragma once

#include <wasi/error.h>
#include <wasi/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "tools/serve/detect.h"
#include "tools/shim/bundle.h"
#include "tools/shim/compiled_module.h"

namespace wasirun::shim {

struct HttpConfig {
  std::vector<std::string> addresses;  // "tcp:0.0.0.0:80"
  std::string metrics;                 // the same, for Prometheus; empty: nowhere
  std::optional<serve::ContractKind> contract;
  std::string manifest;  // /spin.toml, /slightfile.toml; empty: there is none
};

// By the annotations wasirun.dev/http ("8080", "127.0.0.1:8080,[::1]:8080"), wasirun.dev/http-metrics and
// wasirun.dev/http-contract; without the first, port 80. Errors name the annotation.
wasi::Result<HttpConfig> parse_http_config(const Bundle& bundle);

class HttpProgram {
 public:
  // Binds the sockets in the network that the process is in, and loads and compiles the module, where there is one:
  // applications of Spin name several, which are loaded by run().
  static wasi::Result<HttpProgram> load(HttpConfig config, int module_file, const std::string& module_name,
                                        const std::string& cache_directory);

  // In the container's root, as its user; the exit code. Ends when SIGTERM has come and what was under way is answered.
  [[nodiscard]] int run(const Bundle& bundle);

 private:
  HttpProgram(HttpConfig config, wasi::Engine engine) : config_(std::move(config)), engine_(std::move(engine)) {}
  HttpConfig config_;
  wasi::Engine engine_;
  std::optional<wasi::Module> module_;
  std::string module_name_;
  std::vector<wasi::Socket> sockets_;
};

}  // namespace wasirun::shim

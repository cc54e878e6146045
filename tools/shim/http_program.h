// A container that answers HTTP requests: the server of `wasirun serve` on the container's module, or on the manifest
// of an application in its root.
#pragma once

#include <wasi/error.h>
#include <wasi/socket.h>

#include <filesystem>
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
  // Binds the sockets in the network that the process is in, and loads and compiles the module, or those that Spin's
  // manifest names: from the container's root, which is still below the host's.
  static wasi::Result<HttpProgram> load(const Bundle& bundle, HttpConfig config, const ModuleFile& module,
                                        const CodeOptions& options);

  // In the container's root, as its user; the exit code. Ends when SIGTERM has come and what was under way is answered.
  [[nodiscard]] int run(const Bundle& bundle);

 private:
  HttpProgram(HttpConfig config, std::vector<wasi::Socket> sockets, CompiledModules compiled)
      : config_(std::move(config)), sockets_(std::move(sockets)), compiled_(std::move(compiled)) {}
  HttpConfig config_;
  std::vector<wasi::Socket> sockets_;
  CompiledModules compiled_;
  std::string module_name_;                          // empty: those of `module_paths_`
  std::vector<std::filesystem::path> module_paths_;  // that the manifest names
};

}  // namespace wasirun::shim

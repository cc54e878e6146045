// What the embedder gives a WASI program, handed on to lib/wasi.
#include <wasi/wasi_config.h>

#include <cstdlib>

#include "engine/state.h"

// The process's environment (POSIX declares it nowhere).
extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace wasi {

WasiConfig& WasiConfig::env(std::string_view name, std::string_view value) {
  std::string variable = std::string(name) + "=";
  for (std::string& existing : env_) {
    if (existing.starts_with(variable)) {
      existing = variable.append(value);
      return *this;
    }
  }
  env_.push_back(std::move(variable.append(value)));
  return *this;
}

WasiConfig& WasiConfig::inherit_env() {
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const auto equals = text.find('=');
    // What has no name (a process may be handed "=x") is no variable.
    if (equals != std::string_view::npos && equals != 0) env(text.substr(0, equals), text.substr(equals + 1));
  }
  return *this;
}

WasiConfig& WasiConfig::inherit_env(std::string_view name) {
  if (const char* value = std::getenv(std::string(name).c_str())) env(name, value);
  return *this;
}

preview1::Config detail::Internals::wasi(const WasiConfig& config) {
  const auto stdio = [](const Stdio& given) -> preview1::Stdio {
    switch (given.kind_) {
      case Stdio::Kind::inherit:
        return {.kind = preview1::Stdio::Kind::inherit};
      case Stdio::Kind::fd:
        return {.kind = preview1::Stdio::Kind::fd, .fd = given.fd_};
      case Stdio::Kind::null:
        break;
    }
    return {};
  };
  preview1::Config converted;
  converted.args = config.args_;
  converted.env = config.env_;
  for (const WasiConfig::Preopen& preopen : config.preopens_) {
    converted.preopens.push_back({.host_path = preopen.host,
                                  .guest_path = preopen.guest,
                                  .access = preopen.access == wasi::Access::read_only ? preview1::Access::read_only
                                                                                      : preview1::Access::read_write});
  }
  converted.in = stdio(config.in_);
  converted.out = stdio(config.out_);
  converted.err = stdio(config.err_);
  converted.trace = {.sink = config.trace_,
                     .string_size = config.trace_options_.string_size,
                     .times = config.trace_options_.times,
                     .functions = config.trace_options_.functions};
  return converted;
}

}  // namespace wasi

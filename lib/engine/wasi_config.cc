// What the embedder gives a WASI program, handed on to lib/wasi.
#include <wasi/wasi_config.h>

#include <cstdlib>

#include "base/result.h"
#include "engine/state.h"
#include "engine/stdio.h"
#include "wasi/memory_files.h"

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

std::optional<std::string> WasiConfig::env(std::string_view name) const {
  const std::string beginning = std::string(name) + "=";
  for (const std::string& variable : env_) {
    if (variable.starts_with(beginning)) return variable.substr(beginning.size());
  }
  return std::nullopt;
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

Result<preview1::Config> detail::Internals::wasi(const WasiConfig& config) {
  preview1::Config converted;
  converted.args = config.args_;
  converted.env = config.env_;
  for (const WasiConfig::Preopen& given : config.preopens_) {
    preview1::Preopen preopen{
        .host_path = {},
        .guest_path = given.guest,
        .access = given.access == wasi::Access::read_only ? preview1::Access::read_only : preview1::Access::read_write};
    if (const auto* host = std::get_if<std::string>(&given.place)) {
      preopen.host_path = *host;
      preopen.write_limit = given.limit;
    } else if (const auto* memory = std::get_if<MemoryDirectory>(&given.place)) {
      preopen.tree = memory->tree_;
    } else if (const auto* made = std::get_if<std::shared_ptr<VirtualDirectory>>(&given.place)) {
      if (*made == nullptr) {
        return fail(ErrorKind::argument, "the directory for the guest's \"{}\" is a null pointer", given.guest);
      }
      preopen.made = *made;
    } else {
      preopen.tree = preview1::memory::make_tree(given.limit.value_or(MemoryDirectory::kDefaultLimit));
    }
    converted.preopens.push_back(std::move(preopen));
  }
  for (const Socket& given : config.sockets_) converted.sockets.push_back(given.socket_);
  converted.limits = {.descriptors = config.limits_.descriptors,
                      .path_length = config.limits_.path_length,
                      .subscriptions = config.limits_.subscriptions,
                      .iovecs = config.limits_.iovecs};
  converted.in = WASI_TRY(config.in_.source_->open(true));
  converted.out = WASI_TRY(config.out_.source_->open(false));
  converted.err = WASI_TRY(config.err_.source_->open(false));
  converted.time = {.realtime = config.time_.realtime,
                    .monotonic = config.time_.monotonic,
                    .resolution = config.time_.resolution,
                    .sleep = config.time_.sleep};
  converted.random = {.fill = config.random_, .seed = config.random_seed_};
  converted.trace = {.sink = config.trace_,
                     .string_size = config.trace_options_.string_size,
                     .times = config.trace_options_.times,
                     .functions = config.trace_options_.functions};
  return converted;
}

}  // namespace wasi

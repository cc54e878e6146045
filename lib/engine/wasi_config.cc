// What the embedder gives a WASI program, handed on to lib/wasi.
#include <wasi/wasi_config.h>

#include <cstdlib>
#include <functional>

#include "base/result.h"
#include "engine/state.h"
#include "engine/stdio.h"
#include "wasi/memory_files.h"

// The process's environment (POSIX declares it nowhere).
extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace wasi {

WasiConfig& WasiConfig::args(std::vector<std::string> values) {
  args_ = std::move(values);
  return *this;
}

WasiConfig& WasiConfig::preopen(PathView host, std::string_view guest, Access access) {
  preopens_.push_back({host.string(), std::string(guest), access});
  return *this;
}

WasiConfig& WasiConfig::preopen(MemoryDirectory directory, std::string_view guest, Access access) {
  preopens_.push_back({std::move(directory), std::string(guest), access});
  return *this;
}

WasiConfig& WasiConfig::preopen(std::shared_ptr<VirtualDirectory> directory, std::string_view guest, Access access) {
  preopens_.push_back({std::move(directory), std::string(guest), access});
  return *this;
}

WasiConfig& WasiConfig::preopen_limited(PathView host, std::string_view guest, std::uint64_t bytes) {
  preopens_.push_back({host.string(), std::string(guest), Access::read_write, bytes});
  return *this;
}

WasiConfig& WasiConfig::scratch(std::string_view guest, std::uint64_t limit) {
  preopens_.push_back({Scratch(), std::string(guest), Access::read_write, limit});
  return *this;
}

WasiConfig& WasiConfig::socket(Socket given) {
  sockets_.push_back(std::move(given));
  return *this;
}

WasiConfig& WasiConfig::time(WasiTime time) { return time_ = std::move(time), *this; }
WasiConfig& WasiConfig::random(std::function<void(std::span<std::uint8_t>)> fill) {
  return random_ = std::move(fill), random_seed_.reset(), *this;
}
WasiConfig& WasiConfig::random_seed(std::uint64_t seed) { return random_ = {}, random_seed_ = seed, *this; }
WasiConfig& WasiConfig::limits(const WasiLimits& limits) { return limits_ = limits, *this; }
WasiConfig& WasiConfig::stdin_from(Stdio source) { return in_ = std::move(source), *this; }
WasiConfig& WasiConfig::stdout_to(Stdio target) { return out_ = std::move(target), *this; }
WasiConfig& WasiConfig::stderr_to(Stdio target) { return err_ = std::move(target), *this; }
WasiConfig& WasiConfig::inherit_stdio() {
  return stdin_from(Stdio::inherit()).stdout_to(Stdio::inherit()).stderr_to(Stdio::inherit());
}

WasiConfig& WasiConfig::trace(std::function<void(std::string_view)> sink, TraceOptions options) {
  trace_ = std::move(sink);
  trace_options_ = std::move(options);
  return *this;
}

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

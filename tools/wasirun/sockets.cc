// See sockets.h.
#include "tools/wasirun/sockets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "tools/wasirun/report.h"

namespace wasirun {

namespace {

constexpr int kFirstPassed = 3;
constexpr const char* kCount = "LISTEN_FDS";
constexpr const char* kProcess = "LISTEN_PID";
constexpr const char* kNames = "LISTEN_FDNAMES";

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

using Failure = std::unexpected<SocketFailure>;

template <class... Args>
Failure refuse(int exit_code, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(SocketFailure{fmt::format(format, std::forward<Args>(args)...), exit_code});
}
Failure refuse(const char* option, const wasi::Error& error) {
  return refuse(error.kind == wasi::ErrorKind::argument ? kUsage : kFailure, "{}: {}", option, error.message);
}

// The sockets that the process was started with.
// Source: https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
std::expected<std::vector<wasi::Socket>, SocketFailure> passed_sockets() {
  const char* count_text = std::getenv(kCount);
  if (count_text == nullptr) {
    return refuse(kFailure, "--listen-fds: no sockets were passed to wasirun: {} is not set", kCount);
  }
  const auto count = number_in<int>(count_text);
  if (!count) return refuse(kFailure, "--listen-fds: {}=\"{}\" is not a number", kCount, count_text);
  // Somebody else's, which came here by inheritance, must not be taken for ours.
  if (const char* process = std::getenv(kProcess); process != nullptr && number_in<pid_t>(process) != ::getpid()) {
    return refuse(kFailure, "--listen-fds: no sockets were passed to wasirun: {}=\"{}\" is not this process, {}",
                  kProcess, process, ::getpid());
  }
  std::vector<wasi::Socket> sockets;
  for (int i = 0; i < *count; ++i) {
    auto socket = wasi::Socket::from_descriptor(kFirstPassed + i);
    // The command line is right; whoever passed them is not.
    if (!socket) return refuse(kFailure, "--listen-fds: {}", socket.error().message);
    sockets.push_back(*std::move(socket));
  }
  return sockets;
}

std::expected<wasi::Socket, SocketFailure> open_socket(const std::string& address) {
  constexpr std::string_view kDescriptor = "fd:";
  wasi::Result<wasi::Socket> socket = std::unexpected(wasi::Error());
  if (address.starts_with(kDescriptor)) {
    const auto number = number_in<int>(std::string_view(address).substr(kDescriptor.size()));
    if (!number) return refuse(kUsage, "--listen: \"{}\" is not fd:N with a descriptor's number", address);
    socket = wasi::Socket::from_descriptor(*number);
  } else {
    socket = wasi::Socket::listen(address);
  }
  if (!socket) return refuse("--listen", socket.error());
  if (address.starts_with("tcp:") && address.ends_with(":0")) print_labelled("listening", socket->address());
  return *std::move(socket);
}

bool sets(const RunCommand& command, std::string_view name) {
  return std::ranges::any_of(
      command.env, [name](std::string_view variable) { return variable.substr(0, variable.find('=')) == name; });
}

}  // namespace

std::expected<Sockets, SocketFailure> open_sockets(const RunCommand& command) {
  Sockets sockets;
  if (command.listen_fds) {
    auto passed = passed_sockets();
    if (!passed) return Failure(passed.error());
    sockets.all = *std::move(passed);
    if (const char* names = std::getenv(kNames)) sockets.names = names;
    for (const char* variable : {kCount, kProcess, kNames}) ::unsetenv(variable);
  }
  for (const std::string& address : command.listen) {
    constexpr std::string_view kUnix = "unix:";
    const SignalsWait until_it_is_known;
    auto socket = open_socket(address);
    if (!socket) return Failure(socket.error());
    if (address.starts_with(kUnix)) sockets.files.emplace_back(address.substr(kUnix.size()));
    sockets.all.push_back(*std::move(socket));
    // systemd's word for a socket without a name.
    if (!sockets.names.empty()) sockets.names += ":unknown";
  }
  return sockets;
}

void give_sockets(Sockets sockets, const RunCommand& command, wasi::WasiConfig& config) {
  if (sockets.all.empty()) return;
  // Without LISTEN_PID: programs know no process number of theirs.
  if (!sets(command, kCount)) config.env(kCount, std::to_string(sockets.all.size()));
  if (!sockets.names.empty() && !sets(command, kNames)) config.env(kNames, sockets.names);
  for (wasi::Socket& socket : sockets.all) config.socket(std::move(socket));
}

}  // namespace wasirun

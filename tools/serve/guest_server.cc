// See guest_server.h.
#include "tools/serve/guest_server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <wasi/linker.h>

#include <system_error>
#include <utility>

#include "base/printable.h"
#include "base/result.h"

namespace wasirun::serve {

namespace {

constexpr int kTrapped = 134;  // as a shell reports a process that was aborted

}  // namespace

GuestServer::GuestServer(uv_loop_t& loop, ServerLog& log, std::function<void()> changed)
    : log_(log), changed_(std::move(changed)), lines_(std::make_unique<GuestLines>(log)), async_(new uv_async_t) {
  uv_async_init(&loop, async_, [](uv_async_t* async) {
    auto& server = *static_cast<GuestServer*>(async->data);
    server.is_over_ = true;
    server.changed_();
  });
  async_->data = this;
}

wasi::Result<std::unique_ptr<GuestServer>> GuestServer::start(uv_loop_t& loop, const ServeOptions& options,
                                                              ServerLog& log, const std::vector<wasi::Socket>& sockets,
                                                              std::function<void()> changed) {
  const GuestSetup& setup = options.guest;
  if (!setup.module) {
    return wasi::fail(wasi::ErrorKind::argument, "{}: a server of its own is a module, not a manifest",
                      wasi::printable(setup.manifest.string()));
  }
  std::unique_ptr<GuestServer> server(new GuestServer(loop, log, std::move(changed)));
  wasi::WasiConfig config = setup.wasi;
  std::vector<std::string> args = {setup.module_path.string()};
  args.insert(args.end(), setup.args.begin(), setup.args.end());
  config.args(std::move(args)).env("LISTEN_FDS", std::to_string(sockets.size()));
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    config.socket(sockets[i]);
    server->addresses_.push_back(sockets[i].address());
    // Those that were handed in come first, and may be somebody else's as well.
    const bool is_opened_here =
        i >= options.sockets.size() && !options.listen[i - options.sockets.size()].starts_with("fd:");
    if (is_opened_here) server->own_listeners_.push_back(sockets[i].descriptor());
  }
  const auto write = [lines = server->lines_.get()](std::span<const std::uint8_t> bytes) {
    lines->write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return std::expected<std::size_t, std::errc>(bytes.size());
  };
  config.stdout_to(wasi::Stdio::inherit()).stderr_to(wasi::Stdio::writer(write));
  wasi::StoreConfig store = setup.store;
  store.memory_limit = options.memory_limit;
  server->store_.emplace(WASI_TRY(wasi::Store::create(setup.engine, store)));
  server->interrupter_ = server->store_->interrupter();
  wasi::Linker linker(setup.engine);
  linker.define_wasi(std::move(config)).unknown_imports(setup.unknown_imports);
  const auto instance = linker.instantiate(*server->store_, *setup.module);
  if (!instance) return wasi::fail(wasi::ErrorKind::argument, "{}", instance.error().to_string());
  const auto start = WASI_TRY(instance->function<void()>("_start"));
  try {
    server->thread_ = std::thread([server = server.get(), start] { server->run(start); });
  } catch (const std::system_error& failure) {
    return wasi::fail(wasi::ErrorKind::limit, "no thread can be had for the program: {}", failure.what());
  }
  return server;
}

GuestServer::~GuestServer() { close(); }

void GuestServer::run(const wasi::TypedFunction<void()>& start) {
  if (auto done = start(); !done) {
    exit_status_ = done.error().is_exit() ? done.error().exit_status : kTrapped;
    if (!done.error().is_exit()) trap_ = std::move(done).error();
  }
  if (trap_ && trap_->code != wasi::TrapCode::interrupted) log_.message(trap_->to_string());
  uv_async_send(async_);
}

void GuestServer::drain() {
  for (const int descriptor : own_listeners_) ::shutdown(descriptor, SHUT_RDWR);
}

void GuestServer::abort() {
  if (interrupter_) interrupter_->interrupt();
}

std::string GuestServer::metrics() const {
  return fmt::format(
      "# HELP wasirun_log_lines_dropped_total Lines of the log that found no room.\n"
      "# TYPE wasirun_log_lines_dropped_total counter\n"
      "wasirun_log_lines_dropped_total {}\n",
      log_.dropped());
}

std::vector<std::string> GuestServer::addresses() const { return addresses_; }

void GuestServer::close() {
  abort();
  if (thread_.joinable()) thread_.join();
  store_.reset();
  lines_.reset();
  if (async_ == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(async_, nullptr)),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
}

}  // namespace wasirun::serve

// See server.h.
#include "tools/serve/server.h"

#include <fmt/format.h>
#include <uv.h>

#include <csignal>
#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "tools/serve/guest_server.h"
#include "tools/serve/http_listener.h"
#include "tools/serve/metrics.h"
#include "tools/serve/request_service.h"
#include "tools/serve/response_text.h"
#include "tools/serve/server_log.h"

namespace wasirun::serve {

namespace {

// How long guests that were interrupted are waited for.
constexpr std::uint64_t kInterruptedMilliseconds = 1000;
constexpr std::uint64_t kMetricsBudget = std::uint64_t{16} << 20;

wasi::Result<std::unique_ptr<Contract>> make_contract(ContractKind kind, const GuestSetup& setup) {
  switch (kind) {
    case ContractKind::wagi:
      return make_wagi(setup);
    case ContractKind::spin:
      return make_spin(setup);
    case ContractKind::slight:
      return make_slight(setup);
    case ContractKind::server:
      break;
  }
  return wasi::fail(wasi::ErrorKind::argument, "a server of its own is asked nothing");
}

wasi::Result<ContractKind> choose_contract(const ServeOptions& options) {
  if (options.contract) return *options.contract;
  if (!options.guest.manifest.empty()) {
    return options.guest.module ? ContractKind::slight : ContractKind::spin;
  }
  if (!options.guest.module) return wasi::fail(wasi::ErrorKind::argument, "there is nothing to serve");
  auto kind = detect_contract(*options.guest.module);
  if (!kind) kind.error().message = options.guest.module_path.string() + ": " + kind.error().message;
  return kind;
}

// /metrics and /healthz, on an address of their own.
class MetricsHandler : public Handler {
 public:
  explicit MetricsHandler(const Service& service) : service_(service) {}
  void handle(const std::shared_ptr<Exchange>& exchange) override {
    const std::string_view path = exchange->request.path();
    if (path == "/healthz") {
      exchange->respond({.status = 200, .fields = {{"Content-Type", "text/plain"}}, .body = "OK"});
    } else if (path == "/metrics") {
      exchange->respond({.status = 200,
                         .fields = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                         .body = service_.metrics() + process_metrics()});
    } else {
      exchange->respond(plain_response(404));
    }
  }
  void finished(const Exchange& /*exchange*/, const Finish& /*finish*/) override {}
  void connections_changed(std::size_t /*count*/) override {}

 private:
  const Service& service_;
};

}  // namespace

class Server::Impl {
 public:
  Impl() { uv_loop_init(&loop_); }
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  wasi::Result<void> start(ServeOptions options);
  End run();
  void stop() { uv_async_send(&stop_); }

  [[nodiscard]] std::vector<std::string> addresses() const { return service_->addresses(); }
  [[nodiscard]] std::string metrics_address() const { return metrics_ == nullptr ? "" : metrics_->address(); }
  [[nodiscard]] ContractKind contract() const { return kind_; }
  [[nodiscard]] int exit_status() const { return guest_server_ == nullptr ? 0 : guest_server_->exit_status(); }

 private:
  enum class Phase : std::uint8_t { serving, draining, cutting };

  void on_stop();
  void cut();
  void check();
  template <class Callback>
  void start_timer(std::uint64_t milliseconds, Callback callback) {
    uv_timer_start(&timer_, callback, milliseconds, 0);
  }

  uv_loop_t loop_{};
  bool has_handles_ = false;  // the following four are initialised
  uv_async_t stop_{};
  uv_timer_t timer_{};
  uv_signal_t terminate_{};
  uv_signal_t interrupt_{};
  std::chrono::milliseconds drain_time_{0};
  ContractKind kind_ = ContractKind::wagi;
  std::unique_ptr<ServerLog> log_;
  std::unique_ptr<Service> service_;
  GuestServer* guest_server_ = nullptr;  // the service, where it is one
  MemoryBudget metrics_budget_{kMetricsBudget};
  std::unique_ptr<MetricsHandler> metrics_handler_;
  std::unique_ptr<HttpListener> metrics_;
  Phase phase_ = Phase::serving;
  bool is_stuck_ = false;
};

wasi::Result<void> Server::Impl::start(ServeOptions options) {
  drain_time_ = options.drain;
  log_ = WASI_TRY(ServerLog::open(options));
  kind_ = WASI_TRY(choose_contract(options));
  std::vector<wasi::Socket> sockets = options.sockets;
  for (const std::string& address : options.listen) sockets.push_back(WASI_TRY(open_listener(address)));
  if (sockets.empty()) return wasi::fail(wasi::ErrorKind::argument, "there is no address to listen at");

  uv_async_init(&loop_, &stop_, [](uv_async_t* async) { static_cast<Impl*>(async->data)->on_stop(); });
  uv_timer_init(&loop_, &timer_);
  uv_signal_init(&loop_, &terminate_);
  uv_signal_init(&loop_, &interrupt_);
  stop_.data = timer_.data = terminate_.data = interrupt_.data = this;
  has_handles_ = true;

  if (kind_ == ContractKind::server) {
    auto server = WASI_TRY(GuestServer::start(loop_, options, *log_, sockets, [this] { check(); }));
    guest_server_ = server.get();
    service_ = std::move(server);
  } else {
    auto contract = WASI_TRY(make_contract(kind_, options.guest));
    service_ =
        WASI_TRY(RequestService::start(loop_, options, std::move(contract), *log_, sockets, [this] { check(); }));
  }
  if (!options.metrics.empty()) {
    metrics_handler_ = std::make_unique<MetricsHandler>(*service_);
    const wasi::Socket socket = WASI_TRY(open_listener(options.metrics));
    metrics_ = WASI_TRY(HttpListener::start(loop_, socket, *metrics_handler_, metrics_budget_,
                                            {.connection = {}, .most_connections = 100}));
  }
  if (options.handles_signals) {
    const auto on_signal = [](uv_signal_t* signal, int) { static_cast<Impl*>(signal->data)->on_stop(); };
    uv_signal_start(&terminate_, on_signal, SIGTERM);
    uv_signal_start(&interrupt_, on_signal, SIGINT);
  }
  return {};
}

Server::Impl::~Impl() {
  metrics_.reset();
  if (service_ != nullptr) service_->close();
  if (has_handles_) {
    for (auto* handle : {reinterpret_cast<uv_handle_t*>(&stop_), reinterpret_cast<uv_handle_t*>(&timer_),
                         reinterpret_cast<uv_handle_t*>(&terminate_), reinterpret_cast<uv_handle_t*>(&interrupt_)}) {
      uv_close(handle, nullptr);
    }
  }
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

Server::End Server::Impl::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  log_->flush();
  if (is_stuck_) return End::cut;
  return phase_ == Phase::serving ? End::failed : End::drained;
}

void Server::Impl::on_stop() {
  if (phase_ == Phase::cutting) return;
  if (phase_ == Phase::draining) return cut();
  phase_ = Phase::draining;
  service_->drain();
  start_timer(static_cast<std::uint64_t>(drain_time_.count()),
              [](uv_timer_t* timer) { static_cast<Impl*>(timer->data)->cut(); });
  check();
}

void Server::Impl::cut() {
  phase_ = Phase::cutting;
  service_->abort();
  start_timer(kInterruptedMilliseconds, [](uv_timer_t* timer) {
    auto& server = *static_cast<Impl*>(timer->data);
    server.is_stuck_ = true;
    uv_stop(&server.loop_);
  });
  check();
}

void Server::Impl::check() {
  const bool may_end = phase_ != Phase::serving || guest_server_ != nullptr;
  // While it is made, and while it is closed, nobody asks.
  if (service_ != nullptr && may_end && service_->is_over()) uv_stop(&loop_);
}

wasi::Result<std::unique_ptr<Server>> Server::start(ServeOptions options) {
  auto impl = std::make_unique<Impl>();
  WASI_TRY(impl->start(std::move(options)));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
Server::End Server::run() { return impl_->run(); }
void Server::stop() { impl_->stop(); }
std::vector<std::string> Server::addresses() const { return impl_->addresses(); }
std::string Server::metrics_address() const { return impl_->metrics_address(); }
ContractKind Server::contract() const { return impl_->contract(); }
int Server::exit_status() const { return impl_->exit_status(); }

}  // namespace wasirun::serve

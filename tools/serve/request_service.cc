// See request_service.h.
#include "tools/serve/request_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "tools/serve/response_text.h"
#include "tools/serve/route.h"

namespace wasirun::serve {

namespace {

constexpr std::uint16_t kUnavailable = 503;
constexpr std::uint32_t kLeastConcurrency = 4;
// Of bodies, of all requests and responses that are under way.
constexpr std::uint64_t kMostBuffered = std::uint64_t{512} << 20;

std::uint32_t concurrency_of(const ServeOptions& options) {
  if (options.concurrency != 0) return options.concurrency;
  return std::max(2 * std::thread::hardware_concurrency(), kLeastConcurrency);
}

HttpResponse unavailable() {
  HttpResponse response = plain_response(kUnavailable);
  response.fields.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace

RequestService::RequestService(uv_loop_t& loop, const ServeOptions& options, std::unique_ptr<Contract> contract,
                               ServerLog& log, std::function<void()> changed)
    : route_(options.guest.route),
      memory_limit_(options.memory_limit),
      response_limit_(options.most_response_bytes),
      contract_(std::move(contract)),
      log_(log),
      changed_(std::move(changed)),
      budget_(kMostBuffered),
      async_(new uv_async_t) {
  uv_async_init(&loop, async_, [](uv_async_t* async) { static_cast<RequestService*>(async->data)->take_completed(); });
  async_->data = this;
  pool_ = std::make_unique<WorkerPool>(WorkerPool::Limits{.threads = concurrency_of(options), .queued = options.queue},
                                       [this](const std::shared_ptr<Exchange>& exchange) { work(exchange); });
}

wasi::Result<std::unique_ptr<RequestService>> RequestService::start(uv_loop_t& loop, const ServeOptions& options,
                                                                    std::unique_ptr<Contract> contract, ServerLog& log,
                                                                    const std::vector<wasi::Socket>& sockets,
                                                                    std::function<void()> changed) {
  std::unique_ptr<RequestService> service(
      new RequestService(loop, options, std::move(contract), log, std::move(changed)));
  const HttpListener::Config config = {
      .connection = {.parse = {.header_bytes = options.most_header_bytes, .body_bytes = options.most_body_bytes},
                     .request_time = options.request_timeout,
                     .idle_time = options.idle_timeout,
                     .answer_time = options.timeout},
      .most_connections = options.most_connections};
  for (const wasi::Socket& socket : sockets) {
    auto listener = HttpListener::start(loop, socket, *service, service->budget_, config);
    if (!listener) {
      service->close();
      return std::unexpected(std::move(listener).error());
    }
    service->listeners_.push_back(*std::move(listener));
  }
  return service;
}

RequestService::~RequestService() { close(); }

void RequestService::close() {
  listeners_.clear();
  pool_.reset();
  if (async_ == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(async_, nullptr)),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
}

void RequestService::drain() {
  for (const auto& listener : listeners_) listener->drain();
}

void RequestService::abort() {
  drain();
  for (const auto& listener : listeners_) listener->abort();
}

bool RequestService::is_over() const { return under_way_ == 0 && connections() == 0; }

std::size_t RequestService::connections() const {
  std::size_t count = 0;
  for (const auto& listener : listeners_) count += listener->connections();
  return count;
}

std::string RequestService::metrics() const {
  return metrics_.to_text({.connections = connections(),
                           .running = pool_->running(),
                           .queued = pool_->queued(),
                           .log_lines_dropped = log_.dropped()});
}

std::vector<std::string> RequestService::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& listener : listeners_) addresses.push_back(listener->address());
  return addresses;
}

void RequestService::handle(const std::shared_ptr<Exchange>& exchange) {
  const std::string_view path = exchange->request.path();
  if (path == "/healthz") {
    return exchange->respond({.status = 200, .fields = {{"Content-Type", "text/plain"}}, .body = "OK"});
  }
  if (!is_below(route_, path)) return exchange->respond(plain_response(404));
  if (!pool_->push(exchange)) {
    metrics_.count_refusal();
    return exchange->respond(unavailable());
  }
  ++under_way_;
}

void RequestService::finished(const Exchange& exchange, const Finish& finish) {
  metrics_.count_request(finish.status, finish.took, finish.body_bytes);
  log_.request(exchange, finish);
}

void RequestService::connections_changed(std::size_t count) {
  if (count == 0) changed_();
}

void RequestService::work(const std::shared_ptr<Exchange>& exchange) {
  exchange->outcome = ask(*exchange);
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = completed_.empty();
    completed_.push_back(exchange);
  }
  if (is_first) uv_async_send(async_);
}

std::expected<HttpResponse, Failure> RequestService::ask(Exchange& exchange) {
  if (exchange.cancelled.stop_requested()) {
    return std::unexpected(Failure{.status = kUnavailable, .message = {}, .kind = FailureKind::cancelled});
  }
  if (Exchange::Clock::now() >= exchange.deadline) {
    return std::unexpected(Failure{.status = kUnavailable,
                                   .message = "it waited for a guest until its time was over",
                                   .kind = FailureKind::deadline});
  }
  GuestLines lines(log_);
  const RequestContext context = {.deadline = exchange.deadline,
                                  .memory_limit = memory_limit_,
                                  .response_limit = response_limit_,
                                  .log = [&lines](std::string_view text) { lines.write(text); },
                                  .cancelled = exchange.cancelled.get_token()};
  exchange.got_guest = true;
  try {
    auto response = contract_->answer(exchange.request, context);
    if (!response) return response;
    if (auto wrong = what_is_wrong(*response)) {
      return std::unexpected(Failure{.status = 500, .message = *std::move(wrong), .kind = FailureKind::answer});
    }
    if (response->body.size() <= response_limit_) return response;
    return std::unexpected(
        Failure{.status = 500,
                .message = fmt::format("the response is larger than the limit of {} bytes", response_limit_),
                .kind = FailureKind::answer});
  } catch (const std::exception& failure) {
    return std::unexpected(Failure{.status = kUnavailable, .message = failure.what(), .kind = FailureKind::resources});
  }
}

void RequestService::take_completed() {
  std::vector<std::shared_ptr<Exchange>> completed;
  {
    const std::lock_guard lock(mutex_);
    completed.swap(completed_);
  }
  for (const std::shared_ptr<Exchange>& exchange : completed) complete(*exchange);
  under_way_ -= completed.size();
  changed_();
}

void RequestService::complete(Exchange& exchange) {
  if (exchange.got_guest) metrics_.count_instance();
  if (exchange.outcome) return exchange.respond(*std::move(exchange.outcome));
  const Failure& failure = exchange.outcome.error();
  metrics_.count_failure(failure.kind);
  if (failure.kind != FailureKind::cancelled) {
    log_.message(fmt::format("{} {}: {}: {}", exchange.request.method, wasi::printable(exchange.request.target),
                             failure.status, failure.message));
  }
  exchange.respond(failure.status == kUnavailable ? unavailable() : plain_response(failure.status));
}

}  // namespace wasirun::serve

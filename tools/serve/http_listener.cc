// See http_listener.h.
#include "tools/serve/http_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/result.h"

namespace wasirun::serve {

namespace {

constexpr std::size_t kReadBuffer = std::size_t{64} << 10;
// Connections that are due are not looked for more often.
constexpr std::uint64_t kLeastWait = 50;

wasi::Result<wasi::Socket> adopt(std::string_view address, std::string_view number) {
  int descriptor = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), descriptor);
  if (number.empty() || error != std::errc() || end != number.data() + number.size() || descriptor < 0) {
    return wasi::fail(wasi::ErrorKind::argument, "\"{}\" is not fd:N with a descriptor's number", address);
  }
  return wasi::Socket::from_descriptor(descriptor);
}

wasi::Result<void> check_listens(const wasi::Socket& socket) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (::getsockopt(socket.descriptor(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0) return {};
  return wasi::fail(wasi::ErrorKind::argument, "descriptor {} is no socket that listens", socket.descriptor());
}

template <class T>
void free_handle(uv_handle_t* handle) {
  delete reinterpret_cast<T*>(handle);
}

}  // namespace

wasi::Result<wasi::Socket> open_listener(std::string_view address) {
  constexpr std::string_view kDescriptor = "fd:";
  if (address.starts_with(kDescriptor)) return adopt(address, address.substr(kDescriptor.size()));
  if (address.starts_with("tcp:") || address.starts_with("unix:")) return wasi::Socket::listen(address);
  return wasi::Socket::listen(fmt::format("tcp:{}", address));
}

HttpListener::HttpListener(uv_loop_t& loop, const wasi::Socket& socket, Handler& handler, MemoryBudget& budget,
                           const Config& config)
    : loop_(loop),
      socket_(socket),
      address_(socket.address()),
      handler_(handler),
      budget_(budget),
      config_(config),
      server_(new Server),
      timer_(new uv_timer_t),
      read_buffer_(kReadBuffer) {
  uv_timer_init(&loop_, timer_);
  timer_->data = this;
}

wasi::Result<std::unique_ptr<HttpListener>> HttpListener::start(uv_loop_t& loop, const wasi::Socket& socket,
                                                                Handler& handler, MemoryBudget& budget,
                                                                const Config& config) {
  WASI_TRY(check_listens(socket));
  std::unique_ptr<HttpListener> listener(new HttpListener(loop, socket, handler, budget, config));
  WASI_TRY(listener->open());
  return listener;
}

wasi::Result<void> HttpListener::open() {
  // libuv closes what it has; the socket itself stays open with whoever has it.
  const int descriptor = ::fcntl(socket_->descriptor(), F_DUPFD_CLOEXEC, 3);
  type_ = uv_guess_handle(descriptor);
  if (type_ != UV_TCP) type_ = UV_NAMED_PIPE;
  int error = 0;
  if (type_ == UV_TCP) {
    uv_tcp_init(&loop_, &server_->tcp);
    error = uv_tcp_open(&server_->tcp, descriptor);
  } else {
    uv_pipe_init(&loop_, &server_->pipe, 0);
    error = uv_pipe_open(&server_->pipe, descriptor);
  }
  server_->handle.data = this;
  if (error == 0) {
    error = uv_listen(&server_->stream, SOMAXCONN, [](uv_stream_t* stream, int status) {
      // Of a connection that was gone again; libuv itself gets on with a process that is out of descriptors.
      if (status == 0) static_cast<HttpListener*>(stream->data)->accept();
    });
  }
  if (error == 0) return {};
  return wasi::fail(wasi::ErrorKind::io, "cannot accept connections at {}: {}", address(), uv_strerror(error));
}

HttpListener::~HttpListener() {
  drain();
  abort();
  uv_close(reinterpret_cast<uv_handle_t*>(timer_), &free_handle<uv_timer_t>);
}

void HttpListener::accept() {
  // What is not accepted makes libuv stop listening until it is.
  if (drains_ || connections_.size() >= config_.most_connections) return;
  Connection* const connection = Connection::accept(*this, server_->stream, type_);
  if (connection == nullptr) return;
  connections_.insert(connection);
  handler_.connections_changed(connections_.size());
}

void HttpListener::removed(Connection& connection) {
  const bool was_full = connections_.size() >= config_.most_connections;
  connections_.erase(&connection);
  handler_.connections_changed(connections_.size());
  if (was_full && server_ != nullptr) accept();
}

void HttpListener::drain() {
  if (drains_) return;
  drains_ = true;
  uv_close(&server_->handle, &free_handle<Server>);
  server_ = nullptr;
  socket_.reset();
  for (Connection* connection : std::vector(connections_.begin(), connections_.end())) connection->drain();
}

void HttpListener::abort() {
  for (Connection* connection : std::vector(connections_.begin(), connections_.end())) connection->abort();
}

void HttpListener::watch(std::uint64_t due) {
  if (due >= next_look_) return;
  next_look_ = due;
  const std::uint64_t now = uv_now(&loop_);
  uv_timer_start(
      timer_, [](uv_timer_t* timer) { static_cast<HttpListener*>(timer->data)->look_at_due(); },
      std::max(due - std::min(due, now), kLeastWait), 0);
}

void HttpListener::look_at_due() {
  next_look_ = UINT64_MAX;
  const std::uint64_t now = uv_now(&loop_);
  std::vector<Connection*> late;
  std::uint64_t next = UINT64_MAX;
  for (Connection* connection : connections_) {
    if (connection->due() <= now) {
      late.push_back(connection);
    } else {
      next = std::min(next, connection->due());
    }
  }
  for (Connection* connection : late) connection->on_due();
  if (next != UINT64_MAX) watch(next);
}

std::string_view HttpListener::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    // Not by strftime, whose names are the locale's.
    date_ = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                        utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  }
  return date_;
}

}  // namespace wasirun::serve

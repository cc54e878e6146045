// See connection.h.
#include "tools/serve/connection.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "tools/serve/http_listener.h"
#include "tools/serve/response_text.h"

namespace wasirun::serve {

namespace {

// Beyond so much that a client sends ahead of its answers, it is not read any more until they are out.
constexpr std::size_t kMostAhead = std::size_t{64} << 10;
// How long, and for how many bytes, a client is given to read a last response that it was sent unasked.
constexpr std::uint64_t kLingerMilliseconds = 2000;
constexpr std::uint64_t kMostLingered = std::uint64_t{1} << 20;
// Those who answer keep their deadlines themselves; this is for one that is stuck.
constexpr std::uint64_t kGraceMilliseconds = 2000;

std::uint64_t milliseconds(std::chrono::milliseconds time) { return static_cast<std::uint64_t>(time.count()); }

struct Address {
  std::string host;
  std::uint16_t port = 0;
};
// Empty for a unix socket.
Address address_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& ip = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &ip.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(ip.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &ip.sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(ip.sin6_port)};
  }
  return {};
}

}  // namespace

void Exchange::respond(HttpResponse response) {
  if (connection_ != nullptr) connection_->respond(*this, std::move(response));
}

Connection::Connection(HttpListener& listener, uv_handle_type type)
    : listener_(listener), parser_(listener.config_.connection.parse), share_(listener.budget_) {
  if (type == UV_TCP) {
    uv_tcp_init(&listener.loop_, &handle_.tcp);
  } else {
    uv_pipe_init(&listener.loop_, &handle_.pipe, 0);
  }
  handle_.handle.data = this;
}

Connection* Connection::accept(HttpListener& listener, uv_stream_t& server, uv_handle_type type) {
  auto* connection = new Connection(listener, type);
  if (uv_accept(&server, &connection->handle_.stream) != 0) {
    uv_close(&connection->handle_.handle, [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
    return nullptr;
  }
  if (type == UV_TCP) {
    uv_tcp_nodelay(&connection->handle_.tcp, 1);
    sockaddr_storage address{};
    int size = sizeof(address);
    if (uv_tcp_getpeername(&connection->handle_.tcp, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      auto [host, port] = address_of(address);
      connection->remote_address_ = std::move(host);
      connection->remote_port_ = port;
    }
    size = sizeof(address);
    if (uv_tcp_getsockname(&connection->handle_.tcp, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      auto [host, port] = address_of(address);
      connection->local_address_ = std::move(host);
      connection->local_port_ = port;
    }
  }
  connection->set_state(State::idle, milliseconds(listener.config_.connection.request_time));
  connection->start_reading();
  return connection;
}

void Connection::set_state(State state, std::uint64_t milliseconds) {
  state_ = state;
  due_ = uv_now(&listener_.loop_) + milliseconds;
  listener_.watch(due_);
}

void Connection::start_reading() {
  if (reads_ || peer_is_done_ || state_ == State::closed) return;
  reads_ = uv_read_start(&handle_.stream, &allocate, &read) == 0;
  if (!reads_) close();
}

void Connection::allocate(uv_handle_t* handle, std::size_t /*suggested*/, uv_buf_t* buffer) {
  auto& shared = static_cast<Connection*>(handle->data)->listener_.read_buffer_;
  *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
}

void Connection::read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  if (count == 0) return;  // nothing was there after all
  auto& connection = *static_cast<Connection*>(stream->data);
  connection.on_read(count, {buffer->base, count > 0 ? static_cast<std::size_t>(count) : 0});
}

void Connection::on_read(ssize_t count, std::string_view bytes) {
  if (state_ == State::closed) return;
  if (count > 0) return on_bytes(bytes);
  peer_is_done_ = true;
  reads_ = false;
  uv_read_stop(&handle_.stream);
  // A client that says no more may well wait for its answer; one whose connection is broken does not.
  const bool waits = count == UV_EOF && (state_ == State::answering || state_ == State::writing);
  if (!waits) close();
}

void Connection::on_bytes(std::string_view bytes) {
  switch (state_) {
    case State::lingering:
      lingered_ += bytes.size();
      if (lingered_ > kMostLingered) close();
      return;
    case State::answering:
    case State::writing:
      ahead_ += bytes;
      if (ahead_.size() > kMostAhead) {
        reads_ = false;
        uv_read_stop(&handle_.stream);
      }
      return;
    default:
      break;
  }
  if (ahead_.empty()) return take_requests(bytes);
  ahead_ += bytes;
  const std::string all = std::exchange(ahead_, {});
  take_requests(all);
}

void Connection::take_requests(std::string_view bytes) {
  is_taking_ = true;
  while (state_ == State::idle || state_ == State::receiving) {
    const auto [progress, consumed] = parser_.put(bytes);
    bytes.remove_prefix(consumed);
    if (state_ == State::idle && parser_.has_begun()) {
      set_state(State::receiving, milliseconds(listener_.config_.connection.request_time));
    }
    if (progress == RequestParser::Progress::refused) {
      bytes = {};
      refuse(parser_.refusal());
      break;
    }
    if (!share_.set(parser_.request().body.capacity())) {
      bytes = {};
      refuse({503, "too much is under way"});
      break;
    }
    if (progress == RequestParser::Progress::need_more) {
      if (parser_.awaits_continue()) {
        // Once, as the parser has nothing of a body only until then; a client that cannot be written to is noticed
        // later.
        static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
        const uv_buf_t buffer = uv_buf_init(text, sizeof(text) - 1);
        uv_try_write(&handle_.stream, &buffer, 1);
      }
      break;
    }
    hand_on();
  }
  is_taking_ = false;
  if (state_ != State::closed && state_ != State::lingering) ahead_.insert(0, bytes);
}

void Connection::hand_on() {
  keeps_alive_ = parser_.keeps_alive() && !listener_.drains_;
  exchange_ = std::make_shared<Exchange>(this, std::exchange(share_, MemoryBudget::Share(listener_.budget_)));
  exchange_->request = std::move(parser_.request());
  parser_.reset();
  HttpRequest& request = exchange_->request;
  request.remote_address = remote_address_;
  request.remote_port = remote_port_;
  request.local_address = local_address_;
  request.local_port = local_port_;
  exchange_->arrived = Exchange::Clock::now();
  exchange_->deadline = exchange_->arrived + listener_.config_.connection.answer_time;
  set_state(State::answering, milliseconds(listener_.config_.connection.answer_time) + kGraceMilliseconds);
  const std::shared_ptr<Exchange> kept = exchange_;  // it may be over when the handler returns
  listener_.handler_.handle(kept);
}

void Connection::refuse(Refusal refusal) {
  exchange_ = std::make_shared<Exchange>(this, std::exchange(share_, MemoryBudget::Share(listener_.budget_)));
  exchange_->request = std::move(parser_.request());
  exchange_->request.remote_address = remote_address_;
  exchange_->arrived = Exchange::Clock::now();
  parser_.reset();
  keeps_alive_ = false;
  set_state(State::answering, kGraceMilliseconds);
  const std::shared_ptr<Exchange> kept = exchange_;
  has_unread_ = true;
  kept->respond(plain_response(refusal.status, refusal.message));
}

void Connection::respond(Exchange& exchange, HttpResponse response) {
  if (listener_.drains_) keeps_alive_ = false;
  const ResponseFrame frame = {.minor_version = exchange.request.minor_version,
                               .keeps_alive = keeps_alive_,
                               .is_head = exchange.request.method == "HEAD",
                               .date = listener_.date()};
  exchange.connection_ = nullptr;
  sent_status_ = response.status;
  set_state(State::writing, milliseconds(listener_.config_.connection.request_time));
  // Before the body moves, of which it has the length.
  std::string head = response_head(response, frame);
  send(std::move(head), has_body(response, frame) ? std::move(response.body) : std::string());
}

void Connection::send(std::string head, std::string body) {
  head_ = std::move(head);
  body_ = std::move(body);
  std::array buffers = {uv_buf_init(head_.data(), static_cast<unsigned>(head_.size())),
                        uv_buf_init(body_.data(), static_cast<unsigned>(body_.size()))};
  const std::size_t count = body_.empty() ? 1 : 2;
  const int tried = uv_try_write(&handle_.stream, buffers.data(), static_cast<unsigned>(count));
  if (tried < 0 && tried != UV_EAGAIN) return on_sent(false);
  std::size_t written = tried < 0 ? 0 : static_cast<std::size_t>(tried);
  if (written == head_.size() + body_.size()) return on_sent(true);
  for (uv_buf_t& buffer : buffers) {
    const std::size_t done = std::min(written, buffer.len);
    buffer.base += done;
    buffer.len -= done;
    written -= done;
  }
  write_.data = this;
  const int started =
      uv_write(&write_, &handle_.stream, buffers.data(), static_cast<unsigned>(count),
               [](uv_write_t* request, int status) { static_cast<Connection*>(request->data)->on_sent(status == 0); });
  if (started != 0) return on_sent(false);
  unsent_ = uv_stream_get_write_queue_size(&handle_.stream);
  // It has been made already; that it is too much is for the requests to come.
  share_.set(body_.size());
}

void Connection::on_sent(bool is_complete) {
  if (state_ == State::closed) return;
  const std::uint64_t body_bytes = body_.size();
  head_.clear();
  body_.clear();
  body_.shrink_to_fit();
  share_.set(0);
  finish_exchange(is_complete ? sent_status_ : kClientGone, body_bytes);
  if (!is_complete) return close();
  if (!keeps_alive_) return linger();
  set_state(State::idle, milliseconds(listener_.config_.connection.idle_time));
  if (!is_taking_) {
    const std::string rest = std::exchange(ahead_, {});
    if (!rest.empty()) take_requests(rest);
  }
  // Where no whole request was left, and nothing will come.
  const bool is_between = state_ == State::idle || state_ == State::receiving;
  if (is_between && peer_is_done_ && !is_taking_) return close();
  if (ahead_.size() <= kMostAhead) start_reading();
}

void Connection::finish_exchange(std::uint16_t status, std::uint64_t body_bytes) {
  const std::shared_ptr<Exchange> exchange = std::exchange(exchange_, nullptr);
  if (exchange == nullptr) return;
  exchange->connection_ = nullptr;
  listener_.handler_.finished(
      *exchange, {.status = status, .body_bytes = body_bytes, .took = Exchange::Clock::now() - exchange->arrived});
}

void Connection::linger() {
  // Nothing that it sent is unread, so that the end of the connection cannot overtake the response.
  if (peer_is_done_ || (!has_unread_ && ahead_.empty() && !parser_.has_begun())) return close();
  ahead_.clear();
  set_state(State::lingering, kLingerMilliseconds);
  uv_shutdown(&shutdown_, &handle_.stream, [](uv_shutdown_t*, int) {});
  start_reading();
}

void Connection::on_due() {
  switch (state_) {
    case State::idle:
      return close();
    case State::receiving:
      return refuse({408, "the request did not come in time"});
    case State::answering: {
      const std::shared_ptr<Exchange> exchange = exchange_;
      exchange->cancelled.request_stop();
      keeps_alive_ = false;
      return exchange->respond(plain_response(504));
    }
    case State::writing: {
      // A client that reads, however slowly, is given time.
      const std::size_t unsent = uv_stream_get_write_queue_size(&handle_.stream);
      if (unsent < unsent_) {
        unsent_ = unsent;
        return set_state(State::writing, milliseconds(listener_.config_.connection.request_time));
      }
      return close();
    }
    case State::lingering:
      return close();
    case State::closed:
      return;
  }
}

void Connection::drain() {
  keeps_alive_ = false;
  if (state_ == State::idle) close();
}

void Connection::abort() { close(); }

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  due_ = UINT64_MAX;
  if (exchange_ != nullptr) exchange_->cancelled.request_stop();
  finish_exchange(kClientGone, 0);
  share_.set(0);  // the loop deletes this when the budget may be gone
  listener_.removed(*this);
  uv_close(&handle_.handle, [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
}

}  // namespace wasirun::serve

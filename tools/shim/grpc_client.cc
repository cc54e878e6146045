#include "tools/shim/grpc_client.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/printable.h"
#include "base/result.h"
#include "os/retry.h"
#include "os/unique_fd.h"
#include "tools/shim/host_file.h"

namespace wasirun::shim {

namespace {

using Clock = std::chrono::steady_clock;
using wasi::os::UniqueFd;

// What comes before each message: whether it is compressed, and its size.
constexpr std::size_t kPrefixSize = 5;
constexpr std::int32_t kWindow = 1 << 20;
// Of a header's value that is kept.
constexpr std::size_t kLongestValue = 4096;

// Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
constexpr std::array<std::string_view, 17> kStatusNames{
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

std::string status_name(std::string_view code) {
  std::size_t number = kStatusNames.size();
  std::from_chars(code.data(), code.data() + code.size(), number);
  if (number < kStatusNames.size()) return std::string(kStatusNames[number]);
  return "grpc-status " + wasi::printable(code);
}

// grpc-message has bytes as %XX.
std::string decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

std::string with_prefix(std::string_view message) {
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) framed.push_back(static_cast<char>(message.size() >> shift));
  return framed.append(message);
}

nghttp2_nv header(std::string_view name, std::string_view value) {
  // They are copied, and only read.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

// One call, from its request to the end of its stream.
struct Call {
  const GrpcClient::Take& take;
  const GrpcLimits& limits;
  std::string request = {};  // as it is sent
  std::size_t sent = 0;
  std::int32_t stream = 0;
  std::string unread = {};  // of the message that is coming
  std::string http_status = {};
  std::string grpc_status = {};
  std::string grpc_message = {};
  std::optional<wasi::Error> failure = std::nullopt;  // ours, not the server's
  bool is_closed = false;
  std::uint32_t reset_code = 0;
  Clock::time_point answer_due = {};

  wasi::Result<void> receive(std::string_view bytes) {
    unread += bytes;
    while (unread.size() >= kPrefixSize) {
      std::size_t size = 0;
      for (std::size_t i = 1; i < kPrefixSize; ++i) size = size << 8 | static_cast<std::uint8_t>(unread[i]);
      if (unread[0] != 0) return wasi::fail(wasi::ErrorKind::io, "a compressed message, which was not asked for");
      if (size > limits.message_size) {
        return wasi::fail(wasi::ErrorKind::limit, "a message of {} bytes; at most {} are taken", size,
                          limits.message_size);
      }
      if (unread.size() < kPrefixSize + size) return {};
      WASI_TRY(take(std::string_view(unread).substr(kPrefixSize, size)));
      unread.erase(0, kPrefixSize + size);
      answer_due = Clock::now() + limits.answer;
    }
    return {};
  }

  [[nodiscard]] wasi::Result<void> outcome() const {
    if (failure) return std::unexpected(*failure);
    if (!http_status.empty() && http_status != "200") {
      return wasi::fail(wasi::ErrorKind::io, "HTTP status {}", wasi::printable(http_status));
    }
    if (grpc_status.empty()) {
      return wasi::fail(wasi::ErrorKind::io, "the answer ended without a status ({})",
                        ::nghttp2_http2_strerror(reset_code));
    }
    if (grpc_status != "0") {
      return wasi::fail(wasi::ErrorKind::io, "{} ({})", wasi::printable(decode_percent(grpc_message)),
                        status_name(grpc_status));
    }
    if (!unread.empty()) return wasi::fail(wasi::ErrorKind::io, "the answer ended within a message");
    return {};
  }
};

}  // namespace

class GrpcClient::Connection {
 public:
  Connection(UniqueFd socket, Metadata metadata, GrpcLimits limits)
      : socket_(std::move(socket)), metadata_(std::move(metadata)), limits_(limits) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::nghttp2_session_del(session_); }

  wasi::Result<void> begin() {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (::nghttp2_session_callbacks_new(&callbacks) != 0) return out_of_memory();
    ::nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    ::nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    ::nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    const int made = ::nghttp2_session_client_new(&session_, callbacks, this);
    ::nghttp2_session_callbacks_del(callbacks);
    if (made != 0) return out_of_memory();
    constexpr nghttp2_settings_entry kSettings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                                    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow}};
    if (::nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, kSettings, std::size(kSettings)) != 0 ||
        ::nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindow) != 0) {
      return out_of_memory();
    }
    return {};
  }

  wasi::Result<void> call(const std::string& method, std::string_view request, const Take& take) {
    Call call{.take = take, .limits = limits_, .request = with_prefix(request)};
    call_ = &call;
    const auto done = perform(method, call);
    call_ = nullptr;
    if (done) return call.outcome();
    // What comes for it later must not be taken for another's.
    is_broken_ = true;
    return call.failure ? std::unexpected(*call.failure) : done;
  }

 private:
  static std::unexpected<wasi::Error> out_of_memory() { return wasi::fail(wasi::ErrorKind::limit, "out of memory"); }

  wasi::Result<void> perform(const std::string& method, Call& call) {
    if (is_broken_) return wasi::fail(wasi::ErrorKind::io, "the connection has failed before");
    const std::string timeout = fmt::format("{}m", limits_.call.count());
    std::vector<nghttp2_nv> headers{header(":method", "POST"),      header(":scheme", "http"),
                                    header(":path", method),        header(":authority", "localhost"),
                                    header("te", "trailers"),       header("content-type", "application/grpc"),
                                    header("grpc-timeout", timeout)};
    for (const auto& [name, value] : metadata_) headers.push_back(header(name, value));
    nghttp2_data_provider body{.source = {.ptr = &call}, .read_callback = read_request};
    call.stream = ::nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(), &body, nullptr);
    if (call.stream < 0) return wasi::fail(wasi::ErrorKind::io, "{}", ::nghttp2_strerror(call.stream));
    const Clock::time_point call_due = Clock::now() + limits_.call;
    call.answer_due = Clock::now() + limits_.answer;
    while (!call.is_closed) {
      const Clock::time_point due = std::min(call.answer_due, call_due);
      WASI_TRY(send_pending(due));
      if (call.is_closed) break;
      // libnghttp2 has given up on it.
      if (::nghttp2_session_want_read(session_) == 0) {
        return wasi::fail(wasi::ErrorKind::io, "the server does not keep to HTTP/2");
      }
      WASI_TRY(receive_some(due));
    }
    return {};
  }

  wasi::Result<void> wait_until(short events, Clock::time_point due) {
    while (true) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count();
      pollfd waiting{.fd = socket_.get(), .events = events, .revents = 0};
      const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left));
      if (ready > 0) return {};
      if (ready == 0) return wasi::fail(wasi::ErrorKind::io, "no answer in time");
      if (errno != EINTR) return host_failure("poll");
    }
  }

  wasi::Result<void> send_pending(Clock::time_point due) {
    while (true) {
      const std::uint8_t* data = nullptr;
      const ssize_t size = ::nghttp2_session_mem_send(session_, &data);
      if (size < 0) return wasi::fail(wasi::ErrorKind::io, "{}", ::nghttp2_strerror(static_cast<int>(size)));
      if (size == 0) return {};
      for (auto left = static_cast<std::size_t>(size); left > 0;) {
        const auto count =
            wasi::os::retry([&] { return ::send(socket_.get(), data, left, MSG_NOSIGNAL | MSG_DONTWAIT); });
        if (count >= 0) {
          data += count;
          left -= static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
          WASI_TRY(wait_until(POLLOUT, due));
        } else {
          return host_failure("send");
        }
      }
    }
  }

  wasi::Result<void> receive_some(Clock::time_point due) {
    WASI_TRY(wait_until(POLLIN, due));
    std::uint8_t piece[65536];
    const auto count = wasi::os::retry([&] { return ::recv(socket_.get(), piece, sizeof(piece), MSG_DONTWAIT); });
    if (count < 0 && errno == EAGAIN) return {};
    if (count < 0) return host_failure("receive");
    if (count == 0) return wasi::fail(wasi::ErrorKind::io, "the connection was closed before the answer's end");
    const ssize_t used = ::nghttp2_session_mem_recv(session_, piece, static_cast<std::size_t>(count));
    if (used < 0) return wasi::fail(wasi::ErrorKind::io, "HTTP/2: {}", ::nghttp2_strerror(static_cast<int>(used)));
    return {};
  }

  // What is said of a stream is said to its call; there is none but the present one.
  static Call* call_of(void* connection, std::int32_t stream) {
    Call* const call = static_cast<Connection*>(connection)->call_;
    return call != nullptr && call->stream == stream ? call : nullptr;
  }

  static ssize_t read_request(nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t size,
                              std::uint32_t* flags, nghttp2_data_source* source, void*) {
    Call& call = *static_cast<Call*>(source->ptr);
    const std::size_t count = std::min(size, call.request.size() - call.sent);
    std::memcpy(buffer, call.request.data() + call.sent, count);
    call.sent += count;
    if (call.sent == call.request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                       const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* connection) {
    Call* const call = call_of(connection, frame->hd.stream_id);
    if (call == nullptr) return 0;
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    std::string text(reinterpret_cast<const char*>(value), std::min(value_size, kLongestValue));
    if (key == ":status") call->http_status = std::move(text);
    if (key == "grpc-status") call->grpc_status = std::move(text);
    if (key == "grpc-message") call->grpc_message = std::move(text);
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data, std::size_t size,
                     void* connection) {
    Call* const call = call_of(connection, stream);
    // An error page of HTTP is no message.
    if (call == nullptr || call->http_status != "200") return 0;
    if (auto taken = call->receive({reinterpret_cast<const char*>(data), size}); !taken) {
      call->failure = std::move(taken.error());
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
  }

  static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t code, void* connection) {
    Call* const call = call_of(connection, stream);
    if (call == nullptr) return 0;
    call->is_closed = true;
    call->reset_code = code;
    return 0;
  }

  UniqueFd socket_;
  const Metadata metadata_;
  const GrpcLimits limits_;
  nghttp2_session* session_ = nullptr;
  Call* call_ = nullptr;
  bool is_broken_ = false;
};

GrpcClient::GrpcClient(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
GrpcClient::GrpcClient(GrpcClient&&) noexcept = default;
GrpcClient& GrpcClient::operator=(GrpcClient&&) noexcept = default;
GrpcClient::~GrpcClient() = default;

wasi::Result<GrpcClient> GrpcClient::connect(const std::string& address, Metadata metadata, GrpcLimits limits) {
  constexpr std::string_view kScheme = "unix://";
  const std::string path = address.starts_with(kScheme) ? address.substr(kScheme.size()) : address;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(name.sun_path)) {
    return wasi::fail(wasi::ErrorKind::argument, "\"{}\": not the path of a socket", wasi::printable(path));
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  // A server that accepts no connections is not waited for: its queue is full, and connecting fails at once.
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return host_failure("socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0) {
    return host_failure("connect to", path);
  }
  auto connection = std::make_unique<Connection>(std::move(socket), std::move(metadata), limits);
  WASI_TRY(connection->begin());
  return GrpcClient(std::move(connection));
}

wasi::Result<void> GrpcClient::call(const std::string& method, std::string_view request, const Take& take) {
  auto done = connection_->call(method, request, take);
  if (!done) return wasi::fail(done.error().kind, "{}: {}", method, done.error().message);
  return done;
}

}  // namespace wasirun::shim

#include "tools/shim/rpc_server.h"

#include <array>
#include <utility>

#include "base/printable.h"
#include "tools/shim/frames.h"

namespace wasirun::shim {

namespace {

// What may wait to be read by one client.
constexpr std::size_t kUnreadLimit = std::size_t{16} << 20;
constexpr int kBacklog = 128;

template <class Handle>
void close_and_free(Handle* handle) {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

struct Write {
  uv_write_t request{};
  std::string bytes;
};

}  // namespace

RpcError to_rpc_error(const wasi::Error& error) {
  switch (error.kind) {
    case wasi::ErrorKind::argument:
      return {RpcCode::invalid_argument, error.message};
    case wasi::ErrorKind::unsupported:
      return {RpcCode::unimplemented, error.message};
    case wasi::ErrorKind::limit:
      return {RpcCode::resource_exhausted, error.message};
    default:
      return {RpcCode::unknown, error.to_string()};
  }
}

class RpcConnection : public std::enable_shared_from_this<RpcConnection> {
 public:
  explicit RpcConnection(RpcServer& server) : server_(server), pipe_(new uv_pipe_t) {
    uv_pipe_init(server.loop_, pipe_, 0);
    pipe_->data = this;
  }
  RpcConnection(const RpcConnection&) = delete;
  RpcConnection& operator=(const RpcConnection&) = delete;
  ~RpcConnection() { close_and_free(pipe_); }

  [[nodiscard]] uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(pipe_); }

  void start() {
    uv_read_start(
        stream(),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
          auto& self = *static_cast<RpcConnection*>(handle->data);
          *buffer = uv_buf_init(self.piece_.data(), self.piece_.size());
        },
        [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
          auto& self = *static_cast<RpcConnection*>(stream->data);
          if (count < 0) return self.disconnect();
          self.receive({buffer->base, static_cast<std::size_t>(count)});
        });
  }

  void send(std::uint32_t stream_id, const rpc::Response& response) {
    auto* const write = new Write;
    write->bytes = encode_frame(stream_id, FrameType::response, response.SerializeAsString());
    write->request.data = write;
    const uv_buf_t buffer = uv_buf_init(write->bytes.data(), write->bytes.size());
    const auto done = [](uv_write_t* request, int) { delete static_cast<Write*>(request->data); };
    if (uv_write(&write->request, stream(), &buffer, 1, done) != 0) {
      delete write;
      return disconnect();
    }
    if (uv_stream_get_write_queue_size(stream()) > kUnreadLimit) disconnect();
  }

 private:
  void receive(std::string_view bytes) {
    // What the handler does may end the connection.
    const auto keeper = shared_from_this();
    reader_.feed(bytes);
    while (const auto frame = reader_.next()) {
      const Answer answer(weak_from_this(), frame->stream);
      if (frame->type != static_cast<std::uint8_t>(FrameType::request)) continue;
      if (frame->is_too_large) {
        answer.fail({RpcCode::resource_exhausted, "the message is larger than 4 MiB"});
        continue;
      }
      rpc::Request request;
      if (!request.ParseFromString(frame->message)) {
        answer.fail({RpcCode::invalid_argument, "the message is no ttrpc request"});
        continue;
      }
      server_.handler_(request, answer);
      if (is_closed_) return;
    }
  }

  void disconnect() {
    if (std::exchange(is_closed_, true)) return;
    uv_read_stop(stream());
    server_.connections_.erase(shared_from_this());
  }

  RpcServer& server_;
  uv_pipe_t* pipe_;
  FrameReader reader_;
  bool is_closed_ = false;
  std::array<char, 16384> piece_{};
};

void Answer::send(const google::protobuf::MessageLite& message) const {
  rpc::Response response;
  response.mutable_status();
  message.SerializeToString(response.mutable_payload());
  if (response.ByteSizeLong() > kLargestMessage) {
    return fail({RpcCode::resource_exhausted, "the answer is larger than 4 MiB"});
  }
  send_response(response);
}

void Answer::fail(const RpcError& error) const {
  rpc::Response response;
  response.mutable_status()->set_code(static_cast<std::int32_t>(error.code));
  // Strings of protobuf are UTF-8, and names of files need not be.
  response.mutable_status()->set_message(wasi::printable(error.message, "\n\t"));
  send_response(response);
}

void Answer::send_response(const rpc::Response& response) const {
  if (const auto connection = connection_.lock()) connection->send(stream_, response);
}

RpcServer::RpcServer(uv_loop_t* loop, wasi::os::UniqueFd listener, Handler handler)
    : loop_(loop), listener_(new uv_pipe_t), handler_(std::move(handler)) {
  uv_pipe_init(loop_, listener_, 0);
  listener_->data = this;
  uv_pipe_open(listener_, listener.release());
  uv_listen(reinterpret_cast<uv_stream_t*>(listener_), kBacklog, [](uv_stream_t* stream, int status) {
    if (status == 0) static_cast<RpcServer*>(stream->data)->accept();
  });
}

RpcServer::~RpcServer() {
  connections_.clear();
  close_and_free(listener_);
}

void RpcServer::accept() {
  auto connection = std::make_shared<RpcConnection>(*this);
  if (uv_accept(reinterpret_cast<uv_stream_t*>(listener_), connection->stream()) != 0) return;
  connections_.insert(connection);
  connection->start();
}

}  // namespace wasirun::shim

// A ttrpc server on libuv: connections, calls, and answers in any order.
//
// Everything happens on the loop's thread and nothing waits. A client that does not read its answers, or asks without
// end, is disconnected; what it asked for is answered into the void.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "os/unique_fd.h"
#include "rpc.pb.h"
#include "wasi/error.h"

namespace wasirun::shim {

// The codes of google.rpc.Status that are used.
enum class RpcCode : std::int32_t {
  ok = 0,
  unknown = 2,
  invalid_argument = 3,
  not_found = 5,
  already_exists = 6,
  resource_exhausted = 8,
  failed_precondition = 9,
  unimplemented = 12,
};

struct RpcError {
  RpcCode code = RpcCode::unknown;
  std::string message;
};

// Of an error of the library, or of the host.
RpcError to_rpc_error(const wasi::Error& error);

class RpcConnection;

// The right to answer one call, once; copies share it. May be kept for as long as one likes.
class Answer {
 public:
  Answer(std::weak_ptr<RpcConnection> connection, std::uint32_t stream)
      : connection_(std::move(connection)), stream_(stream) {}
  void send(const google::protobuf::MessageLite& message) const;
  void fail(const RpcError& error) const;
  // Whether nobody waits for it any more.
  [[nodiscard]] bool is_void() const { return connection_.expired(); }

 private:
  void send_response(const rpc::Response& response) const;
  std::weak_ptr<RpcConnection> connection_;
  std::uint32_t stream_;
};

class RpcServer {
 public:
  using Handler = std::function<void(const rpc::Request&, Answer)>;

  // Takes connections from `listener`, which listens already.
  RpcServer(uv_loop_t* loop, wasi::os::UniqueFd listener, Handler handler);
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;
  // The loop has to run once more for the handles to be closed.
  ~RpcServer();

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  friend class RpcConnection;
  void accept();

  uv_loop_t* loop_;
  uv_pipe_t* listener_;  // frees itself when it is closed
  Handler handler_;
  std::unordered_set<std::shared_ptr<RpcConnection>> connections_;
};

}  // namespace wasirun::shim

// Calls of a gRPC server behind a Unix socket, one after the other: as much of it as asking containerd takes. HTTP/2 is
// libnghttp2's. Blocks, but never for longer than its limits say, whatever the server does: for processes that have
// nothing else to do meanwhile.
// Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#pragma once

#include <wasi/error.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wasirun::shim {

struct GrpcLimits {
  std::chrono::milliseconds answer{2000};            // until the next message, or the end, is there
  std::chrono::milliseconds call{60'000};            // until all are
  std::size_t message_size = std::size_t{16} << 20;  // of one that comes
};

class GrpcClient {
 public:
  using Metadata = std::vector<std::pair<std::string, std::string>>;
  // Is handed each message that comes; its error ends the call.
  using Take = std::function<wasi::Result<void>(std::string_view message)>;

  // `address`: the socket's path, or unix://PATH. `metadata` goes with every call.
  static wasi::Result<GrpcClient> connect(const std::string& address, Metadata metadata, GrpcLimits limits = {});
  GrpcClient(GrpcClient&&) noexcept;
  GrpcClient& operator=(GrpcClient&&) noexcept;
  ~GrpcClient();

  // `method`: "/package.Service/Method". Errors begin with it, and say what the server did not like. After an error
  // that is not the server's answer nothing more can be called.
  wasi::Result<void> call(const std::string& method, std::string_view request, const Take& take);

 private:
  class Connection;
  explicit GrpcClient(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace wasirun::shim

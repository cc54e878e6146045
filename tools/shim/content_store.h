// containerd's images and its content, as far as a container's own image needs them: asked for by gRPC, checked.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tools/shim/grpc_client.h"

namespace wasirun::shim {

// Which bytes are meant; see OCI's descriptors.
struct ContentDescriptor {
  std::string media_type;
  std::string digest;  // "sha256:" and 64 hexadecimal digits
  std::uint64_t size = 0;
};

class ContentStore {
 public:
  // `address`: of containerd's gRPC socket.
  static wasi::Result<ContentStore> connect(const std::string& address, const std::string& containerd_namespace,
                                            GrpcLimits limits = {});

  // The name of the image that a container was made from.
  wasi::Result<std::string> image_of(const std::string& container);
  // What an image's name stands for: a manifest, or an index of several.
  wasi::Result<ContentDescriptor> find_image(const std::string& name);
  // A document, which is small.
  wasi::Result<std::string> read(const ContentDescriptor& content);
  // Written to a file's end. What does not have the size and the digest is an error, after it was written.
  wasi::Result<void> read(const ContentDescriptor& content, int file);

 private:
  explicit ContentStore(GrpcClient client) : client_(std::move(client)) {}
  using Write = std::function<wasi::Result<void>(std::string_view bytes)>;
  wasi::Result<void> read(const ContentDescriptor& content, std::uint64_t limit, const Write& write);
  template <class Answer, class Request>
  wasi::Result<Answer> ask(const std::string& method, const Request& request);

  GrpcClient client_;
};

}  // namespace wasirun::shim

#include "tools/shim/content_store.h"

#include <unistd.h>

#include <utility>

#include "base/printable.h"
#include "base/result.h"
#include "containerd.pb.h"
#include "os/retry.h"
#include "tools/shim/host_file.h"
#include "tools/shim/sha256.h"

namespace wasirun::shim {

namespace {

constexpr std::string_view kSha256 = "sha256:";
constexpr std::uint64_t kLargestDocument = std::uint64_t{4} << 20;
constexpr std::uint64_t kLargestLayer = std::uint64_t{1} << 30;

wasi::Result<void> write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = wasi::os::retry([&] { return ::write(file, bytes.data(), bytes.size()); });
    if (count < 0) return host_failure("write");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

wasi::Result<ContentStore> ContentStore::connect(const std::string& address, const std::string& containerd_namespace,
                                                 GrpcLimits limits) {
  return ContentStore(WASI_TRY(GrpcClient::connect(address, {{"containerd-namespace", containerd_namespace}}, limits)));
}

template <class Answer, class Request>
wasi::Result<Answer> ContentStore::ask(const std::string& method, const Request& request) {
  Answer answer;
  int answers = 0;
  WASI_TRY(client_.call(method, request.SerializeAsString(), [&](std::string_view message) -> wasi::Result<void> {
    if (++answers > 1 || !answer.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      return wasi::fail(wasi::ErrorKind::io, "not the one message that was expected");
    }
    return {};
  }));
  if (answers == 0) return wasi::fail(wasi::ErrorKind::io, "{}: an answer without a message", method);
  return answer;
}

wasi::Result<std::string> ContentStore::image_of(const std::string& container) {
  containerd::GetContainerRequest request;
  request.set_id(container);
  const auto answer =
      WASI_TRY(ask<containerd::GetContainerResponse>("/containerd.services.containers.v1.Containers/Get", request));
  if (answer.container().image().empty()) {
    return wasi::fail(wasi::ErrorKind::argument, "the container was not made from an image");
  }
  return answer.container().image();
}

wasi::Result<ContentDescriptor> ContentStore::find_image(const std::string& name) {
  containerd::GetImageRequest request;
  request.set_name(name);
  const auto answer = WASI_TRY(ask<containerd::GetImageResponse>("/containerd.services.images.v1.Images/Get", request));
  const containerd::Descriptor& target = answer.image().target();
  return ContentDescriptor{target.media_type(), target.digest(), static_cast<std::uint64_t>(target.size())};
}

wasi::Result<std::string> ContentStore::read(const ContentDescriptor& content) {
  std::string document;
  WASI_TRY(read(content, kLargestDocument, [&](std::string_view bytes) -> wasi::Result<void> {
    document += bytes;
    return {};
  }));
  return document;
}

wasi::Result<void> ContentStore::read(const ContentDescriptor& content, int file) {
  return read(content, kLargestLayer, [&](std::string_view bytes) { return write_all(file, bytes); });
}

wasi::Result<void> ContentStore::read(const ContentDescriptor& content, std::uint64_t limit, const Write& write) {
  const std::string name = wasi::printable(content.digest);
  if (!content.digest.starts_with(kSha256)) {
    return wasi::fail(wasi::ErrorKind::unsupported, "\"{}\": expected a digest by SHA-256", name);
  }
  if (content.size > limit) {
    return wasi::fail(wasi::ErrorKind::limit, "{}: {} bytes; at most {} are taken", name, content.size, limit);
  }
  containerd::ReadContentRequest request;
  request.set_digest(content.digest);
  Sha256 sum;
  std::uint64_t size = 0;
  const auto take = [&](std::string_view message) -> wasi::Result<void> {
    containerd::ReadContentResponse piece;
    if (!piece.ParseFromArray(message.data(), static_cast<int>(message.size())) ||
        static_cast<std::uint64_t>(piece.offset()) != size) {
      return wasi::fail(wasi::ErrorKind::io, "{}: not the piece that was expected", name);
    }
    size += piece.data().size();
    if (size > content.size) {
      return wasi::fail(wasi::ErrorKind::io, "{}: longer than the {} bytes that it should have", name, content.size);
    }
    sum.add(piece.data());
    return write(piece.data());
  };
  WASI_TRY(client_.call("/containerd.services.content.v1.Content/Read", request.SerializeAsString(), take));
  if (size != content.size) {
    return wasi::fail(wasi::ErrorKind::io, "{}: {} bytes instead of {}", name, size, content.size);
  }
  if (const std::string found = sum.hex(); content.digest.substr(kSha256.size()) != found) {
    return wasi::fail(wasi::ErrorKind::io, "{}: damaged, its digest is sha256:{}", name, found);
  }
  return {};
}

}  // namespace wasirun::shim

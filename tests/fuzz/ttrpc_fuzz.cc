// libFuzzer target: any bytes as what a client of the shim sends: frames, requests, and each method's message.
#include <google/protobuf/stubs/logging.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rpc.pb.h"
#include "task.pb.h"
#include "tools/shim/frames.h"

namespace {

template <class... Messages>
void parse_as(const std::string& payload) {
  (static_cast<void>(Messages().ParseFromString(payload)), ...);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  google::protobuf::SetLogHandler(nullptr);  // it would say what is wrong of each
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wasirun::shim;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FrameReader reader;
  // In two pieces, of which the first byte says where the one ends.
  const std::size_t first = size == 0 ? 0 : data[0] % size;
  for (const std::string_view piece : {bytes.substr(0, first), bytes.substr(first)}) {
    reader.feed(piece);
    while (const auto frame = reader.next()) {
      rpc::Request request;
      if (!request.ParseFromString(frame->message)) continue;
      parse_as<task::CreateRequest, task::ProcessRequest, task::KillRequest, task::ContainerRequest,
               task::UpdateRequest, task::CloseIORequest, task::ShutdownRequest, task::RuntimeOptions,
               task::RuncOptions>(request.payload());
    }
  }
  return 0;
}

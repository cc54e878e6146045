// The module of an image whose layers are modules, not archives of files: such an image's root is empty, and what it
// holds has to be asked for.
// Source: https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
#pragma once

#include <wasi/error.h>

#include <string>

#include "os/unique_fd.h"

namespace wasirun::shim {

// Where to ask for a container's image.
struct ImageSource {
  std::string address;  // of containerd's gRPC socket
  std::string containerd_namespace;
  std::string container;
};

struct ImageModule {
  wasi::os::UniqueFd file;  // in memory, at its beginning
  std::string name;         // for messages
};

// Of several layers, the one whose title is the last part of `path`. Blocks, within limits (grpc_client.h).
wasi::Result<ImageModule> read_image_module(const ImageSource& source, const std::string& path);

}  // namespace wasirun::shim

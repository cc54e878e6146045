// The command line that containerd starts shims with: flags as Go reads them (-x, --x, -x=value), then the action.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <span>
#include <string>

namespace wasirun::shim {

enum class Action : std::uint8_t { serve, start, remove, version, info };

struct Arguments {
  Action action = Action::serve;
  std::string containerd_namespace;
  std::string address;  // of containerd's gRPC socket
  std::string id;       // of the container
  std::string bundle;   // the container's directory; of `delete` only
  bool debug = false;
};

// `words`: behind the program's name. Flags that later versions of containerd may add are passed over.
wasi::Result<Arguments> parse_arguments(std::span<const char* const> words);

}  // namespace wasirun::shim

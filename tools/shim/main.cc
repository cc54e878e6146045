// containerd-shim-wasirun-v1: runs WebAssembly modules as containerd's containers.
// Source: https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md
#include <unistd.h>
#include <wasi/engine.h>

#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "task.pb.h"
#include "tools/shim/arguments.h"
#include "tools/shim/linked_curl.h"
#include "tools/shim/start.h"

namespace {

using wasirun::shim::Action;

std::string version_text() { return std::string("containerd-shim-wasirun-v1:\n  Version:  ") + wasi::version() + "\n"; }

std::string info_message() {
  wasirun::shim::task::RuntimeInfo info;
  info.set_name("io.containerd.wasirun.v1");
  info.mutable_version()->set_version(wasi::version());
  return info.SerializeAsString();
}

wasi::Result<std::string> perform(const wasirun::shim::Arguments& arguments) {
  switch (arguments.action) {
    case Action::version:
      return version_text();
    case Action::info:
      return info_message();
    case Action::start:
      wasirun::shim::use_linked_curl();
      return wasirun::shim::start(arguments);
    case Action::remove:
      return wasirun::shim::remove(arguments);
    case Action::serve:
      break;
  }
  return wasi::fail(wasi::ErrorKind::argument,
                    "this program is run by containerd, as the runtime io.containerd.wasirun.v1: expected start, "
                    "delete, -v or -info");
}

int write_output(std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0) return 1;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
  const auto arguments = wasirun::shim::parse_arguments(words.subspan(words.empty() ? 0 : 1));
  const auto output = arguments ? perform(*arguments) : std::unexpected(arguments.error());
  if (output) return write_output(*output);
  std::fprintf(stderr, "containerd-shim-wasirun-v1: %s\n", output.error().message.c_str());
  return 1;
}

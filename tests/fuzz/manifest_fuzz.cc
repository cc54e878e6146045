// libFuzzer target: any bytes as spin.toml, as slightfile.toml and as the shim's options.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/serve/slight_manifest.h"
#include "tools/serve/spin_manifest.h"
#include "tools/shim/options.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // What is refused has a reason.
  const auto check = [](const auto& read) {
    if (!read && read.error().message.empty()) std::abort();
  };
  check(wasirun::serve::parse_spin_manifest(text, "spin.toml"));
  check(wasirun::serve::parse_slightfile(text, "slightfile.toml"));
  check(wasirun::shim::parse_options(text, "shim.toml", {}));
  return 0;
}

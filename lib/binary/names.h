// The name section, read when somebody asks for a name. Malformed parts are ignored: names
// never reject a module.
// Source: https://webassembly.github.io/spec/core/appendix/custom.html#name-section
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "wasm/module.h"

namespace wasi::binary {

struct Names {
  std::string_view module;
  // Function names by FuncIndex, sorted: (index, name).
  std::vector<std::pair<std::uint32_t, std::string_view>> functions;

  [[nodiscard]] std::optional<std::string_view> function(wasm::FuncIndex index) const;
};

Names decode_names(const wasm::Module& module);

}  // namespace wasi::binary

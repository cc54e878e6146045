// The text format (WAT) and the binary format, translated into each other.
// Source: https://webassembly.github.io/spec/core/text/index.html
#pragma once

#include <wasi/detail/export.h>
#include <wasi/error.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wasi {

// A text as a binary module, names included. Nothing is validated but what the text format itself asks for. Errors:
// `malformed` with the place in the text, `limit` beyond 4 GiB.
WASI_API Result<std::vector<std::uint8_t>> wat_to_wasm(std::string_view text);

struct WatOptions {
  bool folded = false;  // all expressions in the folded form, blocks included, not only those that fit into a line
};
// A binary module as text, which gives the same module again. It need not be valid. Errors: `malformed` with the
// offset, `unsupported` for a component.
WASI_API Result<std::string> wasm_to_wat(std::span<const std::uint8_t> bytes, const WatOptions& options = {});

}  // namespace wasi

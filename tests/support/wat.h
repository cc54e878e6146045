// Tests show the WAT that they are about: wabt's wat2wasm makes the binary.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace wasi::test {

// The binary of a module in the text format, with all of wabt's proposals on; `flags` are handed to
// wat2wasm, e.g. "--debug-names" or "--no-check". Fails the test with wabt's message when it refuses.
std::vector<std::uint8_t> wat(std::string_view text, std::string_view flags = "");

}  // namespace wasi::test

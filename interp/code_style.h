// How densely the interpreter's code is made.
#pragma once

#include <cstdint>

namespace wasi::interp {

// How much becomes one instruction; each step is the oracle of the next one in the differential tests.
enum class CodeStyle : std::uint8_t {
  plain,   // each Wasm instruction by itself, with all operands and results in slots
  folded,  // operands where they are, results where they go, comparisons in branches
  fused,   // and then the pairs of fused.def
};

}  // namespace wasi::interp

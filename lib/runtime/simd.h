// Vectors of 128 bits.
#pragma once

#include <cstdint>

namespace wasi::runtime::simd {

// A vector of any shape.
using V128 [[gnu::vector_size(16)]] = std::uint8_t;

}  // namespace wasi::runtime::simd

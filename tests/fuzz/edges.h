// Numbers at which something changes: what programs compute with, and are called with.
#pragma once

#include <array>
#include <cstdint>

#include "fuzz/entropy.h"

namespace wasi::test::fuzz {

std::uint32_t edge_i32(Entropy& entropy);
std::uint64_t edge_i64(Entropy& entropy);
// As bits. Where `is_number` is asked for it is no NaN.
std::uint32_t edge_f32(Entropy& entropy, bool is_number = false);
std::uint64_t edge_f64(Entropy& entropy, bool is_number = false);
// Two halves, the low one first: lanes of any width and kind.
std::array<std::uint64_t, 2> edge_v128(Entropy& entropy);

}  // namespace wasi::test::fuzz

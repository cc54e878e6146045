// The interpreter's code as text, for tests and for people.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace wasi::interp {

// A line per instruction: "12: i32_add_sk s2 s0 7". Slots are s0, s1, ...; branch targets positions in the
// code, "->40". A fused instruction is shown as its parts, all but the first marked with "+".
std::string print_code(std::span<const std::uint8_t> code);

}  // namespace wasi::interp

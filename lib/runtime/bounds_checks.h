// How memory accesses are kept inside of a memory: guard pages, or a comparison at each access.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wasi::runtime {

enum class BoundsChecks : std::uint8_t { guard_pages, explicit_checks };
inline constexpr std::size_t kBoundsCheckModes = 2;

}  // namespace wasi::runtime

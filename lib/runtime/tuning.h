// Thresholds and sizes. None of them changes a result.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wasi::runtime {

inline constexpr std::uint64_t kDefaultStackBytes = 8U << 20;       // Wasm stack of a store; touched as used
inline constexpr std::size_t kNativeStackReserve = 128U << 10;      // kept free below native_limit for host code
inline constexpr std::uint64_t kGuardedReservation = (4ULL << 30);  // a 32-bit index reaches this far
inline constexpr std::uint64_t kGuardBytes = 4ULL << 30;            // and a 32-bit constant offset this much further
inline constexpr std::size_t kMaxBacktraceFrames = 128;

}  // namespace wasi::runtime

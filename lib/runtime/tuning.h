// Thresholds and sizes. None of them changes a result.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wasi::runtime {

inline constexpr std::uint64_t kDefaultStackBytes = 8U << 20;       // Wasm stack of a store; touched as used
inline constexpr std::size_t kLeastNativeStack = 64U << 10;         // smaller native stacks run no guests
inline constexpr std::size_t kLeastNativeReserve = 32U << 10;       // kept free below native_limit for host code,
inline constexpr std::size_t kNativeStackReserve = 128U << 10;      // which gets more where there is more
inline constexpr std::size_t kForeignStackBytes = 24U << 10;        // used of a native stack of unknown size
inline constexpr std::size_t kSpanSlots = 2048;                     // for machine code's values without a register
inline constexpr std::size_t kStackGuardBytes = 64U << 10;          // behind the Wasm stack
inline constexpr std::uint64_t kReserveMaximumBelow = 16U << 20;    // checked memories up to this maximum never move
inline constexpr std::size_t kHashedExports = 8;                    // modules with more exports get a hash table
inline constexpr std::uint64_t kGuardedReservation = (4ULL << 30);  // a 32-bit index reaches this far
inline constexpr std::uint64_t kGuardBytes = 4ULL << 30;            // and a 32-bit constant offset this much further
inline constexpr std::uint64_t kMostGuardedMemories = 8192;         // half of the address space; more get checks
inline constexpr std::uint64_t kMostPooledMemoryBytes = 64U << 20;  // larger guarded memories are not used again
inline constexpr std::size_t kKeptMemoryBytes = 256U << 10;         // of a memory that is used again, kept resident
inline constexpr std::size_t kLeastMappedImage = 512U << 10;        // a smaller part of a memory's image is copied
inline constexpr std::size_t kKeptStackBytes = 16U << 10;           // the same at both ends of a Wasm stack
inline constexpr std::uint64_t kMostMemoryBytes = 1ULL << 47;       // the host's address space
inline constexpr std::uint64_t kGcMinimumBudget = 16U << 20;        // allocated between two collections, at least
inline constexpr std::uint64_t kGcReserveDivisor = 64;  // of a full heap, the part that must be free to go on
inline constexpr std::size_t kMaxBacktraceFrames = 128;
inline constexpr std::uint64_t kUncountedObjectBytes = 1U << 20;  // of instances: a tight limit is meant for memories
inline constexpr std::uint64_t kUncountedCodeBytes = 4U << 20;    // of prepared functions: the same

}  // namespace wasi::runtime

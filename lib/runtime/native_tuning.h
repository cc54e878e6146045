// Thresholds and sizes of native code. None of them changes a result. Apart from those of tuning.h, on which all of the
// runtime depends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace wasi::runtime {

inline constexpr std::size_t kReservedCodeBytes = 512U << 20;  // address space of an engine's code, if it is to be had
inline constexpr std::size_t kLeastReservedCodeBytes = 16U << 20;  // less address space is not worth it
inline constexpr std::size_t kMostReservedCodeBytes = 1U << 30;    // any two places are within reach of a rel32
inline constexpr std::size_t kCodeChunkBytes = 64U << 10;          // code memory comes and goes in such
inline constexpr std::size_t kKeptCodeBytes = 256U << 10;          // that are empty but not given back, at most

// Tiering (tier_policy.h)
inline constexpr std::uint32_t kPollPeriod = 4096;  // calls and branches back that are made before interrupts are seen
inline constexpr std::uint32_t kSamplingPeriod = 4096;  // and from one sample of the tier policy to the next
inline constexpr std::uint32_t kEntryCost = 8;  // what of these an entry of interpreted code from outside counts for
inline constexpr std::uint32_t kCodeBytesPerUnit = 64;  // interpreted code outside of loops that takes as long as one
inline constexpr std::uint32_t kWarmUpSamples = 64;     // of all functions, before anything is compiled
inline constexpr std::uint32_t kHotSamples = 16;        // or of one function, which is compiled then
inline constexpr std::uint32_t kRecallSamples = 8;      // of all, before code of an earlier run is looked for
inline constexpr std::uint64_t kPreparedBytes = 64U << 10;  // of bodies, after which code of an earlier run is looked
                                                            // for, and what ran is compiled to be kept
inline constexpr std::chrono::milliseconds kLongestKeeping{50};  // of the rest, when the module goes
inline constexpr std::size_t kKeepingBytes = 16U << 10;  // of bodies that are then, before others have their turn
inline constexpr std::uint32_t kBytesPerSample = 512;    // of a body, whose compilation takes what a sample stands for
inline constexpr std::size_t kImmediateBytes = 2048;     // larger bodies are compiled in the background
inline constexpr unsigned kCompileThreads = 2;           // at most, and fewer than the machine has cores
inline constexpr int kCompileNiceness = 5;               // of these threads

// Optimising (optimise_policy.h)
inline constexpr unsigned kSamplingMicroseconds = 1000;  // from one sample of machine code to the next, of each store
inline constexpr std::uint32_t kOptimiseWarmUp = 32;  // samples of all, before anything is: the compiler itself takes
                                                      // as long to be there
inline constexpr std::size_t kLeastOptimiseSamples = 2;   // of a function that is optimised
inline constexpr std::uint32_t kBytesPerTimeSample = 64;  // of a body, whose compilation is worth a sample's time
inline constexpr std::size_t kMostOptimiseSamples = 512;  // of the largest body
inline constexpr std::uint32_t kMostOptimisedBytes = 128U << 10;  // of larger bodies, loops at most
inline constexpr int kOptimiseNiceness = 5;                       // of the threads that do it
inline constexpr std::size_t kStoresPerTick = 64;                 // that are made to give a sample at a time
inline constexpr unsigned kUselessSamples = 64;                   // one after the other, after which they become rarer
inline constexpr std::chrono::milliseconds kLongestSamplingPause{64};
inline constexpr std::size_t kLoopEntryStack = 8U << 10;  // native stack that must be free for a loop's frame to move

}  // namespace wasi::runtime

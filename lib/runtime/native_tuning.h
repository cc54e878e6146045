// Thresholds and sizes of native code. None of them changes a result. Apart from those of tuning.h, on which all of the
// runtime depends.
#pragma once

#include <cstddef>

namespace wasi::runtime {

inline constexpr std::size_t kReservedCodeBytes = 512U << 20;  // address space of an engine's code, if it is to be had
inline constexpr std::size_t kLeastReservedCodeBytes = 16U << 20;  // less address space is not worth it
inline constexpr std::size_t kMostReservedCodeBytes = 1U << 30;    // any two places are within reach of a rel32
inline constexpr std::size_t kCodeChunkBytes = 64U << 10;          // code memory comes and goes in such
inline constexpr std::size_t kKeptCodeBytes = 256U << 10;          // that are empty but not given back, at most

}  // namespace wasi::runtime

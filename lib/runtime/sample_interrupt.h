// One more bit of ExecState::interrupt (interruption.h), which stops nobody.
#pragma once

#include <cstdint>

#include "runtime/interruption.h"

namespace wasi::runtime {

// A profiler wants to know where the guest is (guest_sampler.h).
inline constexpr std::uint32_t kInterruptSample = 16;
// Those that stop somebody, or may.
inline constexpr std::uint32_t kInterruptStops =
    kInterruptDeadline | kInterruptRequest | kInterruptEnd | kInterruptOuter;
static_assert((kInterruptStops & kInterruptSample) == 0);

}  // namespace wasi::runtime

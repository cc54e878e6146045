// The table of runtime_calls.def: numbers, and what they stand for in this process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wasi::runtime {

// Some C++ function; machine code knows its parameters.
using RuntimeCall = void (*)();

enum class RuntimeCallId : std::uint32_t {
#define RUNTIME_CALL(name) name,
#include "runtime/runtime_calls.def"
};

inline constexpr std::size_t kRuntimeCallCount = 0
#define RUNTIME_CALL(name) +1
#include "runtime/runtime_calls.def"
    ;

extern const RuntimeCall kRuntimeCalls[kRuntimeCallCount];

}  // namespace wasi::runtime

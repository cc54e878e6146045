// Adapters between the two worlds: functions whose values are in slots, and functions under the native convention.
//
// An adapter serves all functions of a signature: whose turn it is comes with the call. It is position-independent.
#pragma once

#include <wasi/error.h>

#include <cstdint>
#include <vector>

#include "jit/common/native_abi.h"

namespace wasi::jit {

// A SlotEntry (runtime/code_entry.h) for functions with machine code: begins a span (runtime/native_span.h), puts the
// arguments where the convention wants them, calls FunctionCode::native_entry, and puts the results into slots.
Result<std::vector<std::uint8_t>> make_slot_entry(const NativeSignature& signature);

// A native entry for functions that have none: puts the arguments into slots, calls FunctionCode::entry, and takes the
// results from there. With ExecState::thrown set there are none.
Result<std::vector<std::uint8_t>> make_native_entry(const NativeSignature& signature);

}  // namespace wasi::jit

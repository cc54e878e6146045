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

// A LoopTarget::Entry (runtime/tier.h): begins a span behind the interpreter's frame, calls the loop's stub with
//     rdi the VmContext, rsi the frame's first slot, rdx the loop's head, r10 the FunctionCode
// and puts the results of the function into slots.
Result<std::vector<std::uint8_t>> make_loop_entry(const NativeSignature& signature);

// A CallEntry (runtime/code_entry.h): there is no span but this one, the host's slots lie anywhere, and values without
// a register go to free_slot.
Result<std::vector<std::uint8_t>> make_call_entry(const NativeSignature& signature);

// Where a tail call from slots goes on in machine code (runtime/native_unwind.h): takes the arguments from
// ExecState::free_slot on, and jumps to FunctionCode::native_entry; rdi and r10 are as at a call.
Result<std::vector<std::uint8_t>> make_tail_entry(const NativeSignature& signature);

// A native entry for functions that have none: puts the arguments into slots, calls FunctionCode::entry, and takes the
// results from there. Where ExecState::thrown is set there are none: then it does not return to its caller, but to who
// catches (runtime/native_unwind.h).
Result<std::vector<std::uint8_t>> make_native_entry(const NativeSignature& signature);

// The same for host functions, which have no VmContext.
Result<std::vector<std::uint8_t>> make_host_entry(const NativeSignature& signature);

// The same for functions of the host with a HostFunction::direct, of any signature: it says where machine code was
// left, and jumps there, with arguments and results in their registers. What is due at the end is the function's to do
// (runtime/host_function.h).
Result<std::vector<std::uint8_t>> make_direct_entry();

}  // namespace wasi::jit

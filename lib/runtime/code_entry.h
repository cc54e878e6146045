// How a function is entered, in any tier: one signature for interpreted, compiled and host functions.
// Callers never ask who is there.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/frame.h"
#include "wasm/types.h"

namespace wasi::runtime {

struct ModuleCode;
struct NativeCode;  // stack_walk.h
struct HostEntry;   // host_entry.h

// Runs `self` in `instance` on arguments at slots[0..]; returns with the results from slots[0] on. A trap
// does not return: it unwinds to the innermost entry from the host (trap_raise.h). An exception that the callee
// does not catch returns, with ExecState::thrown set in place of results: whoever calls looks, and catches it
// or returns in turn. So exceptions pass frames of any tier, and no C++ frame is jumped over.
// ExecState::top is then the caller's record, with `resume` written; that is how a host function knows who
// called. So a tail call of a host function (code.module == nullptr) is made before the record is unlinked.
using SlotEntry = void (*)(VmContext* instance, Slot* slots, FunctionCode* self);

// Bits of FunctionCode::state.
inline constexpr std::uint32_t kBodyValidated = 1;
inline constexpr std::uint32_t kRecordFilled = 2;   // `module` and `index` may be read
inline constexpr std::uint32_t kCompileAsked = 4;   // has machine code, or waits for it, or gets none (tier_policy.h)
inline constexpr std::uint32_t kOptimiseAsked = 8;  // the same of the better compiler (optimise_policy.h)
inline constexpr std::uint32_t kOneSample = 1U << 16;  // the upper half counts samples of the policy that is next

// The entry of machine code under the native convention (jit/common/native_abi.h), which no C++ type describes. Whoever
// calls through a record hands over its FunctionCode in r10.
using NativeEntry = const void*;

// The record of one function of a module, shared by all of its instances (or of one host function).
// All zero means "not prepared yet": arrays of them come as untouched zero pages, since modules with
// half a million functions exist.
struct FunctionCode {
  std::atomic<SlotEntry> entry{nullptr};  // null: prepare_function() first
  // Null: nothing in the store calls natively yet. Else machine code, or an adapter to `entry`.
  std::atomic<NativeEntry> native_entry{nullptr};
  std::atomic<const NativeCode*> native_code{nullptr};  // the function's own machine code; null: it has none
  std::atomic<void*> interpreter{nullptr};              // tier 0's translation, owned by ModuleCode's tier data
  ModuleCode* module = nullptr;                         // null for host functions
  std::uint32_t index = 0;                              // FuncIndex in the module
  std::atomic<std::uint32_t> state{0};                  // the bits above
};

// How the host calls a function that has machine code in a store where nothing runs: enter_guest (host_entry.h) and the
// span in one. Arguments and results are at `slots`, which lie anywhere. True when the guest was left with leave_guest.
using CallEntry = bool (*)(HostEntry* host_entry, VmContext* instance, Slot* slots, FunctionCode* self);

// A function as a value: what funcref points to, what imports, exports and tables hold.
struct FuncRef {
  FunctionCode* code = nullptr;
  VmContext* instance = nullptr;   // the callee's; null for a host function
  wasm::TypeId type;               // canonical: call_indirect compares it
  CallEntry call_entry = nullptr;  // null: not looked for yet, or by FunctionCode::entry
};

}  // namespace wasi::runtime

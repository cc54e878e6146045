// What handlers call when they cannot go on by themselves: calls of other tiers here, the rest in the runtime, which
// all tiers share.
#pragma once

#include <cstdint>

#include "runtime/runtime_calls.h"

namespace wasi::interp {

namespace calls = runtime::calls;
using calls::Rmw;
using calls::trap_at;

// The call at `ip` of a function that is not known to be ready to be interpreted: runs it when it is of another
// tier or of the host.
enum class CallOutcome : std::uint8_t {
  ready,     // it is ready to be entered now, and has not been run
  returned,  // with its results
  threw,     // ExecState::thrown
  left,      // of a tail call: it is whoever entered the interpreter that goes on with it
};
[[gnu::noinline]] CallOutcome call_slowly(runtime::VmContext* vm, const std::uint8_t* ip, runtime::VmContext* callee_vm,
                                          runtime::FunctionCode* code, runtime::Slot* slots);
// The same at a tail call, whose arguments lie at the frame's first slot.
[[gnu::noinline]] CallOutcome tail_call_slowly(runtime::VmContext* vm, const std::uint8_t* ip,
                                               runtime::VmContext* callee_vm, runtime::FunctionCode* code,
                                               runtime::Slot* slots);

// What is due when the budget is spent (runtime/budget.h); they give the next one. At the call at `ip` of a function
// that is about to be interpreted:
[[gnu::cold, gnu::noinline]] std::uint32_t call_spent(runtime::VmContext* vm, const std::uint8_t* ip,
                                                      runtime::FunctionCode* code);
// At the entry of one from native code, before it has a record:
[[gnu::cold, gnu::noinline]] std::uint32_t entry_spent(runtime::VmContext* vm, runtime::FunctionCode* code);
// At the branch at `ip` back to `target`. Goes on at `ip`, in the frame that is exec.top then, or at the exit shim:
// where the loop has machine code, the rest of the function is run in that, and it is as if it had just returned, or
// thrown.
struct WayOn {
  const std::uint8_t* ip;
  std::uint64_t budget;
};
[[gnu::cold, gnu::noinline]] WayOn branch_back_spent(runtime::VmContext* vm, const std::uint8_t* ip,
                                                     const std::uint8_t* target);

}  // namespace wasi::interp

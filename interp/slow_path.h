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
};
[[gnu::noinline]] CallOutcome call_slowly(runtime::VmContext* vm, const std::uint8_t* ip, runtime::VmContext* callee_vm,
                                          runtime::FunctionCode* code, runtime::Slot* slots);

}  // namespace wasi::interp

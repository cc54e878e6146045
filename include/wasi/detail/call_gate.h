// Through which the host calls the functions of a store, in registers (register_call.h). Not for direct use.
#pragma once

#include <cstdint>

namespace wasi::detail {

enum class CallOutcome : std::uint32_t {
  done,      // results are in registers
  finished,  // the same, and something is to be done last: finish_call
  stopped,   // the trap is to be taken
  refused,   // nothing has run: such a call is made with slots only
};

// By which the host calls functions of one store. In the store, or for all that have none in there.
struct CallGate {
  void (*enter)() = nullptr;  // any C function that takes a FuncRef and values
  CallOutcome outcome = CallOutcome::done;
};

}  // namespace wasi::detail

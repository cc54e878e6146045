#include "tools/serve/contract.h"

namespace wasirun::serve {

Failure failure_of(const wasi::Trap& trap) {
  switch (trap.code) {
    case wasi::TrapCode::deadline_exceeded:
      return {.status = 504, .message = trap.to_string(), .kind = FailureKind::deadline};
    case wasi::TrapCode::interrupted:
      // Only what cancels a request interrupts its guest.
      return {.status = 500, .message = trap.to_string(), .kind = FailureKind::cancelled};
    default:
      return {.status = 500, .message = trap.to_string(), .kind = FailureKind::trap};
  }
}

}  // namespace wasirun::serve

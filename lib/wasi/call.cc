// See call.h.
#include "wasi/call.h"

#include <chrono>

#include "runtime/store.h"

namespace wasi::preview1 {
namespace {

Trap trap_of(TrapCode code) {
  Trap trap;
  trap.code = code;
  trap.message = message_of(code);
  return trap;
}

}  // namespace

bool Call::must_stop() {
  if (trap) return true;
  runtime::ExecState& exec = host.store.exec();
  if ((exec.interrupt.load(std::memory_order_relaxed) & runtime::kInterruptEnd) != 0) {
    trap = exec.program->ending_trap();
    return true;
  }
  if ((exec.interrupt.load(std::memory_order_relaxed) & runtime::kInterruptOuter) != 0) {
    trap = trap_of(TrapCode::interrupted);
    return true;
  }
  if ((exec.interrupt.load(std::memory_order_relaxed) & runtime::kInterruptRequest) != 0) {
    // Answered here, so the next poll of guest code must not answer it again.
    exec.interrupt.fetch_and(~std::uint32_t{runtime::kInterruptRequest});
    trap = trap_of(TrapCode::interrupted);
    return true;
  }
  if (exec.deadline && std::chrono::steady_clock::now() >= *exec.deadline) {
    trap = trap_of(TrapCode::deadline_exceeded);
    return true;
  }
  return false;
}

}  // namespace wasi::preview1

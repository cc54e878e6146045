// The filter of the fault handler. All of it up to the landing runs in a signal handler, on a thread that
// was in guest code: the store's lists are not being changed then, since that is done by runtime code.
#include "runtime/memory_faults.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "os/fault_handler.h"
#include "runtime/code_map.h"
#include "runtime/store.h"
#include "runtime/thread_state.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

namespace {

// Where the thread continues, on the guest's stack and out of the signal handler.
void land(void* argument) {
  auto& exec = *static_cast<ExecState*>(argument);
  raise_trap(exec, exec.pending.code);
}

// Machine code says itself which of its instructions may fault: all others are its compiler's mistakes.
bool take_native_fault(ExecState& exec, const os::Fault& fault, const CodeLocation& location,
                       os::FaultLanding& landing) {
  constexpr std::size_t kRbp = 5;
  if (!location.trap) return false;
  const std::optional<TrapCode> code = exec.store->fault_at(fault.address);
  if (!code) return false;
  exec.native_fault_pc = fault.pc;
  exec.native_fault_frame = fault.registers[kRbp];
  std::ranges::copy(std::span(fault.registers).first(std::size(exec.native_fault_registers)),
                    exec.native_fault_registers);
  exec.pending.code = *code;
  landing = {.landing = land, .argument = &exec};
  return true;
}

bool take_fault(const os::Fault& fault, os::FaultLanding& landing) {
  ExecState* exec = thread_state.running;
  if (exec == nullptr) return false;
  if (const auto location = code_map().find(fault.pc)) return take_native_fault(*exec, fault, *location, landing);
  const Tier* tier = exec->store->tier_of(fault.pc);
  if (tier == nullptr) return false;
  const std::optional<TrapCode> code = exec->store->fault_at(fault.address);
  if (!code) return false;
  const void* resume = tier->resume_of_fault(*exec, fault.pc, fault.registers, std::size(fault.registers));
  if (resume != nullptr && exec->top != nullptr) exec->top->resume = resume;
  exec->pending.code = *code;
  landing = {.landing = land, .argument = exec};
  return true;
}

}  // namespace

Result<void> install_memory_fault_handler() { return os::install_fault_handler(take_fault); }

}  // namespace wasi::runtime

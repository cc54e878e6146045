#include "interp/slow_path.h"

#include "interp/interpreter_entry.h"
#include "runtime/machine_call.h"
#include "runtime/trap_raise.h"

namespace wasi::interp {

using runtime::FunctionCode;
using runtime::Slot;
using runtime::VmContext;

WASI_CALLS_MACHINE_CODE CallOutcome call_slowly(VmContext* vm, const std::uint8_t* ip, VmContext* callee_vm,
                                                FunctionCode* code, Slot* slots) {
  calls::stand_at(vm, ip);
  const runtime::SlotEntry entry = runtime::entry_of(callee_vm, *code);
  if (entry == interpreter_entry) return CallOutcome::ready;
  entry(callee_vm, slots, code);
  return vm->exec->thrown == nullptr ? CallOutcome::returned : CallOutcome::threw;
}

}  // namespace wasi::interp

#include "interp/slow_path.h"

#include "interp/interpreter_entry.h"
#include "interp/record.h"
#include "interp/shims.h"
#include "runtime/host_entry.h"
#include "runtime/machine_call.h"
#include "runtime/module_code.h"
#include "runtime/native_span.h"
#include "runtime/native_unwind.h"
#include "runtime/trap_raise.h"

namespace wasi::interp {

using runtime::ExecState;
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

namespace {

// Machine code entered the interpreter with this frame, through an adapter. Where a host function did, it stands
// between the entry from the host and the frame.
bool is_called_by_machine_code(const ExecState& exec, const Record& record) {
  return record.return_ip == shims.exit.code && record.caller != nullptr && runtime::is_span(*record.caller) &&
         record.caller != exec.host_entry->top;
}

}  // namespace

// The frame is unlinked before machine code runs: no backtrace shows it, and its record's place is free for others.
WASI_CALLS_MACHINE_CODE CallOutcome tail_call_slowly(VmContext* vm, const std::uint8_t* ip, VmContext* callee_vm,
                                                     FunctionCode* code, Slot* slots) {
  if (code->native_code.load(std::memory_order_acquire) == nullptr) return call_slowly(vm, ip, callee_vm, code, slots);
  ExecState& exec = *vm->exec;
  auto& record = static_cast<Record&>(*exec.top);
  // Between machine code and the interpreter, tail calls may go back and forth for ever: neither side may stay on the
  // native stack.
  if (is_called_by_machine_code(exec, record)) {
    if (const void* entry = code->module->tier->tail_entry(*code)) {
      exec.thrown = runtime::kTailCall;
      exec.tail_callee = code;
      exec.tail_instance = callee_vm;
      exec.tail_entry = entry;
      exec.top = record.caller;
      return CallOutcome::left;
    }
  }
  calls::stand_at(vm, ip);
  const runtime::SlotEntry entry = runtime::entry_of(callee_vm, *code);
  if (entry == interpreter_entry) return CallOutcome::ready;
  const Record replaced = record;
  exec.top = replaced.caller;
  entry(callee_vm, slots, code);
  record = replaced;
  exec.top = &record;
  return exec.thrown == nullptr ? CallOutcome::returned : CallOutcome::threw;
}

}  // namespace wasi::interp

// The border to machine code, as the interpreter sees it: samples of where it spends its time, and loops that go on in
// machine code (on-stack replacement).
//
// At a loop's head every live value is in its canonical slot (translator.h), so machine code takes the frame over as it
// is: the record is unlinked, as at a tail call, and the rest of the function runs as a callee of whoever called it.
#include <cstdint>
#include <optional>

#include "interp/interpreter_entry.h"
#include "interp/record.h"
#include "interp/slow_path.h"
#include "interp/translation.h"
#include "interp/unwind.h"
#include "runtime/budget.h"
#include "runtime/free_slots.h"
#include "runtime/machine_call.h"
#include "runtime/module_code.h"
#include "runtime/native_tuning.h"
#include "runtime/tier_policy.h"
#include "runtime/tuning.h"

namespace wasi::interp {

using runtime::ExecState;
using runtime::FunctionCode;
using runtime::LoopTarget;
using runtime::Slot;
using runtime::VmContext;

namespace {

// What machine code may find too little of, the interpreter goes on with: a program that runs in the one does not trap
// because it was about to enter the other.
bool has_room(const ExecState& exec, const Record& record, const LoopTarget& loop) {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const std::size_t bytes = loop.frame_slots * sizeof(Slot) + runtime::kLoopEntryStack;
  return here > exec.native_limit && here - exec.native_limit >= bytes &&
         runtime::free_slots(exec, record.slots) >= std::size_t{loop.frame_slots} + runtime::kSpanSlots;
}

WASI_CALLS_MACHINE_CODE const std::uint8_t* finish_in_machine_code(VmContext* vm, Record& record,
                                                                   const LoopTarget& loop) {
  ExecState& exec = *vm->exec;
  // Its place is free for others from now on.
  const Record replaced = record;
  exec.top = replaced.caller;
  loop.adapter(vm, replaced.slots, replaced.function, &loop);
  if (exec.thrown == nullptr) return replaced.return_ip;
  record = replaced;
  exec.top = &record;
  return throw_on(vm, true);
}

}  // namespace

std::uint32_t call_spent(VmContext* vm, const std::uint8_t* ip, FunctionCode* code) {
  calls::stand_at(vm, ip);
  return entry_spent(vm, code);
}

std::uint32_t entry_spent(VmContext* vm, FunctionCode* code) {
  ExecState& exec = *vm->exec;
  const std::uint32_t budget = runtime::look_around(exec);
  if (exec.policy != nullptr) exec.policy->sampled(exec, *code, std::nullopt);
  return budget;
}

WayOn branch_back_spent(VmContext* vm, const std::uint8_t* ip, const std::uint8_t* target) {
  ExecState& exec = *vm->exec;
  calls::stand_at(vm, ip);
  const std::uint32_t budget = runtime::look_around(exec);
  if (exec.policy == nullptr) return {target, budget};
  auto& record = static_cast<Record&>(*exec.top);
  FunctionCode& code = *record.function;
  const auto& translation = *static_cast<const Translation*>(code.interpreter.load(std::memory_order_relaxed));
  const std::optional<std::uint64_t> loop = translation.loop_at(target);
  exec.policy->sampled(exec, code, loop);
  if (!loop || code.native_code.load(std::memory_order_acquire) == nullptr) return {target, budget};
  const std::optional<LoopTarget> entry = code.module->tier->loop_target(code, *loop);
  if (!entry || !has_room(exec, record, *entry)) return {target, budget};
  return {finish_in_machine_code(vm, record, *entry), budget};
}

}  // namespace wasi::interp

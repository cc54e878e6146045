// Raising traps, and preparing functions, which may raise.
//
// Functions here that do not return have let go of every C++ object before they leave.
#include "runtime/trap_raise.h"

#include <new>

#include "base/check.h"
#include "runtime/backtrace.h"
#include "runtime/frame_capture.h"
#include "runtime/guest_sampler.h"
#include "runtime/host_entry.h"
#include "runtime/instance.h"
#include "runtime/machine_call.h"
#include "runtime/preparation.h"

namespace wasi::runtime {

namespace {

[[noreturn]] void leave(ExecState& exec) {
  WASI_CHECK(exec.host_entry != nullptr);
  leave_guest(*exec.host_entry);
}

// Where memory has run out, the code has to be enough.
void describe(const ExecState& exec, Trap& trap) {
  try {
    if (trap.message.empty()) trap.message = message_of(trap.code);
    // An exit is no failure, and a trap that comes from an inner call, or another thread, has a backtrace already.
    if (trap.is_exit()) return;
    if (!trap.backtrace.empty()) return FrameCapture::take(exec, FrameCapture::When::passes);
    add_backtrace(trap, exec);
    FrameCapture::take(exec, FrameCapture::When::begins);
  } catch (const std::bad_alloc&) {
    trap.backtrace.clear();
    trap.omitted_frames = 0;
  }
}

void record(ExecState& exec, Trap&& trap) {
  describe(exec, trap);
  exec.pending = std::move(trap);
}

}  // namespace

Trap make_trap(const ExecState& exec, TrapCode code) {
  Trap trap;
  trap.code = code;
  describe(exec, trap);
  return trap;
}

void raise_trap(ExecState& exec, TrapCode code) {
  // What was left has been taken in part: it is gone.
  if (code == TrapCode::out_of_fuel) exec.fuel = 0;
  exec.pending = make_trap(exec, code);
  leave(exec);
}

void raise_trap(ExecState& exec, Trap trap) {
  record(exec, std::move(trap));
  leave(exec);
}

void raise_pending(ExecState& exec) { leave(exec); }

bool must_stop(ExecState& exec) {
  const std::uint32_t wishes = exec.interrupt.exchange(0);
  if ((wishes & kInterruptSample) != 0) GuestSampler::answer(exec);
  if ((wishes & kInterruptEnd) != 0) {
    set_interrupt(exec, wishes);
    record(exec, exec.program->ending_trap());
    return true;
  }
  if ((wishes & kInterruptOuter) != 0) {
    // It is the outer store that answers the wish; this one stops until then.
    set_interrupt(exec, wishes);
    exec.pending = make_trap(exec, TrapCode::interrupted);
    return true;
  }
  if ((wishes & kInterruptRequest) != 0) {
    if ((wishes & kInterruptDeadline) != 0) set_interrupt(exec, kInterruptDeadline);
    exec.pending = make_trap(exec, TrapCode::interrupted);
    return true;
  }
  if ((wishes & kInterruptDeadline) == 0 || !exec.deadline) return false;
  if (std::chrono::steady_clock::now() >= *exec.deadline) {
    // The deadline stays passed until another is set.
    set_interrupt(exec, kInterruptDeadline);
    exec.pending = make_trap(exec, TrapCode::deadline_exceeded);
    return true;
  }
  exec.store->keep_watch();
  return false;
}

void handle_interrupt(ExecState& exec) {
  if (must_stop(exec)) leave(exec);
}

namespace {

// The function could not be prepared.
void record_failure(const ModuleCode& module, Error error, ExecState& exec) {
  Trap trap;
  trap.code = error.kind == ErrorKind::limit ? TrapCode::allocation_failure : TrapCode::invalid_function;
  add_message(trap, [&] {
    if (module.locate) error = module.locate(std::move(error));
    // A trap's message is one line: without the text's.
    if (error.text) error.text->excerpt.clear();
    return ": " + error.to_string();
  });
  record(exec, std::move(trap));
}

}  // namespace

SlotEntry prepare_function(VmContext* instance, FunctionCode& record_of_function) {
  {
    ModuleCode& module = *Instance::from(instance)->code;
    const auto defined = static_cast<std::uint32_t>(&record_of_function - module.functions);
    FunctionCode& code = module.code(wasm::FuncIndex(module.module->imported_functions + defined));
    Preparation preparation(*instance->exec);
    Result<SlotEntry> entry = module.prepare(code, preparation);
    if (entry) return *entry;
    if (!preparation.is_interrupted()) record_failure(module, std::move(entry).error(), *instance->exec);
  }
  leave(*instance->exec);
}

WASI_CALLS_MACHINE_CODE void prepare_and_run(VmContext* instance, Slot* slots, FunctionCode* self) {
  prepare_function(instance, *self)(instance, slots, self);
}

}  // namespace wasi::runtime

// Calls of host functions: from guest code through the slot entry that all functions have.
#include "runtime/host_function.h"

#include <exception>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "runtime/exception.h"
#include "runtime/free_slots.h"
#include "runtime/host_entry.h"
#include "runtime/instance.h"
#include "runtime/native_unwind.h"
#include "runtime/stack_walk.h"
#include "runtime/store.h"
#include "runtime/thread_state.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime {

static_assert(std::is_standard_layout_v<HostFunction> && offsetof(HostFunction, code) == 0);

namespace {

Trap trap_of_exception(const char* what) {
  Trap trap;
  trap.code = TrapCode::host_error;
  // Takes no memory.
  trap.payload = std::current_exception();
  add_message(trap, [what] { return std::string(": ") + what; });
  return trap;
}

Trap copy_of(const Trap& thrown) {
  try {
    return thrown;
  } catch (...) {
    return Trap{.code = thrown.code};
  }
}

}  // namespace

Instance* caller_of(const ExecState& exec) {
  if (exec.top == exec.host_entry->top) return nullptr;
  if (is_span(*exec.top)) [[unlikely]]
    return native_caller(exec);
  return Instance::from(exec.top->instance);
}

Instance* direct_caller(const ExecState& exec) {
  const auto frame = reinterpret_cast<std::uintptr_t>(exec.direct_caller_frame);
  // Without a frame of machine code in the span, it is whoever stands below it.
  if (exec.direct_caller_frame == exec.native_span->entry_frame) [[unlikely]]
    return native_caller(exec);
  return instance_of_frame(exec, frame);
}

Trap trap_of_current_exception() {
  try {
    throw;
  } catch (const Trap& thrown) {
    return copy_of(thrown);
  } catch (const std::exception& error) {
    return trap_of_exception(error.what());
  } catch (...) {
    return trap_of_exception("an exception that is no std::exception");
  }
}

namespace {

// True when the guest is to be stopped, or an exception thrown: that is in exec.pending then. A function of its own, so
// that nothing is left to destroy when the trap is raised.
[[gnu::noinline]] bool run_body(HostFunction& function, ExecState& exec, Slot* slots) {
  HostCall call{*function.store, caller_of(exec), slots};
  try {
    std::optional<Trap> trap = function.body(function.data.get(), call);
    if (!trap) [[likely]]
      return false;
    exec.pending = std::move(*trap);
  } catch (...) {
    exec.pending = trap_of_current_exception();
  }
  return true;
}

}  // namespace

Memory* HostCall::memory() const { return caller == nullptr ? nullptr : caller->default_memory(); }

void host_function_entry(VmContext* /*instance*/, Slot* slots, FunctionCode* self) {
  auto& function = *reinterpret_cast<HostFunction*>(self);
  ExecState& exec = function.store->exec();
  // A caller that tail-calls need not have had room for the results.
  if (free_slots(exec, slots) < function.slot_count) [[unlikely]]
    raise_trap(exec, TrapCode::stack_overflow);
  // Code of many host calls and no loop polls nowhere else.
  poll(exec);
  Slot* const free_slot = exec.free_slot;
  exec.free_slot = slots + function.slot_count;
  HostEntry* const entry = exec.host_entry;
  const bool stopped = run_body(function, exec, slots);
  // Calls into one store nest, on whichever stacks they are made: those that the body made have to be done.
  WASI_CHECK(exec.host_entry == entry);
  // The body may have been left for a while, and other stores have run on this thread.
  thread_state.running = &exec;
  exec.free_slot = free_slot;
  if (stopped && !throw_pending(exec)) [[unlikely]]
    raise_trap(exec, std::move(exec.pending));
  poll(exec);
}

void end_direct_call(ExecState& exec, const HostEntry* host_entry, bool failed) {
  WASI_CHECK(exec.host_entry == host_entry);
  if (failed && !throw_pending(exec)) raise_trap(exec, std::move(exec.pending));
  poll(exec);
  if (exec.thrown == nullptr) return;
  // Only behind its return are the registers what machine code left in them.
  auto* const return_address = reinterpret_cast<std::uintptr_t*>(exec.native_sp) - 1;
  exec.direct_return = std::exchange(*return_address, reinterpret_cast<std::uintptr_t>(&services::unwind_callee));
}

}  // namespace wasi::runtime

// Services for machine code: traps, the stack, memories, tables, exceptions.
#include "runtime/services.h"

#include <cstring>

#include "runtime/exception.h"
#include "runtime/instance.h"
#include "runtime/runtime_calls.h"
#include "runtime/tier_policy.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime::services {

namespace {

// Native frames are found by the stack pointer alone.
constexpr calls::TrapSite kHere = nullptr;

std::uint32_t index_of(std::uint64_t immediate) { return static_cast<std::uint32_t>(immediate); }

}  // namespace

void trap(VmContext* vm, TrapCode code) { raise_trap(*vm->exec, code); }

const void* check_stack(VmContext* vm) {
  ExecState& exec = *vm->exec;
  // First, so that a wish that comes meanwhile raises it again.
  exec.stack_limit.store(exec.native_limit);
  if (exec.interrupt.load() != 0) handle_interrupt(exec);
  if (exec.native_sp < exec.native_limit) raise_trap(exec, TrapCode::stack_overflow);
  OptimisePolicy* const optimiser = exec.policy != nullptr ? exec.policy->optimiser() : nullptr;
  if (optimiser == nullptr) return nullptr;
  return exec.loop_entry = optimiser->sampled(exec);
}

LoopExit leave_at_loop(VmContext* vm, const Slot* slots, std::uint32_t count) {
  // There is room: OptimisePolicy has seen to it.
  std::vector<Slot>& kept = vm->exec->loop_slots;
  kept.assign(slots, slots + count);
  return {kept.data(), vm->exec->loop_entry};
}

FuncRef* resolve_indirect(VmContext* vm, std::uint32_t table, std::uint32_t type, std::uint64_t index) {
  return calls::resolve_indirect(vm, kHere, table, type, index & vm->tables[table]->index_mask);
}

std::uint8_t* address_in_memory(VmContext* vm, std::uint64_t index, std::uint64_t offset, std::uint64_t size,
                                std::uint32_t memory) {
  return calls::address_in_memory(vm, kHere, memory, index, offset, size);
}

bool passes_test(VmContext* vm, std::uint64_t reference, std::uint64_t test) {
  return calls::passes_test(vm, reference, test);
}

// --- memories. A size or -1 is as wide as the address type.

void memory_grow(VmContext* vm, Slot* operands, std::uint64_t memory, std::uint64_t /*b*/) {
  const auto pages = static_cast<std::uint64_t>(calls::memory_grow(vm, index_of(memory), operands[0].u64));
  operands[0].u64 = pages & vm->memories[memory]->index_mask;
}

void memory_fill(VmContext* vm, Slot* operands, std::uint64_t memory, std::uint64_t /*b*/) {
  calls::memory_fill(vm, kHere, index_of(memory), operands[0].u64, operands[1].u32, operands[2].u64);
}

void memory_copy(VmContext* vm, Slot* operands, std::uint64_t to, std::uint64_t from) {
  calls::memory_copy(vm, kHere, index_of(to), index_of(from), operands[0].u64, operands[1].u64, operands[2].u64);
}

void memory_init(VmContext* vm, Slot* operands, std::uint64_t segment, std::uint64_t memory) {
  calls::memory_init(vm, kHere, index_of(segment), index_of(memory), operands[0].u64, operands[1].u32, operands[2].u32);
}

void move_bytes(std::uint8_t* to, const std::uint8_t* from, std::uint64_t count) {
  if (count != 0) std::memmove(to, from, count);
}

void fill_bytes(std::uint8_t* to, std::uint32_t value, std::uint64_t count) {
  if (count != 0) std::memset(to, static_cast<std::uint8_t>(value), count);
}

void data_drop(VmContext* vm, Slot* /*operands*/, std::uint64_t segment, std::uint64_t /*b*/) {
  calls::data_drop(vm, index_of(segment));
}

// --- tables

void table_get(VmContext* vm, Slot* operands, std::uint64_t table, std::uint64_t /*b*/) {
  operands[0].ref = *calls::table_element(vm, kHere, index_of(table), operands[0].u64);
}

void table_set(VmContext* vm, Slot* operands, std::uint64_t table, std::uint64_t /*b*/) {
  *calls::table_element(vm, kHere, index_of(table), operands[0].u64) = operands[1].ref;
}

void table_grow(VmContext* vm, Slot* operands, std::uint64_t table, std::uint64_t /*b*/) {
  const auto size =
      static_cast<std::uint64_t>(calls::table_grow(vm, index_of(table), operands[0].ref, operands[1].u64));
  operands[0].u64 = size & vm->tables[table]->index_mask;
}

void table_fill(VmContext* vm, Slot* operands, std::uint64_t table, std::uint64_t /*b*/) {
  calls::table_fill(vm, kHere, index_of(table), operands[0].u64, operands[1].ref, operands[2].u64);
}

void table_copy(VmContext* vm, Slot* operands, std::uint64_t to, std::uint64_t from) {
  calls::table_copy(vm, kHere, index_of(to), index_of(from), operands[0].u64, operands[1].u64, operands[2].u64);
}

void table_init(VmContext* vm, Slot* operands, std::uint64_t segment, std::uint64_t table) {
  calls::table_init(vm, kHere, index_of(segment), index_of(table), operands[0].u64, operands[1].u32, operands[2].u32);
}

void elem_drop(VmContext* vm, Slot* /*operands*/, std::uint64_t segment, std::uint64_t /*b*/) {
  calls::elem_drop(vm, index_of(segment));
}

void ref_func(VmContext* vm, Slot* operands, std::uint64_t function, std::uint64_t /*b*/) {
  operands[0].ref = calls::ref_func(vm, index_of(function));
}

// --- exceptions. ExecState::thrown is set when they return: the caller looks for a handler of its own, or goes to
// `unwind`, which sees to ExecState::pending.

namespace {

void set_thrown(ExecState& exec, Exception& exception) {
  // What an exception left that was caught on its way.
  if (exec.pending.exception != nullptr) exec.pending = {};
  exec.thrown = &exception;
}

}  // namespace

void throw_(VmContext* vm, Slot* operands, std::uint64_t tag, std::uint64_t /*b*/) {
  ExecState& exec = *vm->exec;
  poll(exec);  // loops can be made of throws, too
  Exception* exception = try_make_exception(exec, *Instance::from(vm)->tags[tag], operands);
  if (exception == nullptr) raise_trap(exec, TrapCode::allocation_failure);
  set_thrown(exec, *exception);
}

void throw_ref(VmContext* vm, Slot* operands, std::uint64_t /*a*/, std::uint64_t /*b*/) {
  ExecState& exec = *vm->exec;
  poll(exec);
  if (operands[0].ref == nullptr) raise_trap(exec, TrapCode::null_exception_reference);
  set_thrown(exec, *static_cast<Exception*>(operands[0].ref));
}

bool thrown_has_tag(VmContext* vm, std::uint32_t tag) { return vm->exec->thrown->tag == Instance::from(vm)->tags[tag]; }

void take_thrown(VmContext* vm, Slot* slots, std::uint32_t parts, Slot* kept) {
  ExecState& exec = *vm->exec;
  Exception& exception = *exec.thrown;
  const std::uint32_t values = (parts & 1) != 0 ? exception.tag->slot_count : 0;
  if (values != 0) std::memcpy(static_cast<void*>(slots), exception.values(), values * sizeof(Slot));
  if ((parts & 2) != 0) slots[values].ref = &exception;
  if (kept != nullptr) kept->ref = &exception;
  exec.thrown = nullptr;
  exec.pending = {};
}

}  // namespace wasi::runtime::services

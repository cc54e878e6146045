#include "interp/slow_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "interp/interpreter_entry.h"
#include "runtime/instance.h"
#include "runtime/trap_raise.h"

namespace wasi::interp {

using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::Instance;
using runtime::Slot;
using runtime::TableView;
using runtime::VmContext;

namespace {

// [at, at + count) of `size` things.
bool is_inside(std::uint64_t at, std::uint64_t count, std::uint64_t size) { return at <= size && count <= size - at; }

// The message says which element.
[[noreturn]] void trap_at_element(const std::uint8_t* ip, VmContext* vm, TrapCode code, std::uint64_t index) {
  vm->exec->top->resume = ip;
  Trap trap;
  trap.code = code;
  runtime::add_message(trap, [index] { return fmt::format(" {}", index); });
  runtime::raise_trap(*vm->exec, std::move(trap));
}

}  // namespace

void trap_at(const std::uint8_t* ip, VmContext* vm, TrapCode code) {
  vm->exec->top->resume = ip;
  runtime::raise_trap(*vm->exec, code);
}

void poll_slowly(const std::uint8_t* ip, VmContext* vm) {
  vm->exec->top->resume = ip;
  runtime::handle_interrupt(*vm->exec);
}

CallOutcome call_slowly(const std::uint8_t* ip, VmContext* vm, VmContext* callee_vm, FunctionCode* code, Slot* slots) {
  vm->exec->top->resume = ip;
  const runtime::SlotEntry entry = runtime::entry_of(callee_vm, *code);
  if (entry == interpreter_entry) return CallOutcome::ready;
  entry(callee_vm, slots, code);
  return vm->exec->thrown == nullptr ? CallOutcome::returned : CallOutcome::threw;
}

FuncRef* resolve_indirect(const std::uint8_t* ip, VmContext* vm, std::uint32_t table, std::uint32_t type,
                          std::uint64_t index) {
  const TableView& view = *vm->tables[table];
  if (index >= view.size) trap_at_element(ip, vm, TrapCode::undefined_element, index);
  auto* function = static_cast<FuncRef*>(view.elements[index]);
  if (function == nullptr) trap_at_element(ip, vm, TrapCode::uninitialized_element, index);
  const wasm::TypeId expected(vm->type_ids[type]);
  if (function->type != expected && !Instance::from(vm)->store->registry().is_subtype(function->type, expected)) {
    trap_at(ip, vm, TrapCode::indirect_call_type_mismatch);
  }
  return function;
}

std::uint8_t* address_in_memory(const std::uint8_t* ip, VmContext* vm, std::uint32_t memory, std::uint64_t index,
                                std::uint64_t offset, std::uint64_t size) {
  const runtime::MemoryView& view = *vm->memories[memory];
  std::uint64_t address;
  if (__builtin_add_overflow(index & view.index_mask, offset, &address) || !is_inside(address, size, view.size())) {
    trap_at(ip, vm, TrapCode::memory_out_of_bounds);
  }
  return view.base + address;
}

std::int64_t memory_grow(VmContext* vm, std::uint32_t memory, std::uint64_t delta) {
  return Instance::from(vm)->memory(memory)->grow(delta & vm->memories[memory]->index_mask);
}

void memory_fill(const std::uint8_t* ip, VmContext* vm, std::uint32_t memory, std::uint64_t to, std::uint32_t value,
                 std::uint64_t count) {
  count &= vm->memories[memory]->index_mask;
  std::uint8_t* destination = address_in_memory(ip, vm, memory, to, 0, count);
  if (count != 0) std::memset(destination, static_cast<std::uint8_t>(value), count);
}

void memory_copy(const std::uint8_t* ip, VmContext* vm, std::uint32_t memory_to, std::uint32_t memory_from,
                 std::uint64_t to, std::uint64_t from, std::uint64_t count) {
  // Between memories of both address types the count is an i32.
  count &= vm->memories[memory_to]->index_mask & vm->memories[memory_from]->index_mask;
  const std::uint8_t* source = address_in_memory(ip, vm, memory_from, from, 0, count);
  std::uint8_t* destination = address_in_memory(ip, vm, memory_to, to, 0, count);
  if (count != 0) std::memmove(destination, source, count);
}

void memory_init(const std::uint8_t* ip, VmContext* vm, std::uint32_t segment, std::uint32_t memory, std::uint64_t to,
                 std::uint32_t from, std::uint32_t count) {
  to &= vm->memories[memory]->index_mask;
  if (!Instance::from(vm)->memory_init(memory, segment, to, from, count)) {
    trap_at(ip, vm, TrapCode::memory_out_of_bounds);
  }
}

void data_drop(VmContext* vm, std::uint32_t segment) { Instance::from(vm)->drop_data(segment); }

void** table_element(const std::uint8_t* ip, VmContext* vm, std::uint32_t table, std::uint64_t index) {
  const TableView& view = *vm->tables[table];
  index &= view.index_mask;
  if (index >= view.size) trap_at(ip, vm, TrapCode::table_out_of_bounds);
  return view.elements + index;
}

std::int64_t table_grow(VmContext* vm, std::uint32_t table, void* init, std::uint64_t delta) {
  return Instance::from(vm)->table(table)->grow(delta & vm->tables[table]->index_mask, init);
}

void table_fill(const std::uint8_t* ip, VmContext* vm, std::uint32_t table, std::uint64_t to, void* value,
                std::uint64_t count) {
  const TableView& view = *vm->tables[table];
  to &= view.index_mask;
  count &= view.index_mask;
  if (!is_inside(to, count, view.size)) trap_at(ip, vm, TrapCode::table_out_of_bounds);
  std::fill_n(view.elements + to, count, value);
}

void table_copy(const std::uint8_t* ip, VmContext* vm, std::uint32_t table_to, std::uint32_t table_from,
                std::uint64_t to, std::uint64_t from, std::uint64_t count) {
  const TableView& destination = *vm->tables[table_to];
  const TableView& source = *vm->tables[table_from];
  to &= destination.index_mask;
  from &= source.index_mask;
  count &= destination.index_mask & source.index_mask;
  if (!is_inside(from, count, source.size) || !is_inside(to, count, destination.size)) {
    trap_at(ip, vm, TrapCode::table_out_of_bounds);
  }
  if (count == 0) return;
  std::memmove(static_cast<void*>(destination.elements + to), static_cast<const void*>(source.elements + from),
               count * sizeof(void*));
}

void table_init(const std::uint8_t* ip, VmContext* vm, std::uint32_t segment, std::uint32_t table, std::uint64_t to,
                std::uint32_t from, std::uint32_t count) {
  to &= vm->tables[table]->index_mask;
  if (!Instance::from(vm)->table_init(table, segment, to, from, count)) trap_at(ip, vm, TrapCode::table_out_of_bounds);
}

void elem_drop(VmContext* vm, std::uint32_t segment) { Instance::from(vm)->drop_element(segment); }

FuncRef* ref_func(VmContext* vm, std::uint32_t function) {
  return Instance::from(vm)->func_ref(wasm::FuncIndex(function));
}

}  // namespace wasi::interp

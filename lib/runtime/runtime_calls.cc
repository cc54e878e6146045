// Services for running code: traps, polls, memories, tables.
#include "runtime/runtime_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/aggregates.h"
#include "runtime/instance.h"
#include "runtime/trap_raise.h"

namespace wasi::runtime::calls {

namespace {

// The message says which element.
[[noreturn]] void trap_at_element(VmContext* vm, TrapSite site, TrapCode code, std::uint64_t index) {
  stand_at(vm, site);
  Trap trap;
  trap.code = code;
  add_message(trap, [index] { return fmt::format(" {}", index); });
  raise_trap(*vm->exec, std::move(trap));
}

}  // namespace

void trap_at(VmContext* vm, TrapSite site, TrapCode code) {
  stand_at(vm, site);
  raise_trap(*vm->exec, code);
}

void poll_slowly(VmContext* vm, TrapSite site) {
  stand_at(vm, site);
  handle_interrupt(*vm->exec);
}

FuncRef* resolve_indirect(VmContext* vm, TrapSite site, std::uint32_t table, std::uint32_t type, std::uint64_t index) {
  const TableView& view = *vm->tables[table];
  if (index >= view.size) trap_at_element(vm, site, TrapCode::undefined_element, index);
  auto* function = static_cast<FuncRef*>(view.elements[index]);
  if (function == nullptr) trap_at_element(vm, site, TrapCode::uninitialized_element, index);
  const wasm::TypeId expected(vm->type_ids[type]);
  if (function->type != expected && !Instance::from(vm)->store->registry().is_subtype(function->type, expected)) {
    trap_at(vm, site, TrapCode::indirect_call_type_mismatch);
  }
  return function;
}

std::uint8_t* address_in_memory(VmContext* vm, TrapSite site, std::uint32_t memory, std::uint64_t index,
                                std::uint64_t offset, std::uint64_t size) {
  const MemoryView& view = *vm->memories[memory];
  std::uint64_t address;
  if (__builtin_add_overflow(index & view.index_mask, offset, &address) || !is_within(address, size, view.size())) {
    trap_at(vm, site, TrapCode::memory_out_of_bounds);
  }
  return view.base + address;
}

std::int64_t memory_grow(VmContext* vm, std::uint32_t memory, std::uint64_t delta) {
  return Instance::from(vm)->memory(memory)->grow(delta & vm->memories[memory]->index_mask);
}

void memory_fill(VmContext* vm, TrapSite site, std::uint32_t memory, std::uint64_t to, std::uint32_t value,
                 std::uint64_t count) {
  count &= vm->memories[memory]->index_mask;
  std::uint8_t* destination = address_in_memory(vm, site, memory, to, 0, count);
  if (count != 0) std::memset(destination, static_cast<std::uint8_t>(value), count);
}

void memory_copy(VmContext* vm, TrapSite site, std::uint32_t memory_to, std::uint32_t memory_from, std::uint64_t to,
                 std::uint64_t from, std::uint64_t count) {
  // Between memories of both address types the count is an i32.
  count &= vm->memories[memory_to]->index_mask & vm->memories[memory_from]->index_mask;
  const std::uint8_t* source = address_in_memory(vm, site, memory_from, from, 0, count);
  std::uint8_t* destination = address_in_memory(vm, site, memory_to, to, 0, count);
  if (count != 0) std::memmove(destination, source, count);
}

void memory_init(VmContext* vm, TrapSite site, std::uint32_t segment, std::uint32_t memory, std::uint64_t to,
                 std::uint32_t from, std::uint32_t count) {
  to &= vm->memories[memory]->index_mask;
  if (!Instance::from(vm)->memory_init(memory, segment, to, from, count)) {
    trap_at(vm, site, TrapCode::memory_out_of_bounds);
  }
}

void data_drop(VmContext* vm, std::uint32_t segment) { Instance::from(vm)->drop_data(segment); }

void** table_element(VmContext* vm, TrapSite site, std::uint32_t table, std::uint64_t index) {
  const TableView& view = *vm->tables[table];
  index &= view.index_mask;
  if (index >= view.size) trap_at(vm, site, TrapCode::table_out_of_bounds);
  return view.elements + index;
}

std::int64_t table_grow(VmContext* vm, std::uint32_t table, void* init, std::uint64_t delta) {
  return Instance::from(vm)->table(table)->grow(delta & vm->tables[table]->index_mask, init);
}

void table_fill(VmContext* vm, TrapSite site, std::uint32_t table, std::uint64_t to, void* value, std::uint64_t count) {
  const TableView& view = *vm->tables[table];
  to &= view.index_mask;
  count &= view.index_mask;
  if (!is_within(to, count, view.size)) trap_at(vm, site, TrapCode::table_out_of_bounds);
  std::fill_n(view.elements + to, count, value);
}

void table_copy(VmContext* vm, TrapSite site, std::uint32_t table_to, std::uint32_t table_from, std::uint64_t to,
                std::uint64_t from, std::uint64_t count) {
  const TableView& destination = *vm->tables[table_to];
  const TableView& source = *vm->tables[table_from];
  to &= destination.index_mask;
  from &= source.index_mask;
  count &= destination.index_mask & source.index_mask;
  if (!is_within(from, count, source.size) || !is_within(to, count, destination.size)) {
    trap_at(vm, site, TrapCode::table_out_of_bounds);
  }
  if (count == 0) return;
  std::memmove(static_cast<void*>(destination.elements + to), static_cast<const void*>(source.elements + from),
               count * sizeof(void*));
}

void table_init(VmContext* vm, TrapSite site, std::uint32_t segment, std::uint32_t table, std::uint64_t to,
                std::uint32_t from, std::uint32_t count) {
  to &= vm->tables[table]->index_mask;
  if (!Instance::from(vm)->table_init(table, segment, to, from, count))
    trap_at(vm, site, TrapCode::table_out_of_bounds);
}

void elem_drop(VmContext* vm, std::uint32_t segment) { Instance::from(vm)->drop_element(segment); }

FuncRef* ref_func(VmContext* vm, std::uint32_t function) {
  return Instance::from(vm)->func_ref(wasm::FuncIndex(function));
}

}  // namespace wasi::runtime::calls

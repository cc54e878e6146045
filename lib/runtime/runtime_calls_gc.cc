// Services for running code: objects that need the collector, whole arrays, rare casts.
#include <fmt/format.h>

#include <bit>
#include <new>
#include <string>

#include "runtime/aggregates.h"
#include "runtime/instance.h"
#include "runtime/runtime_calls.h"
#include "runtime/trap_raise.h"
#include "runtime/type_test.h"

namespace wasi::runtime::calls {

using wasm::TypeId;

namespace {

[[noreturn]] void trap_heap_full(VmContext* vm, TrapSite site) {
  stand_at(vm, site);
  Trap trap;
  trap.code = TrapCode::allocation_failure;
  const std::uint64_t limit = vm->exec->store->options().limits.gc_heap_bytes;
  add_message(trap, [limit] {
    return ": the heap for objects is full" +
           (limit == UINT64_MAX ? std::string() : fmt::format(" (limit: {} bytes)", limit));
  });
  raise_trap(*vm->exec, std::move(trap));
}

// What `allocate` gives. Its bookkeeping may find no memory either.
template <class Allocate>
auto* or_trap(VmContext* vm, TrapSite site, Allocate&& allocate) {
  decltype(allocate()) memory = nullptr;
  try {
    memory = allocate();
  } catch (const std::bad_alloc&) {
    memory = nullptr;
  }
  if (memory == nullptr) [[unlikely]]
    trap_heap_full(vm, site);
  return memory;
}

GcHeap& heap_of(VmContext* vm) { return *vm->exec->gc.heap; }

std::uint8_t shift_of(VmContext* vm, std::uint32_t array) { return vm->exec->gc.layouts[array].element_shift; }

void check_data(VmContext* vm, TrapSite site, std::uint32_t segment, std::uint32_t offset, std::uint64_t bytes) {
  const std::uint64_t size = Instance::from(vm)->data(segment).size();
  if (!is_within(offset, bytes, size)) trap_at(vm, site, TrapCode::memory_out_of_bounds);
}

void check_elements(VmContext* vm, TrapSite site, std::uint32_t segment, std::uint32_t offset, std::uint32_t count) {
  const std::uint64_t size = Instance::from(vm)->element_count(segment);
  if (!is_within(offset, count, size)) trap_at(vm, site, TrapCode::table_out_of_bounds);
}

}  // namespace

std::uint8_t* allocate_slowly(VmContext* vm, TrapSite site, std::uint64_t bytes) {
  return or_trap(vm, site, [&] { return heap_of(vm).take_slowly(bytes); });
}

Object* struct_new(VmContext* vm, TrapSite site, std::uint32_t type, const Slot* fields) {
  return or_trap(vm, site, [&] { return new_structure(heap_of(vm), TypeId(type), fields); });
}

Object* struct_new_default(VmContext* vm, TrapSite site, std::uint32_t type) {
  return or_trap(vm, site, [&] { return heap_of(vm).allocate_structure(TypeId(type)); });
}

Object& array_at(VmContext* vm, TrapSite site, std::uint64_t reference, std::uint32_t at, std::uint32_t count) {
  if (reference == 0) trap_at(vm, site, TrapCode::null_array_reference);
  Object& array = *object_of(reference);
  if (!is_within(at, count, array.length)) trap_at(vm, site, TrapCode::array_out_of_bounds);
  return array;
}

Object* array_new(VmContext* vm, TrapSite site, std::uint32_t type, const Slot* element, std::uint32_t length) {
  return or_trap(vm, site, [&] { return new_array(heap_of(vm), TypeId(type), element, length); });
}

Object* array_new_default(VmContext* vm, TrapSite site, std::uint32_t type, std::uint32_t length) {
  return or_trap(vm, site, [&] { return heap_of(vm).allocate_array(TypeId(type), length); });
}

Object* array_new_fixed(VmContext* vm, TrapSite site, std::uint32_t type, const Slot* elements, std::uint32_t length) {
  return or_trap(vm, site, [&] { return new_array_fixed(heap_of(vm), TypeId(type), elements, length); });
}

Object* array_new_data(VmContext* vm, TrapSite site, std::uint32_t type, std::uint32_t segment, std::uint32_t offset,
                       std::uint32_t length) {
  const std::uint8_t shift = shift_of(vm, type);
  check_data(vm, site, segment, offset, std::uint64_t{length} << shift);
  Object* array = array_new_default(vm, site, type, length);
  init_array_data(*array, shift, 0, *Instance::from(vm), segment, offset, length);
  return array;
}

Object* array_new_elem(VmContext* vm, TrapSite site, std::uint32_t type, std::uint32_t segment, std::uint32_t offset,
                       std::uint32_t length) {
  check_elements(vm, site, segment, offset, length);
  Object* array = array_new_default(vm, site, type, length);
  init_array_elements(*array, 0, *Instance::from(vm), segment, offset, length);
  return array;
}

void array_fill(VmContext* vm, TrapSite site, std::uint32_t shift, std::uint64_t array, std::uint32_t at,
                const Slot* element, std::uint32_t count) {
  fill_array(array_at(vm, site, array, at, count), static_cast<std::uint8_t>(shift), at, element, count);
}

void array_copy(VmContext* vm, TrapSite site, std::uint32_t shift, std::uint64_t to, std::uint32_t to_index,
                std::uint64_t from, std::uint32_t from_index, std::uint32_t count) {
  if (from == 0) trap_at(vm, site, TrapCode::null_array_reference);
  Object& destination = array_at(vm, site, to, to_index, count);
  const Object& source = array_at(vm, site, from, from_index, count);
  copy_array(destination, to_index, source, from_index, static_cast<std::uint8_t>(shift), count);
}

void array_init_data(VmContext* vm, TrapSite site, std::uint32_t shift, std::uint32_t segment, std::uint64_t array,
                     std::uint32_t at, std::uint32_t offset, std::uint32_t count) {
  Object& destination = array_at(vm, site, array, at, count);
  check_data(vm, site, segment, offset, std::uint64_t{count} << shift);
  init_array_data(destination, static_cast<std::uint8_t>(shift), at, *Instance::from(vm), segment, offset, count);
}

void array_init_elem(VmContext* vm, TrapSite site, std::uint32_t segment, std::uint64_t array, std::uint32_t at,
                     std::uint32_t offset, std::uint32_t count) {
  Object& destination = array_at(vm, site, array, at, count);
  check_elements(vm, site, segment, offset, count);
  init_array_elements(destination, at, *Instance::from(vm), segment, offset, count);
}

bool passes_test(VmContext* vm, std::uint64_t reference, std::uint64_t test) {
  const ExecState& exec = *vm->exec;
  return passes(exec.store->registry(), exec.gc, reference, std::bit_cast<TypeTest>(test));
}

}  // namespace wasi::runtime::calls

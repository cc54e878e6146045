#include "interp/slow_path_gc.h"

#include <fmt/format.h>

#include <bit>
#include <new>
#include <string>

#include "interp/slow_path.h"
#include "runtime/aggregates.h"
#include "runtime/instance.h"
#include "runtime/trap_raise.h"
#include "runtime/type_test.h"

namespace wasi::interp {

using runtime::is_within;
using runtime::Object;
using runtime::Slot;
using runtime::VmContext;
using wasm::TypeId;

namespace {

[[noreturn]] void trap_heap_full(const std::uint8_t* ip, VmContext* vm) {
  vm->exec->top->resume = ip;
  Trap trap;
  trap.code = TrapCode::allocation_failure;
  const std::uint64_t limit = vm->exec->store->options().limits.gc_heap_bytes;
  runtime::add_message(trap, [limit] {
    return ": the heap for objects is full" +
           (limit == UINT64_MAX ? std::string() : fmt::format(" (limit: {} bytes)", limit));
  });
  runtime::raise_trap(*vm->exec, std::move(trap));
}

// What `allocate` gives. Its bookkeeping may find no memory either.
template <class Allocate>
auto* or_trap(const std::uint8_t* ip, VmContext* vm, Allocate&& allocate) {
  decltype(allocate()) memory = nullptr;
  try {
    memory = allocate();
  } catch (const std::bad_alloc&) {
    memory = nullptr;
  }
  if (memory == nullptr) [[unlikely]]
    trap_heap_full(ip, vm);
  return memory;
}

runtime::GcHeap& heap_of(VmContext* vm) { return *vm->exec->gc.heap; }

std::uint8_t shift_of(VmContext* vm, std::uint32_t array) { return vm->exec->gc.layouts[array].element_shift; }

Object& array_at(const std::uint8_t* ip, VmContext* vm, std::uint64_t reference, std::uint32_t at,
                 std::uint32_t count) {
  if (reference == 0) trap_at(ip, vm, TrapCode::null_array_reference);
  Object& array = *runtime::object_of(reference);
  if (!is_within(at, count, array.length)) trap_at(ip, vm, TrapCode::array_out_of_bounds);
  return array;
}

void check_data(const std::uint8_t* ip, VmContext* vm, std::uint32_t segment, std::uint32_t offset,
                std::uint64_t bytes) {
  const std::uint64_t size = runtime::Instance::from(vm)->data(segment).size();
  if (!is_within(offset, bytes, size)) trap_at(ip, vm, TrapCode::memory_out_of_bounds);
}

void check_elements(const std::uint8_t* ip, VmContext* vm, std::uint32_t segment, std::uint32_t offset,
                    std::uint32_t count) {
  const std::uint64_t size = runtime::Instance::from(vm)->element_count(segment);
  if (!is_within(offset, count, size)) trap_at(ip, vm, TrapCode::table_out_of_bounds);
}

}  // namespace

std::uint8_t* allocate_slowly(const std::uint8_t* ip, VmContext* vm, std::uint64_t bytes) {
  return or_trap(ip, vm, [&] { return heap_of(vm).take_slowly(bytes); });
}

Object* array_new(const std::uint8_t* ip, VmContext* vm, std::uint32_t type, const Slot* element,
                  std::uint32_t length) {
  return or_trap(ip, vm, [&] { return runtime::new_array(heap_of(vm), TypeId(type), element, length); });
}

Object* array_new_default(const std::uint8_t* ip, VmContext* vm, std::uint32_t type, std::uint32_t length) {
  return or_trap(ip, vm, [&] { return heap_of(vm).allocate_array(TypeId(type), length); });
}

Object* array_new_fixed(const std::uint8_t* ip, VmContext* vm, std::uint32_t type, const Slot* elements,
                        std::uint32_t length) {
  return or_trap(ip, vm, [&] { return runtime::new_array_fixed(heap_of(vm), TypeId(type), elements, length); });
}

Object* array_new_data(const std::uint8_t* ip, VmContext* vm, std::uint32_t type, std::uint32_t segment,
                       std::uint32_t offset, std::uint32_t length) {
  const std::uint8_t shift = shift_of(vm, type);
  check_data(ip, vm, segment, offset, std::uint64_t{length} << shift);
  Object* array = array_new_default(ip, vm, type, length);
  runtime::init_array_data(*array, shift, 0, *runtime::Instance::from(vm), segment, offset, length);
  return array;
}

Object* array_new_elem(const std::uint8_t* ip, VmContext* vm, std::uint32_t type, std::uint32_t segment,
                       std::uint32_t offset, std::uint32_t length) {
  check_elements(ip, vm, segment, offset, length);
  Object* array = array_new_default(ip, vm, type, length);
  runtime::init_array_elements(*array, 0, *runtime::Instance::from(vm), segment, offset, length);
  return array;
}

void array_fill(const std::uint8_t* ip, VmContext* vm, std::uint32_t shift, std::uint64_t array, std::uint32_t at,
                const Slot* element, std::uint32_t count) {
  runtime::fill_array(array_at(ip, vm, array, at, count), static_cast<std::uint8_t>(shift), at, element, count);
}

void array_copy(const std::uint8_t* ip, VmContext* vm, std::uint32_t shift, std::uint64_t to, std::uint32_t to_index,
                std::uint64_t from, std::uint32_t from_index, std::uint32_t count) {
  if (from == 0) trap_at(ip, vm, TrapCode::null_array_reference);
  Object& destination = array_at(ip, vm, to, to_index, count);
  const Object& source = array_at(ip, vm, from, from_index, count);
  runtime::copy_array(destination, to_index, source, from_index, static_cast<std::uint8_t>(shift), count);
}

void array_init_data(const std::uint8_t* ip, VmContext* vm, std::uint32_t shift, std::uint32_t segment,
                     std::uint64_t array, std::uint32_t at, std::uint32_t offset, std::uint32_t count) {
  Object& destination = array_at(ip, vm, array, at, count);
  check_data(ip, vm, segment, offset, std::uint64_t{count} << shift);
  runtime::init_array_data(destination, static_cast<std::uint8_t>(shift), at, *runtime::Instance::from(vm), segment,
                           offset, count);
}

void array_init_elem(const std::uint8_t* ip, VmContext* vm, std::uint32_t segment, std::uint64_t array,
                     std::uint32_t at, std::uint32_t offset, std::uint32_t count) {
  Object& destination = array_at(ip, vm, array, at, count);
  check_elements(ip, vm, segment, offset, count);
  runtime::init_array_elements(destination, at, *runtime::Instance::from(vm), segment, offset, count);
}

bool passes_test(VmContext* vm, std::uint64_t reference, std::uint64_t test) {
  const runtime::ExecState& exec = *vm->exec;
  return runtime::passes(exec.store->registry(), exec.gc, reference, std::bit_cast<runtime::TypeTest>(test));
}

}  // namespace wasi::interp

// Services for machine code: structures, arrays and casts.
#include <algorithm>
#include <cstring>

#include "runtime/instance.h"
#include "runtime/runtime_calls.h"
#include "runtime/services.h"

namespace wasi::runtime::services {

namespace {

constexpr calls::TrapSite kHere = nullptr;

std::uint32_t index_of(std::uint64_t immediate) { return static_cast<std::uint32_t>(immediate); }

// The type with this index in the module.
std::uint32_t id_of(VmContext* vm, std::uint64_t type) { return vm->type_ids[type]; }
const TypeLayout& layout_of(VmContext* vm, std::uint64_t type) { return vm->exec->gc.layouts[id_of(vm, type)]; }
std::uint32_t shift_of(VmContext* vm, std::uint64_t array) { return layout_of(vm, array).element_shift; }
std::uint32_t slots_of_element(VmContext* vm, std::uint64_t array) { return shift_of(vm, array) == 4 ? 2 : 1; }
const std::vector<wasm::FieldType>& fields_of(VmContext* vm, std::uint64_t type) {
  return vm->exec->store->registry().at(wasm::TypeId(id_of(vm, type))).fields;
}
wasm::StorageType element_type(VmContext* vm, std::uint64_t array) { return fields_of(vm, array).front().storage; }

// The low bytes of a word or an element as a value in slots.
void read(Slot* value, const void* from, wasm::StorageType storage, bool is_signed) {
  value->u64 = 0;
  std::memcpy(static_cast<void*>(value), from, std::size_t{1} << storage_shift(storage));
  if (!is_signed) return;
  const auto extended = storage.packed() == wasm::StorageType::Packed::i8
                            ? std::int32_t{static_cast<std::int8_t>(value->u32)}
                            : std::int32_t{static_cast<std::int16_t>(value->u32)};
  value->u64 = static_cast<std::uint32_t>(extended);
}

struct Field {
  Slot* words;
  wasm::StorageType storage;
};

Field field_of(VmContext* vm, const Slot& structure, std::uint64_t type, std::uint64_t index) {
  if (structure.u64 == 0) calls::trap_at(vm, kHere, TrapCode::null_structure_reference);
  const std::vector<wasm::FieldType>& fields = fields_of(vm, type);
  std::uint64_t word = index;
  // With vectors among them, some fields take two words.
  if (layout_of(vm, type).words != fields.size()) {
    word = 0;
    for (std::uint64_t i = 0; i < index; ++i) word += fields[i].storage.unpacked().slots();
  }
  return {object_of(structure.u64)->words() + word, fields[index].storage};
}

void get_field(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t index, bool is_signed) {
  const Field field = field_of(vm, operands[0], type, index);
  read(operands, field.words, field.storage, is_signed);
}

std::uint8_t* element_at(VmContext* vm, const Slot* operands, wasm::StorageType storage) {
  const std::uint32_t index = operands[1].u32;
  Object& array = calls::array_at(vm, kHere, operands[0].u64, index, 1);
  return array.elements() + (std::size_t{index} << storage_shift(storage));
}

void get_element(VmContext* vm, Slot* operands, std::uint64_t type, bool is_signed) {
  const wasm::StorageType storage = element_type(vm, type);
  read(operands, element_at(vm, operands, storage), storage, is_signed);
}

}  // namespace

std::uint8_t* allocate_cell(VmContext* vm, std::uint64_t bytes) { return calls::allocate_slowly(vm, kHere, bytes); }

// --- structures

void struct_new(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  operands[0].ref = calls::struct_new(vm, kHere, id_of(vm, type), operands);
}

void struct_new_default(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  operands[0].ref = calls::struct_new_default(vm, kHere, id_of(vm, type));
}

void struct_get(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t field) {
  get_field(vm, operands, type, field, false);
}

void struct_get_s(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t field) {
  get_field(vm, operands, type, field, true);
}

void struct_get_u(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t field) {
  get_field(vm, operands, type, field, false);
}

void struct_set(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t index) {
  const Field field = field_of(vm, operands[0], type, index);
  std::copy_n(operands + 1, field.storage.unpacked().slots(), field.words);
}

// --- arrays

void array_new(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  const std::uint32_t length = operands[slots_of_element(vm, type)].u32;
  operands[0].ref = calls::array_new(vm, kHere, id_of(vm, type), operands, length);
}

void array_new_default(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  operands[0].ref = calls::array_new_default(vm, kHere, id_of(vm, type), operands[0].u32);
}

void array_new_fixed(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t length) {
  operands[0].ref = calls::array_new_fixed(vm, kHere, id_of(vm, type), operands, index_of(length));
}

void array_new_data(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t segment) {
  operands[0].ref =
      calls::array_new_data(vm, kHere, id_of(vm, type), index_of(segment), operands[0].u32, operands[1].u32);
}

void array_new_elem(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t segment) {
  operands[0].ref =
      calls::array_new_elem(vm, kHere, id_of(vm, type), index_of(segment), operands[0].u32, operands[1].u32);
}

void array_get(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  get_element(vm, operands, type, false);
}

void array_get_s(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  get_element(vm, operands, type, true);
}

void array_get_u(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  get_element(vm, operands, type, false);
}

void array_set(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  const wasm::StorageType storage = element_type(vm, type);
  std::memcpy(element_at(vm, operands, storage), operands + 2, std::size_t{1} << storage_shift(storage));
}

void array_len(VmContext* vm, Slot* operands, std::uint64_t /*a*/, std::uint64_t /*b*/) {
  if (operands[0].u64 == 0) calls::trap_at(vm, kHere, TrapCode::null_array_reference);
  operands[0].u64 = object_of(operands[0].u64)->length;
}

void array_fill(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*b*/) {
  const std::uint32_t count = operands[2 + slots_of_element(vm, type)].u32;
  calls::array_fill(vm, kHere, shift_of(vm, type), operands[0].u64, operands[1].u32, operands + 2, count);
}

void array_copy(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t /*from*/) {
  calls::array_copy(vm, kHere, shift_of(vm, type), operands[0].u64, operands[1].u32, operands[2].u64, operands[3].u32,
                    operands[4].u32);
}

void array_init_data(VmContext* vm, Slot* operands, std::uint64_t type, std::uint64_t segment) {
  calls::array_init_data(vm, kHere, shift_of(vm, type), index_of(segment), operands[0].u64, operands[1].u32,
                         operands[2].u32, operands[3].u32);
}

void array_init_elem(VmContext* vm, Slot* operands, std::uint64_t /*type*/, std::uint64_t segment) {
  calls::array_init_elem(vm, kHere, index_of(segment), operands[0].u64, operands[1].u32, operands[2].u32,
                         operands[3].u32);
}

// --- casts

void ref_test(VmContext* vm, Slot* operands, std::uint64_t test, std::uint64_t /*b*/) {
  operands[0].u64 = passes_test(vm, operands[0].u64, test) ? 1 : 0;
}

// The test knows what becomes of null.
void ref_test_null(VmContext* vm, Slot* operands, std::uint64_t test, std::uint64_t b) {
  ref_test(vm, operands, test, b);
}

void ref_cast(VmContext* vm, Slot* operands, std::uint64_t test, std::uint64_t /*b*/) {
  if (!passes_test(vm, operands[0].u64, test)) calls::trap_at(vm, kHere, TrapCode::cast_failure);
}

void ref_cast_null(VmContext* vm, Slot* operands, std::uint64_t test, std::uint64_t b) {
  ref_cast(vm, operands, test, b);
}

}  // namespace wasi::runtime::services

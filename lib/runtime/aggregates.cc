#include "runtime/aggregates.h"

#include "runtime/instance.h"

namespace wasi::runtime {

namespace {

std::uint8_t shift_of(const GcHeap& heap, wasm::TypeId array) { return heap.layouts()[array].element_shift; }

// Memory for an array with its head written, elements anything.
Object* take_array(GcHeap& heap, wasm::TypeId type, std::uint32_t length) {
  std::uint8_t* memory = heap.take(sizeof(Object) + (std::uint64_t{length} << shift_of(heap, type)));
  return memory == nullptr ? nullptr : Object::at(memory, Object::head({ObjectKind::array, type}, length));
}

}  // namespace

Object* new_structure(GcHeap& heap, wasm::TypeId type, const Slot* fields) {
  const std::uint64_t words = heap.layouts()[type].words;
  std::uint8_t* memory = heap.take(sizeof(Object) + words * sizeof(Slot));
  if (memory == nullptr) return nullptr;
  Object* object = Object::at(memory, Object::head({ObjectKind::structure, type}));
  if (words != 0) std::memcpy(object->words(), fields, words * sizeof(Slot));
  return object;
}

Object* new_array(GcHeap& heap, wasm::TypeId type, const Slot* element, std::uint32_t length) {
  Object* array = take_array(heap, type, length);
  if (array != nullptr) fill_array(*array, shift_of(heap, type), 0, element, length);
  return array;
}

Object* new_array_fixed(GcHeap& heap, wasm::TypeId type, const Slot* elements, std::uint32_t length) {
  Object* array = take_array(heap, type, length);
  if (array == nullptr) return nullptr;
  const std::uint8_t shift = shift_of(heap, type);
  const std::size_t slots = shift == 4 ? 2 : 1;
  for (std::uint32_t i = 0; i < length; ++i) {
    std::memcpy(array->elements() + (std::size_t{i} << shift), elements + i * slots, std::size_t{1} << shift);
  }
  return array;
}

void fill_array(Object& array, std::uint8_t shift, std::uint32_t at, const Slot* element, std::uint32_t count) {
  std::uint8_t* begin = array.elements() + (std::size_t{at} << shift);
  if (shift == 0) {
    if (count != 0) std::memset(begin, static_cast<std::uint8_t>(element->u32), count);
    return;
  }
  const std::size_t size = std::size_t{1} << shift;
  for (std::uint32_t i = 0; i < count; ++i) std::memcpy(begin + i * size, element, size);
}

void copy_array(Object& to, std::uint32_t to_index, const Object& from, std::uint32_t from_index, std::uint8_t shift,
                std::uint32_t count) {
  if (count == 0) return;
  std::memmove(to.elements() + (std::size_t{to_index} << shift),
               const_cast<Object&>(from).elements() + (std::size_t{from_index} << shift), std::size_t{count} << shift);
}

void init_array_data(Object& array, std::uint8_t shift, std::uint32_t at, Instance& instance, std::uint32_t segment,
                     std::uint32_t offset, std::uint32_t count) {
  if (count == 0) return;
  std::memcpy(array.elements() + (std::size_t{at} << shift), instance.data(segment).data() + offset,
              std::size_t{count} << shift);
}

void init_array_elements(Object& array, std::uint32_t at, Instance& instance, std::uint32_t segment,
                         std::uint32_t offset, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) array.words()[at + i].ref = instance.element(segment, offset + i);
}

}  // namespace wasi::runtime

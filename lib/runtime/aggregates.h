// Operations on structures and arrays, for constant expressions and for tiers.
//
// Values come and go as slots: one each, a v128 two. Those that make objects return null when the heap is full; they
// may collect (gc_heap.h says what that asks of the caller), so values that they are handed lie in roots. Source:
// https://webassembly.github.io/spec/core/exec/instructions.html#aggregate-instructions
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/frame.h"
#include "runtime/gc_heap.h"

namespace wasi::runtime {

class Instance;

Object* new_structure(GcHeap& heap, wasm::TypeId type, const Slot* fields);
Object* new_array(GcHeap& heap, wasm::TypeId type, const Slot* element, std::uint32_t length);
Object* new_array_fixed(GcHeap& heap, wasm::TypeId type, const Slot* elements, std::uint32_t length);

// [at, at + count) of `size` elements.
constexpr bool is_within(std::uint64_t at, std::uint64_t count, std::uint64_t size) {
  return at <= size && count <= size - at;
}

// The ranges lie within the arrays and segments.
void fill_array(Object& array, std::uint8_t shift, std::uint32_t at, const Slot* element, std::uint32_t count);
void copy_array(Object& to, std::uint32_t to_index, const Object& from, std::uint32_t from_index, std::uint8_t shift,
                std::uint32_t count);
// Bytes of a data segment, from `offset` on.
void init_array_data(Object& array, std::uint8_t shift, std::uint32_t at, Instance& instance, std::uint32_t segment,
                     std::uint32_t offset, std::uint32_t count);
void init_array_elements(Object& array, std::uint32_t at, Instance& instance, std::uint32_t segment,
                         std::uint32_t offset, std::uint32_t count);

}  // namespace wasi::runtime

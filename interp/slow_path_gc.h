// What handlers of objects call (slow_path.h says how): allocation that needs the collector, whole arrays, rare casts.
#pragma once

#include <cstdint>

#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"
#include "runtime/vmcontext.h"

namespace wasi::interp {

// Memory for an object of this size, to be written before anything else is allocated.
[[gnu::noinline]] std::uint8_t* allocate_slowly(const std::uint8_t* ip, runtime::VmContext* vm, std::uint64_t bytes);

[[gnu::noinline]] runtime::Object* array_new(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t type,
                                             const runtime::Slot* element, std::uint32_t length);
[[gnu::noinline]] runtime::Object* array_new_default(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t type,
                                                     std::uint32_t length);
[[gnu::noinline]] runtime::Object* array_new_fixed(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t type,
                                                   const runtime::Slot* elements, std::uint32_t length);
[[gnu::noinline]] runtime::Object* array_new_data(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t type,
                                                  std::uint32_t segment, std::uint32_t offset, std::uint32_t length);
[[gnu::noinline]] runtime::Object* array_new_elem(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t type,
                                                  std::uint32_t segment, std::uint32_t offset, std::uint32_t length);

// `shift`: log2 of an element's bytes. Arrays may be null: that is a trap.
[[gnu::noinline]] void array_fill(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t shift,
                                  std::uint64_t array, std::uint32_t at, const runtime::Slot* element,
                                  std::uint32_t count);
[[gnu::noinline]] void array_copy(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t shift, std::uint64_t to,
                                  std::uint32_t to_index, std::uint64_t from, std::uint32_t from_index,
                                  std::uint32_t count);
[[gnu::noinline]] void array_init_data(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t shift,
                                       std::uint32_t segment, std::uint64_t array, std::uint32_t at,
                                       std::uint32_t offset, std::uint32_t count);
[[gnu::noinline]] void array_init_elem(const std::uint8_t* ip, runtime::VmContext* vm, std::uint32_t segment,
                                       std::uint64_t array, std::uint32_t at, std::uint32_t offset,
                                       std::uint32_t count);

[[gnu::noinline]] bool passes_test(runtime::VmContext* vm, std::uint64_t reference, std::uint64_t test);

}  // namespace wasi::interp

// Whether a reference is of a type: ref.test, ref.cast, and values that the host hands in.
#pragma once

#include <cstdint>

#include "runtime/gc_heap_cells.h"
#include "runtime/gc_heap_layout.h"
#include "runtime/gc_heap_object.h"

namespace wasi::runtime {

// For tests of mode `object`, which are nearly all: two loads and a comparison.
inline bool passes_object_test(const GcState& gc, std::uint64_t reference, TypeTest test) {
  if (!is_object(reference)) return reference == 0 && test.takes_null;
  const std::uint32_t type = object_of(reference)->type.id().value;
  return gc.layouts[type].display[test.depth] == test.type;
}

// For tests of any mode.
bool passes(const wasm::TypeRegistry& registry, const GcState& gc, std::uint64_t reference, TypeTest test);

}  // namespace wasi::runtime

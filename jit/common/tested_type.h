// What casts, tests and branches on types need: which type they name, and which references are of type eqref.
#pragma once

#include <cstdint>

#include "runtime/gc_heap_object.h"
#include "wasm/module.h"

namespace wasi::jit {

// The index of the concrete type that the instruction at that byte of the module, which is validated, tests for: the
// walk only says which type it is.
std::uint32_t tested_type(const wasm::Module& module, std::uint64_t offset);

// References of this type are null or objects, as far as the type says.
bool is_object_type(const wasm::TypeRegistry& registry, wasm::HeapType heap);

// Of the objects of a type that is no function's.
runtime::ObjectKind object_kind(wasm::CompositeKind kind);

// A bit for each value of the lower three bits of a reference (gc_heap_object.h): whether it is an i31 or an object,
// where it is not null. Four times, since machines look at the lower five.
inline constexpr std::uint32_t kEqTags = 0xABABABAB;

}  // namespace wasi::jit

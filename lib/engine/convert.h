// Between the public types and values and the engine's own.
#pragma once

#include <wasi/error.h>
#include <wasi/types.h>
#include <wasi/values.h>

#include <algorithm>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/frame.h"
#include "runtime/store.h"
#include "wasm/module.h"
#include "wasm/type_registry.h"
#include "wasm/types.h"

namespace wasi::detail {

// The error of a handle, to a `what`, whose store does not exist any more.
std::unexpected<Error> gone(std::string_view what);

inline wasm::ValType to_internal(ValueType type) { return std::bit_cast<wasm::ValType>(type.bits()); }
inline ValueType to_public(wasm::ValType type) { return ValueType::from_bits(type.bits()); }

wasm::FuncType to_internal(std::span<const ValueType> params, std::span<const ValueType> results);
wasm::MemoryType to_internal(const MemoryType& type);
wasm::TableType to_internal(const TableType& type);
wasm::GlobalType to_internal(const GlobalType& type);
FunctionType to_public(const wasm::FuncType& type);
MemoryType to_public(const wasm::MemoryType& type);
TableType to_public(const wasm::TableType& type);
GlobalType to_public(const wasm::GlobalType& type);

// That the bits are a type of the engine, and keeps the definition that it refers to, if any. An embedder may have made
// them up (ValueType::from_bits), or kept them for longer than the module whose type it was. The error has the kind
// `argument`.
Result<wasm::TypeRef> hold_type(ValueType type, wasm::TypeRegistry& registry);
// A function type. Fails as above, with `limit` for more parameters or results than modules may have, or where the
// engine holds too many types.
Result<wasm::TypeRef> add_function_type(wasm::TypeRegistry& registry, std::span<const ValueType> params,
                                        std::span<const ValueType> results);

// That a host may make an object of this type: bounds in their order and within the address type, a maximum where a
// memory is shared. Modules' own types were validated. The error has the kind `argument` and says what cannot be.
Result<void> check_type(const wasm::MemoryType& type);
Result<void> check_type(const wasm::TableType& type);

// What an embedder gives as the store counts it.
inline std::int64_t to_fuel(std::uint64_t fuel) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(fuel, kMost));
}

// The type of an import, or of the thing that an export names.
ExternType type_of(const wasm::Module& module, const wasm::Import& import);
ExternType type_of(const wasm::Module& module, const wasm::Export& exported);

// True when `value` may stand where `type`, which is a type of the engine, is asked for; a reference that is not null
// counts with the type of what it refers to, which belongs to the store.
bool fits(runtime::Store& store, const Value& value, wasm::ValType type);
// The same of a reference that is the store's own, of a type with the same top.
bool reference_fits(runtime::Store& store, std::uint64_t reference, wasm::ValType type);

// Whether a reference is null, or the store's, or nobody's (an i31, an
// ExternRef).
bool belongs_to(runtime::Store& store, const Value& value);
// A reference that is there, with what keeps it alive.
Value make_reference(runtime::Store& store, ValueType type, std::uint64_t reference);

// Writes a value that fits; reads one of a known type.
void write_value(runtime::Slot* slots, const Value& value);
Value read_value(runtime::Store& store, const runtime::Slot* slots, wasm::ValType type);

// Writes values that fit one after the other. The first that does not fit is an error which names it:
// "argument 2 is f32, expected i32"; so is a wrong count.
std::optional<std::string> write_values(runtime::Slot* slots, std::span<const Value> values,
                                        std::span<const wasm::ValType> types, runtime::Store& store, const char* what);
void read_values(runtime::Store& store, const runtime::Slot* slots, std::span<const wasm::ValType> types,
                 std::span<Value> values);

}  // namespace wasi::detail

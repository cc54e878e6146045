// Types as the C interface has them, and what they are in C++.
#pragma once

#include <wasi/types.h>

#include <cstdint>
#include <memory>

#include "c_api/vector.h"
#include "wasirun.h"
#include "wasm/type_registry.h"

struct wasm_valtype_t {
  wasi::ValueType type;
  wasm_valkind_t kind;  // which depends on the engine for types that a module defines
};

namespace wasi::c {

using OwnedBytes = Owned<wasm_byte_vec_t, wasm_byte_vec_delete>;
using OwnedValtypes = Owned<wasm_valtype_vec_t, wasm_valtype_vec_delete>;

}  // namespace wasi::c

struct wasm_externtype_t {
  explicit wasm_externtype_t(wasm_externkind_t its_kind) : kind(its_kind) {}
  wasm_externtype_t(const wasm_externtype_t&) = delete;
  wasm_externtype_t& operator=(const wasm_externtype_t&) = delete;
  virtual ~wasm_externtype_t() = default;
  const wasm_externkind_t kind;
};

struct wasm_functype_t final : wasm_externtype_t {
  wasm_functype_t() : wasm_externtype_t(WASM_EXTERN_FUNC) {}
  wasi::c::OwnedValtypes params;
  wasi::c::OwnedValtypes results;
};

struct wasm_globaltype_t final : wasm_externtype_t {
  wasm_globaltype_t() : wasm_externtype_t(WASM_EXTERN_GLOBAL) {}
  wasm_valtype_t content = {};
  wasm_mutability_t mutability = WASM_CONST;
};

struct wasm_tabletype_t final : wasm_externtype_t {
  wasm_tabletype_t() : wasm_externtype_t(WASM_EXTERN_TABLE) {}
  wasm_valtype_t element = {};
  wasi::TableType type;  // but for its element
  wasm_limits_t limits = {};
};

struct wasm_memorytype_t final : wasm_externtype_t {
  wasm_memorytype_t() : wasm_externtype_t(WASM_EXTERN_MEMORY) {}
  wasi::MemoryType type;
  wasm_limits_t limits = {};
};

struct wasirun_tagtype_t final : wasm_externtype_t {
  wasirun_tagtype_t() : wasm_externtype_t(WASIRUN_EXTERN_TAG) {}
  wasi::c::OwnedValtypes params;
};

struct wasm_importtype_t {
  wasi::c::OwnedBytes module;
  wasi::c::OwnedBytes name;
  std::unique_ptr<wasm_externtype_t> type;
};

struct wasm_exporttype_t {
  wasi::c::OwnedBytes name;
  std::unique_ptr<wasm_externtype_t> type;
};

namespace wasi::c {

// The kind of values of a type, which is a type of the registry's engine.
wasm_valkind_t kind_of(ValueType type, const wasm::TypeRegistry& registry);
wasm_valkind_t kind_of(wasm::ValType type, const wasm::TypeRegistry& registry);

// C++ -> C. They throw std::bad_alloc.
wasm_valtype_t make_valtype(ValueType type, const wasm::TypeRegistry& registry);
std::unique_ptr<wasm_functype_t> make_type(const FunctionType& type, const wasm::TypeRegistry& registry);
std::unique_ptr<wasm_globaltype_t> make_type(const GlobalType& type, const wasm::TypeRegistry& registry);
std::unique_ptr<wasm_tabletype_t> make_type(const TableType& type, const wasm::TypeRegistry& registry);
std::unique_ptr<wasm_memorytype_t> make_type(const MemoryType& type, const wasm::TypeRegistry& registry);
std::unique_ptr<wasirun_tagtype_t> make_type(const TagType& type, const wasm::TypeRegistry& registry);
std::unique_ptr<wasm_externtype_t> make_type(const ExternType& type, const wasm::TypeRegistry& registry);
// A name, or with `with_nul` a message.
OwnedBytes make_bytes(std::string_view text, bool with_nul = false);

// C -> C++.
std::vector<ValueType> types_in(const wasm_valtype_vec_t& types);
FunctionType type_in(const wasm_functype_t& type);
GlobalType type_in(const wasm_globaltype_t& type);
TableType type_in(const wasm_tabletype_t& type);
ExternType type_in(const wasm_externtype_t& type);

}  // namespace wasi::c

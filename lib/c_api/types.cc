// Types of the C interface.
#include "c_api/types.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <variant>

#include "engine/convert.h"

namespace wasi::c {

namespace {

wasm_limits_t limits_of(const Limits& limits) {
  const std::uint64_t most = wasm_limits_max_default;
  return {static_cast<std::uint32_t>(std::min(limits.min, most)),
          static_cast<std::uint32_t>(std::min(limits.max.value_or(most), most))};
}

Limits limits_in(const wasm_limits_t& limits) {
  Limits converted{.min = limits.min};
  if (limits.max != wasm_limits_max_default) converted.max = limits.max;
  return converted;
}

Limits limits_in(std::uint64_t min, std::uint64_t max) {
  Limits converted{.min = min};
  if (max != WASIRUN_NO_MAXIMUM) converted.max = max;
  return converted;
}

// The type of a kind that names one.
Result<wasm_valtype_t> valtype_of(wasm_valkind_t kind) {
  switch (kind) {
    case WASM_I32:
      return wasm_valtype_t{ValueType::i32(), kind};
    case WASM_I64:
      return wasm_valtype_t{ValueType::i64(), kind};
    case WASM_F32:
      return wasm_valtype_t{ValueType::f32(), kind};
    case WASM_F64:
      return wasm_valtype_t{ValueType::f64(), kind};
    case WASM_EXTERNREF:
      return wasm_valtype_t{ValueType::externref(), kind};
    case WASM_FUNCREF:
      return wasm_valtype_t{ValueType::funcref(), kind};
    case WASIRUN_V128:
      return wasm_valtype_t{ValueType::v128(), kind};
    case WASIRUN_ANYREF:
      return wasm_valtype_t{ValueType::anyref(), kind};
    case WASIRUN_EXNREF:
      return wasm_valtype_t{detail::to_public(wasm::ValType::ref(wasm::AbstractHeap::exn, true)), kind};
    default:
      return fail(ErrorKind::argument, "there is no kind {} of values", kind);
  }
}

OwnedValtypes make_valtypes(const std::vector<ValueType>& types, const wasm::TypeRegistry& registry) {
  OwnedValtypes made;
  if (!allocate(*made, types.size())) throw std::bad_alloc();
  for (std::size_t i = 0; i < types.size(); ++i) made->data[i] = new wasm_valtype_t(make_valtype(types[i], registry));
  return made;
}

OwnedValtypes copy_of(const OwnedValtypes& types) {
  OwnedValtypes copied;
  wasm_valtype_vec_copy(&*copied, &*types);
  if (copied->size != types->size) throw std::bad_alloc();
  return copied;
}

OwnedBytes copy_of(const OwnedBytes& bytes) { return make_bytes({bytes->data, bytes->size}); }

bool has_null(const wasm_valtype_vec_t& types) {
  return std::any_of(types.data, types.data + types.size, [](const auto* type) { return type == nullptr; });
}

std::unique_ptr<wasm_functype_t> copy_type(const wasm_functype_t& type) {
  auto copied = std::make_unique<wasm_functype_t>();
  copied->params = copy_of(type.params);
  copied->results = copy_of(type.results);
  return copied;
}

std::unique_ptr<wasm_globaltype_t> copy_type(const wasm_globaltype_t& type) {
  auto copied = std::make_unique<wasm_globaltype_t>();
  copied->content = type.content;
  copied->mutability = type.mutability;
  return copied;
}

std::unique_ptr<wasm_tabletype_t> copy_type(const wasm_tabletype_t& type) {
  auto copied = std::make_unique<wasm_tabletype_t>();
  copied->element = type.element;
  copied->type = type.type;
  copied->limits = type.limits;
  return copied;
}

std::unique_ptr<wasm_memorytype_t> copy_type(const wasm_memorytype_t& type) {
  auto copied = std::make_unique<wasm_memorytype_t>();
  copied->type = type.type;
  copied->limits = type.limits;
  return copied;
}

std::unique_ptr<wasirun_tagtype_t> copy_type(const wasirun_tagtype_t& type) {
  auto copied = std::make_unique<wasirun_tagtype_t>();
  copied->params = copy_of(type.params);
  return copied;
}

std::unique_ptr<wasm_externtype_t> copy_type(const wasm_externtype_t& type) {
  switch (type.kind) {
    case WASM_EXTERN_FUNC:
      return copy_type(static_cast<const wasm_functype_t&>(type));
    case WASM_EXTERN_GLOBAL:
      return copy_type(static_cast<const wasm_globaltype_t&>(type));
    case WASM_EXTERN_TABLE:
      return copy_type(static_cast<const wasm_tabletype_t&>(type));
    case WASM_EXTERN_MEMORY:
      return copy_type(static_cast<const wasm_memorytype_t&>(type));
    default:
      return copy_type(static_cast<const wasirun_tagtype_t&>(type));
  }
}

std::unique_ptr<wasm_importtype_t> copy_type(const wasm_importtype_t& type) {
  return std::make_unique<wasm_importtype_t>(copy_of(type.module), copy_of(type.name), copy_type(*type.type));
}

std::unique_ptr<wasm_exporttype_t> copy_type(const wasm_exporttype_t& type) {
  return std::make_unique<wasm_exporttype_t>(copy_of(type.name), copy_type(*type.type));
}

template <class T>
T* copied(const T* type) {
  return attempt<T*>(nullptr, [&]() -> Result<T*> {
    if (type == nullptr) return null_argument("type");
    return copy_type(*type).release();
  });
}

// The type as the kind that it is, or null.
template <class T>
const T* as_kind(const wasm_externtype_t* type, wasm_externkind_t kind) {
  return type != nullptr && type->kind == kind ? static_cast<const T*>(type) : nullptr;
}

void set_text(wasm_message_t* out, std::string_view text) { *out = make_bytes(text, true).release(); }

}  // namespace

wasm_valkind_t kind_of(wasm::ValType type, const wasm::TypeRegistry& registry) {
  if (type == wasm::kI32) return WASM_I32;
  if (type == wasm::kI64) return WASM_I64;
  if (type == wasm::kF32) return WASM_F32;
  if (type == wasm::kF64) return WASM_F64;
  if (!type.is_ref()) return WASIRUN_V128;
  switch (registry.top_of(type.heap())) {
    case wasm::AbstractHeap::func:
      return WASM_FUNCREF;
    case wasm::AbstractHeap::extern_:
      return WASM_EXTERNREF;
    case wasm::AbstractHeap::exn:
      return WASIRUN_EXNREF;
    default:
      return WASIRUN_ANYREF;
  }
}

wasm_valkind_t kind_of(ValueType type, const wasm::TypeRegistry& registry) {
  return kind_of(detail::to_internal(type), registry);
}

wasm_valtype_t make_valtype(ValueType type, const wasm::TypeRegistry& registry) {
  return {type, kind_of(type, registry)};
}

std::unique_ptr<wasm_functype_t> make_type(const FunctionType& type, const wasm::TypeRegistry& registry) {
  auto made = std::make_unique<wasm_functype_t>();
  made->params = make_valtypes(type.params, registry);
  made->results = make_valtypes(type.results, registry);
  return made;
}

std::unique_ptr<wasm_globaltype_t> make_type(const GlobalType& type, const wasm::TypeRegistry& registry) {
  auto made = std::make_unique<wasm_globaltype_t>();
  made->content = make_valtype(type.type, registry);
  made->mutability = type.is_mutable ? WASM_VAR : WASM_CONST;
  return made;
}

std::unique_ptr<wasm_tabletype_t> make_type(const TableType& type, const wasm::TypeRegistry& registry) {
  auto made = std::make_unique<wasm_tabletype_t>();
  made->element = make_valtype(type.element, registry);
  made->type = type;
  made->limits = limits_of(type.limits);
  return made;
}

std::unique_ptr<wasm_memorytype_t> make_type(const MemoryType& type, const wasm::TypeRegistry& /*registry*/) {
  auto made = std::make_unique<wasm_memorytype_t>();
  made->type = type;
  made->limits = limits_of(type.limits);
  return made;
}

std::unique_ptr<wasirun_tagtype_t> make_type(const TagType& type, const wasm::TypeRegistry& registry) {
  auto made = std::make_unique<wasirun_tagtype_t>();
  made->params = make_valtypes(type.function.params, registry);
  return made;
}

std::unique_ptr<wasm_externtype_t> make_type(const ExternType& type, const wasm::TypeRegistry& registry) {
  return std::visit([&](const auto& each) -> std::unique_ptr<wasm_externtype_t> { return make_type(each, registry); },
                    type.type);
}

OwnedBytes make_bytes(std::string_view text, bool with_nul) {
  OwnedBytes made;
  if (!allocate(*made, text.size() + (with_nul ? 1 : 0))) throw std::bad_alloc();
  std::copy(text.begin(), text.end(), made->data);
  if (with_nul) made->data[text.size()] = 0;
  return made;
}

std::vector<ValueType> types_in(const wasm_valtype_vec_t& types) {
  std::vector<ValueType> converted;
  converted.reserve(types.size);
  for (std::size_t i = 0; i < types.size; ++i) converted.push_back(types.data[i]->type);
  return converted;
}

FunctionType type_in(const wasm_functype_t& type) { return {types_in(*type.params), types_in(*type.results)}; }

GlobalType type_in(const wasm_globaltype_t& type) { return {type.content.type, type.mutability == WASM_VAR}; }

TableType type_in(const wasm_tabletype_t& type) {
  TableType converted = type.type;
  converted.element = type.element.type;
  return converted;
}

ExternType type_in(const wasm_externtype_t& type) {
  switch (type.kind) {
    case WASM_EXTERN_FUNC:
      return {type_in(static_cast<const wasm_functype_t&>(type))};
    case WASM_EXTERN_GLOBAL:
      return {type_in(static_cast<const wasm_globaltype_t&>(type))};
    case WASM_EXTERN_TABLE:
      return {type_in(static_cast<const wasm_tabletype_t&>(type))};
    case WASM_EXTERN_MEMORY:
      return {static_cast<const wasm_memorytype_t&>(type).type};
    default:
      return {TagType{{types_in(*static_cast<const wasirun_tagtype_t&>(type).params), {}}}};
  }
}

}  // namespace wasi::c

using namespace wasi;

// wasm_NAME_delete and wasm_NAME_copy of a type, and its vectors.
#define WASIRUN_DEFINE_TYPE(name)                                                              \
  void wasm_##name##_delete(wasm_##name##_t* type) { delete type; }                            \
  wasm_##name##_t* wasm_##name##_copy(const wasm_##name##_t* type) { return c::copied(type); } \
  WASIRUN_DEFINE_VEC(name)
#define WASIRUN_DEFINE_EXTERNTYPE(name, its_kind)                                                          \
  WASIRUN_DEFINE_TYPE(name)                                                                                \
  wasm_externtype_t* wasm_##name##_as_externtype(wasm_##name##_t* type) { return type; }                   \
  const wasm_externtype_t* wasm_##name##_as_externtype_const(const wasm_##name##_t* type) { return type; } \
  wasm_##name##_t* wasm_externtype_as_##name(wasm_externtype_t* type) {                                    \
    return const_cast<wasm_##name##_t*>(wasm_externtype_as_##name##_const(type));                          \
  }                                                                                                        \
  const wasm_##name##_t* wasm_externtype_as_##name##_const(const wasm_externtype_t* type) {                \
    return c::as_kind<wasm_##name##_t>(type, its_kind);                                                    \
  }

void wasm_valtype_delete(wasm_valtype_t* type) { delete type; }
wasm_valtype_t* wasm_valtype_copy(const wasm_valtype_t* type) {
  return c::attempt<wasm_valtype_t*>(nullptr, [&]() -> Result<wasm_valtype_t*> {
    if (type == nullptr) return c::null_argument("type");
    return new wasm_valtype_t(*type);
  });
}
WASIRUN_DEFINE_VEC(valtype)
WASIRUN_DEFINE_EXTERNTYPE(functype, WASM_EXTERN_FUNC)
WASIRUN_DEFINE_EXTERNTYPE(globaltype, WASM_EXTERN_GLOBAL)
WASIRUN_DEFINE_EXTERNTYPE(tabletype, WASM_EXTERN_TABLE)
WASIRUN_DEFINE_EXTERNTYPE(memorytype, WASM_EXTERN_MEMORY)
WASIRUN_DEFINE_TYPE(externtype)
WASIRUN_DEFINE_TYPE(importtype)
WASIRUN_DEFINE_TYPE(exporttype)

wasm_valtype_t* wasm_valtype_new(wasm_valkind_t kind) {
  return c::attempt<wasm_valtype_t*>(nullptr, [&]() -> Result<wasm_valtype_t*> {
    const wasm_valtype_t type = WASI_TRY(c::valtype_of(kind));
    return new wasm_valtype_t(type);
  });
}

wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t* type) { return type->kind; }

wasm_functype_t* wasm_functype_new(wasm_valtype_vec_t* params, wasm_valtype_vec_t* results) {
  c::OwnedValtypes taken_params(params);
  c::OwnedValtypes taken_results(results);
  return c::attempt<wasm_functype_t*>(nullptr, [&]() -> Result<wasm_functype_t*> {
    if (c::has_null(*taken_params) || c::has_null(*taken_results)) return c::null_argument("type of a value");
    auto type = std::make_unique<wasm_functype_t>();
    type->params = std::move(taken_params);
    type->results = std::move(taken_results);
    return type.release();
  });
}

const wasm_valtype_vec_t* wasm_functype_params(const wasm_functype_t* type) { return &*type->params; }
const wasm_valtype_vec_t* wasm_functype_results(const wasm_functype_t* type) { return &*type->results; }

wasm_globaltype_t* wasm_globaltype_new(wasm_valtype_t* content, wasm_mutability_t mutability) {
  const std::unique_ptr<wasm_valtype_t> taken(content);
  return c::attempt<wasm_globaltype_t*>(nullptr, [&]() -> Result<wasm_globaltype_t*> {
    if (taken == nullptr) return c::null_argument("type of the value");
    if (mutability > WASM_VAR) return fail(ErrorKind::argument, "there is no mutability {}", mutability);
    auto type = std::make_unique<wasm_globaltype_t>();
    type->content = *taken;
    type->mutability = mutability;
    return type.release();
  });
}

const wasm_valtype_t* wasm_globaltype_content(const wasm_globaltype_t* type) { return &type->content; }
wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t* type) { return type->mutability; }

namespace {

wasm_tabletype_t* new_tabletype(wasm_valtype_t* element, const TableType& table) {
  const std::unique_ptr<wasm_valtype_t> taken(element);
  return c::attempt<wasm_tabletype_t*>(nullptr, [&]() -> Result<wasm_tabletype_t*> {
    if (taken == nullptr) return c::null_argument("type of the elements");
    auto type = std::make_unique<wasm_tabletype_t>();
    type->element = *taken;
    type->type = table;
    type->limits = c::limits_of(table.limits);
    return type.release();
  });
}

wasm_memorytype_t* new_memorytype(const MemoryType& memory) {
  return c::attempt<wasm_memorytype_t*>(nullptr, [&]() -> Result<wasm_memorytype_t*> {
    auto type = std::make_unique<wasm_memorytype_t>();
    type->type = memory;
    type->limits = c::limits_of(memory.limits);
    return type.release();
  });
}

}  // namespace

wasm_tabletype_t* wasm_tabletype_new(wasm_valtype_t* element, const wasm_limits_t* limits) {
  return new_tabletype(element, {.limits = limits == nullptr ? Limits() : c::limits_in(*limits)});
}
const wasm_valtype_t* wasm_tabletype_element(const wasm_tabletype_t* type) { return &type->element; }
const wasm_limits_t* wasm_tabletype_limits(const wasm_tabletype_t* type) { return &type->limits; }

wasm_memorytype_t* wasm_memorytype_new(const wasm_limits_t* limits) {
  return new_memorytype({.limits = limits == nullptr ? Limits() : c::limits_in(*limits)});
}
const wasm_limits_t* wasm_memorytype_limits(const wasm_memorytype_t* type) { return &type->limits; }

wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t* type) { return type->kind; }

wasm_importtype_t* wasm_importtype_new(wasm_name_t* module, wasm_name_t* name, wasm_externtype_t* type) {
  c::OwnedBytes taken_module(module);
  c::OwnedBytes taken_name(name);
  std::unique_ptr<wasm_externtype_t> taken(type);
  return c::attempt<wasm_importtype_t*>(nullptr, [&]() -> Result<wasm_importtype_t*> {
    if (taken == nullptr) return c::null_argument("type of the import");
    return new wasm_importtype_t{std::move(taken_module), std::move(taken_name), std::move(taken)};
  });
}
const wasm_name_t* wasm_importtype_module(const wasm_importtype_t* type) { return &*type->module; }
const wasm_name_t* wasm_importtype_name(const wasm_importtype_t* type) { return &*type->name; }
const wasm_externtype_t* wasm_importtype_type(const wasm_importtype_t* type) { return type->type.get(); }

wasm_exporttype_t* wasm_exporttype_new(wasm_name_t* name, wasm_externtype_t* type) {
  c::OwnedBytes taken_name(name);
  std::unique_ptr<wasm_externtype_t> taken(type);
  return c::attempt<wasm_exporttype_t*>(nullptr, [&]() -> Result<wasm_exporttype_t*> {
    if (taken == nullptr) return c::null_argument("type of the export");
    return new wasm_exporttype_t{std::move(taken_name), std::move(taken)};
  });
}
const wasm_name_t* wasm_exporttype_name(const wasm_exporttype_t* type) { return &*type->name; }
const wasm_externtype_t* wasm_exporttype_type(const wasm_exporttype_t* type) { return type->type.get(); }

// ---- wasirun.h ----

void wasirun_valtype_text(const wasm_valtype_t* type, wasm_message_t* out) {
  *out = {0, nullptr};
  c::attempt([&] { c::set_text(out, type->type.to_string()); });
}

void wasirun_externtype_text(const wasm_externtype_t* type, wasm_message_t* out) {
  *out = {0, nullptr};
  c::attempt([&] { c::set_text(out, c::type_in(*type).to_string()); });
}

bool wasirun_valtype_is_nullable(const wasm_valtype_t* type) {
  return type->type.is_reference() && type->type == type->type.as_nullable();
}

wasm_memorytype_t* wasirun_memorytype_new(const wasirun_memory_traits_t* traits) {
  return new_memorytype({.limits = c::limits_in(traits->min, traits->max),
                         .is_64 = traits->is_64,
                         .is_shared = traits->is_shared,
                         .page_size = traits->page_size});
}

void wasirun_memorytype_traits(const wasm_memorytype_t* type, wasirun_memory_traits_t* out) {
  const MemoryType& memory = type->type;
  *out = {.min = memory.limits.min,
          .max = memory.limits.max.value_or(WASIRUN_NO_MAXIMUM),
          .page_size = memory.page_size,
          .is_64 = memory.is_64,
          .is_shared = memory.is_shared};
}

wasm_tabletype_t* wasirun_tabletype_new(wasm_valtype_t* element, const wasirun_table_traits_t* traits) {
  return new_tabletype(element, {.limits = c::limits_in(traits->min, traits->max), .is_64 = traits->is_64});
}

void wasirun_tabletype_traits(const wasm_tabletype_t* type, wasirun_table_traits_t* out) {
  const TableType& table = type->type;
  *out = {.min = table.limits.min, .max = table.limits.max.value_or(WASIRUN_NO_MAXIMUM), .is_64 = table.is_64};
}

void wasirun_tagtype_delete(wasirun_tagtype_t* type) { delete type; }

wasirun_tagtype_t* wasirun_tagtype_new(wasm_valtype_vec_t* params) {
  c::OwnedValtypes taken(params);
  return c::attempt<wasirun_tagtype_t*>(nullptr, [&]() -> Result<wasirun_tagtype_t*> {
    if (c::has_null(*taken)) return c::null_argument("type of a value");
    auto type = std::make_unique<wasirun_tagtype_t>();
    type->params = std::move(taken);
    return type.release();
  });
}

const wasm_valtype_vec_t* wasirun_tagtype_params(const wasirun_tagtype_t* type) { return &*type->params; }
const wasm_externtype_t* wasirun_tagtype_as_externtype_const(const wasirun_tagtype_t* type) { return type; }
const wasirun_tagtype_t* wasirun_externtype_as_tagtype_const(const wasm_externtype_t* type) {
  return c::as_kind<wasirun_tagtype_t>(type, WASIRUN_EXTERN_TAG);
}

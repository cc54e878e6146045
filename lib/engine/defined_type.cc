// Defined types as embedders see them.
#include <wasi/defined_type.h>

#include <fmt/format.h>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/state.h"
#include "validate/types.h"
#include "wasm/limits.h"

namespace wasi {

using detail::Internals;

namespace {

using Packed = wasm::StorageType::Packed;
static_assert(static_cast<int>(Packed::i8) == static_cast<int>(FieldType::Packing::i8) &&
              static_cast<int>(Packed::i16) == static_cast<int>(FieldType::Packing::i16));

FieldType to_public(const wasm::FieldType& field) {
  return {.type = detail::to_public(field.storage.unpacked()),
          .packing = static_cast<FieldType::Packing>(field.storage.packed()),
          .is_mutable = field.is_mutable};
}

const wasm::SubType& contents_of(const detail::TypeDefinition& definition) {
  return definition.engine->registry->at(definition.type.id());
}

// A field as the engine has it; what it refers to is put into `held`.
Result<wasm::FieldType> to_internal(const FieldType& field, wasm::TypeRegistry& registry,
                                    std::vector<wasm::TypeRef>& held) {
  if (field.packing != FieldType::Packing::none) {
    if (field.type != ValueType::i32()) {
      return fail(ErrorKind::argument, "a packed field is read as an i32, not as {}", field.type.to_string());
    }
    return wasm::FieldType{wasm::StorageType(static_cast<Packed>(field.packing)), field.is_mutable};
  }
  if (wasm::TypeRef reference = WASI_TRY(detail::hold_type(field.type, registry))) held.push_back(std::move(reference));
  return wasm::FieldType{detail::to_internal(field.type), field.is_mutable};
}

Result<DefinedType> define(const Engine& engine, wasm::CompositeKind kind, std::span<const FieldType> fields,
                           const TypeOptions& options) {
  return guarded([&]() -> Result<DefinedType> {
    const auto& state = Internals::state(engine);
    wasm::TypeRegistry& registry = *state->registry;
    if (fields.size() > wasm::kMaxFields) {
      return fail(ErrorKind::limit, "a structure has {} fields; at most {} are supported", fields.size(),
                  wasm::kMaxFields);
    }
    std::vector<wasm::TypeRef> held;  // until the type holds them
    wasm::SubType type{.kind = kind, .is_final = options.is_final, .super = {}, .func = {}, .fields = {}};
    for (const FieldType& field : fields) type.fields.push_back(WASI_TRY(to_internal(field, registry, held)));
    if (options.supertype != nullptr) {
      const detail::TypeDefinition& super = Internals::definition(*options.supertype);
      if (super.engine != state) return fail(ErrorKind::argument, "the supertype is one of another engine");
      if (contents_of(super).is_final) return fail(ErrorKind::argument, "the supertype is final");
      if (!validate::matches_supertype(registry, type, contents_of(super))) {
        return fail(ErrorKind::argument,
                    "the type does not match its supertype: it is of the same "
                    "kind, and its first "
                    "fields match those of the supertype");
      }
      type.super = wasm::HeapType(super.type.id());
    }
    auto added = registry.add_group({&type, 1});
    if (!added) return fail(ErrorKind::limit, "the engine holds too many types");
    return Internals::defined_type(state, std::move(*added));
  });
}

}  // namespace

DefinedType Internals::defined_type(std::shared_ptr<EngineState> engine, wasm::TypeRef type) {
  return DefinedType(std::make_shared<const TypeDefinition>(TypeDefinition{std::move(engine), std::move(type)}));
}

DefinedType Internals::defined_type(const std::shared_ptr<EngineState>& engine, wasm::TypeId held) {
  return defined_type(engine, engine->registry->hold(held).value());
}

std::string FieldType::to_string() const {
  const std::string storage = packing == Packing::i8 ? "i8" : packing == Packing::i16 ? "i16" : type.to_string();
  return is_mutable ? "(mut " + storage + ")" : storage;
}

Result<DefinedType> DefinedType::function(const Engine& engine, const FunctionType& type) {
  return guarded([&]() -> Result<DefinedType> {
    const auto& state = Internals::state(engine);
    return Internals::defined_type(state,
                                   WASI_TRY(detail::add_function_type(*state->registry, type.params, type.results)));
  });
}

Result<DefinedType> DefinedType::structure(const Engine& engine, std::span<const FieldType> fields,
                                           const TypeOptions& options) {
  return define(engine, wasm::CompositeKind::struct_, fields, options);
}

Result<DefinedType> DefinedType::array(const Engine& engine, const FieldType& element, const TypeOptions& options) {
  return define(engine, wasm::CompositeKind::array, {&element, 1}, options);
}

std::optional<DefinedType> DefinedType::of(const Engine& engine, ValueType reference) {
  const wasm::ValType type = detail::to_internal(reference);
  if (!type.is_ref() || !type.heap().is_concrete()) return std::nullopt;
  const auto& state = Internals::state(engine);
  std::optional<wasm::TypeRef> held = state->registry->hold(type.heap().id());
  if (!held) return std::nullopt;
  return Internals::defined_type(state, std::move(*held));
}

std::vector<DefinedType> DefinedType::all_of(const Module& module) {
  const auto& state = Internals::state(module);
  std::vector<DefinedType> types;
  types.reserve(state->module->types.size());
  for (const wasm::TypeId type : state->module->types) types.push_back(Internals::defined_type(state->engine, type));
  return types;
}

DefinedType::Kind DefinedType::kind() const {
  switch (contents_of(*definition_).kind) {
    case wasm::CompositeKind::struct_:
      return Kind::structure;
    case wasm::CompositeKind::array:
      return Kind::array;
    case wasm::CompositeKind::func:
      break;
  }
  return Kind::function;
}

FunctionType DefinedType::function_type() const { return detail::to_public(contents_of(*definition_).func); }

std::vector<FieldType> DefinedType::fields() const {
  std::vector<FieldType> fields;
  for (const wasm::FieldType& field : contents_of(*definition_).fields) fields.push_back(to_public(field));
  return fields;
}

std::optional<DefinedType> DefinedType::supertype() const {
  const auto& super = contents_of(*definition_).super;
  if (!super) return std::nullopt;
  return Internals::defined_type(definition_->engine, super->id());
}

bool DefinedType::is_final() const { return contents_of(*definition_).is_final; }

bool DefinedType::is_subtype_of(const DefinedType& other) const {
  return definition_->engine == other.definition_->engine &&
         definition_->engine->registry->is_subtype(definition_->type.id(), other.definition_->type.id());
}

ValueType DefinedType::reference(bool nullable) const {
  return detail::to_public(wasm::ValType::ref(wasm::HeapType(definition_->type.id()), nullable));
}

bool DefinedType::is_equal(const DefinedType& other) const {
  return definition_->engine == other.definition_->engine && definition_->type.id() == other.definition_->type.id();
}

bool is_subtype(const Engine& engine, ValueType sub, ValueType super) {
  wasm::TypeRegistry& registry = *Internals::state(engine)->registry;
  const auto held_sub = detail::hold_type(sub, registry);
  const auto held_super = detail::hold_type(super, registry);
  return held_sub && held_super && registry.matches(detail::to_internal(sub), detail::to_internal(super));
}

}  // namespace wasi

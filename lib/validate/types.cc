#include "validate/types.h"

#include <algorithm>

#include "base/result.h"
#include "wasm/limits.h"

namespace wasi::validate {
namespace {

bool list_matches(const wasm::TypeRegistry& registry, const std::vector<wasm::ValType>& sub,
                  const std::vector<wasm::ValType>& super) {
  return std::ranges::equal(sub, super, [&](wasm::ValType a, wasm::ValType b) { return registry.matches(a, b); });
}

// A field that can be written must have the same type in both; one that is only read may be narrower.
bool field_matches(const wasm::TypeRegistry& registry, const wasm::FieldType& sub, const wasm::FieldType& super) {
  if (sub.is_mutable != super.is_mutable || sub.storage.packed() != super.storage.packed()) return false;
  return sub.is_mutable ? sub.storage == super.storage
                        : registry.matches(sub.storage.unpacked(), super.storage.unpacked());
}

}  // namespace

bool matches_supertype(const wasm::TypeRegistry& registry, const wasm::SubType& sub, const wasm::SubType& super) {
  if (sub.kind != super.kind) return false;
  if (sub.kind == wasm::CompositeKind::func) {
    return list_matches(registry, super.func.params, sub.func.params) &&
           list_matches(registry, sub.func.results, super.func.results);
  }
  // A structure may have more fields behind those of its super type.
  if (sub.fields.size() < super.fields.size()) return false;
  return std::ranges::equal(super.fields, std::span(sub.fields).first(super.fields.size()),
                            [&](const auto& b, const auto& a) { return field_matches(registry, a, b); });
}

Result<void> validate_types(const wasm::Module& module) {
  const wasm::TypeRegistry& registry = *module.registry;
  const auto section = std::ranges::find(module.sections, 1, &wasm::Section::id);
  const std::uint64_t offset = section == module.sections.end() ? 0 : section->payload.offset;
  for (std::size_t i = 0; i < module.types.size(); ++i) {
    const wasm::SubType& type = registry.at(module.types[i]);
    if (type.func.params.size() > wasm::kMaxParams || type.func.results.size() > wasm::kMaxResults) {
      return fail_at(offset, ErrorKind::limit,
                     "type {} has {} parameters and {} results; at most {} and "
                     "{} are supported",
                     i, type.func.params.size(), type.func.results.size(), wasm::kMaxParams, wasm::kMaxResults);
    }
    if (type.fields.size() > wasm::kMaxFields) {
      return fail_at(offset, ErrorKind::limit, "type {} has {} fields; at most {} are supported", i, type.fields.size(),
                     wasm::kMaxFields);
    }
    if (!type.super) continue;
    const wasm::SubType& super = registry.at(type.super->id());
    if (super.is_final) {
      return fail_at(offset, ErrorKind::invalid, "sub type {} has a super type that is final", i);
    }
    if (!matches_supertype(registry, type, super)) {
      return fail_at(offset, ErrorKind::invalid, "sub type {} does not match its super type", i);
    }
  }
  return {};
}

}  // namespace wasi::validate

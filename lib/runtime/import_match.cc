// Import matching: by kind, then by the spec's rule of each kind.
#include "runtime/import_match.h"

#include "base/result.h"

namespace wasi::runtime {

namespace {

using wasm::ExternalKind;

// Limits as they are now: what matters is the present size, not the one at creation.
wasm::Limits current_limits(const Table& table) { return {.min = table.view.size, .max = table.type.limits.max}; }
wasm::Limits current_limits(const Memory& memory) { return {.min = memory.pages(), .max = memory.type().limits.max}; }

wasm::TableType current_type(const Table& table) {
  wasm::TableType type = table.type;
  type.limits = current_limits(table);
  return type;
}
wasm::MemoryType current_type(const Memory& memory) {
  wasm::MemoryType type = memory.type();
  type.limits = current_limits(memory);
  return type;
}

bool limits_match(const wasm::Limits& found, const wasm::Limits& expected) {
  if (found.min < expected.min) return false;
  return !expected.max || (found.max && *found.max <= *expected.max);
}

wasm::TypeId type_of(const wasm::Module& module, wasm::TypeIndex index) { return module.types[index.value]; }

bool matches(const wasm::Module& module, const wasm::Import& import, const External& found) {
  const wasm::TypeRegistry& registry = *module.registry;
  switch (import.kind()) {
    case ExternalKind::func:
      return registry.is_subtype(found.func->type, type_of(module, std::get<wasm::FuncImport>(import.type).type));
    case ExternalKind::table: {
      const auto& expected = std::get<wasm::TableType>(import.type);
      const wasm::TableType actual = current_type(*found.table);
      return actual.element == expected.element && actual.address == expected.address &&
             limits_match(actual.limits, expected.limits);
    }
    case ExternalKind::memory: {
      const auto& expected = std::get<wasm::MemoryType>(import.type);
      const wasm::MemoryType actual = current_type(*found.memory);
      return actual.is_shared == expected.is_shared && actual.address == expected.address &&
             actual.page_log2 == expected.page_log2 && limits_match(actual.limits, expected.limits);
    }
    case ExternalKind::global: {
      const auto& expected = std::get<wasm::GlobalType>(import.type);
      const wasm::GlobalType& actual = found.global->type;
      if (actual.is_mutable != expected.is_mutable) return false;
      return expected.is_mutable ? actual.type == expected.type : registry.matches(actual.type, expected.type);
    }
    case ExternalKind::tag:
      return found.tag->type == type_of(module, std::get<wasm::TagType>(import.type).type);
  }
  return false;
}

std::string describe_function(const wasm::TypeRegistry& registry, wasm::TypeId type) {
  return wasm::to_string(registry.at(type).func);
}

}  // namespace

std::string describe(const wasm::Module& module, const wasm::Import& import) {
  std::string type;
  switch (import.kind()) {
    case ExternalKind::func:
      type = describe_function(*module.registry, type_of(module, std::get<wasm::FuncImport>(import.type).type));
      break;
    case ExternalKind::table:
      type = wasm::to_string(std::get<wasm::TableType>(import.type));
      break;
    case ExternalKind::memory:
      type = wasm::to_string(std::get<wasm::MemoryType>(import.type));
      break;
    case ExternalKind::global:
      type = wasm::to_string(std::get<wasm::GlobalType>(import.type));
      break;
    case ExternalKind::tag:
      type = describe_function(*module.registry, type_of(module, std::get<wasm::TagType>(import.type).type));
      break;
  }
  return fmt::format("{} {}", name_of(import.kind()), type);
}

std::string describe(const wasm::TypeRegistry& registry, const External& external) {
  std::string type;
  switch (external.kind) {
    case ExternalKind::func:
      type = describe_function(registry, external.func->type);
      break;
    case ExternalKind::table:
      type = wasm::to_string(current_type(*external.table));
      break;
    case ExternalKind::memory:
      type = wasm::to_string(current_type(*external.memory));
      break;
    case ExternalKind::global:
      type = wasm::to_string(external.global->type);
      break;
    case ExternalKind::tag:
      type = describe_function(registry, external.tag->type);
      break;
  }
  return fmt::format("{} {}", name_of(external.kind), type);
}

Error unknown_import(const wasm::Module& module, const wasm::Import& import) {
  return {.kind = ErrorKind::unlinkable,
          .message = fmt::format("unknown import: {}.{} was not provided, expected {}", import.module, import.name,
                                 describe(module, import)),
          .offset = std::nullopt};
}

Result<void> match_import(const wasm::Module& module, const wasm::Import& import, const External& found) {
  if (found.kind == import.kind() && matches(module, import, found)) return {};
  std::string expected_type = describe(module, import);
  std::string found_type = describe(*module.registry, found);
  // Types of the same shape can differ by their recursion group, their supertype or by being final.
  if (expected_type == found_type) found_type += " of another type definition";
  return fail(ErrorKind::unlinkable, "incompatible import type: {}.{}: expected {}, found {}", import.module,
              import.name, expected_type, found_type);
}

}  // namespace wasi::runtime

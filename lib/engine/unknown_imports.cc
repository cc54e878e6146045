// See unknown_imports.h.
#include "engine/unknown_imports.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/convert.h"
#include "runtime/memory_storage.h"

namespace wasi::detail {

namespace {

// A function that nobody defined, in a store: the data of its runtime::HostFunction.
struct Unknown {
  std::string module;
  std::string name;
  std::vector<wasm::ValType> results;
  UnknownImports choice;
};

Trap trap_of(const Unknown& unknown, std::string_view why) {
  return {.code = TrapCode::unknown_import,
          .message = fmt::format("{}: \"{}\".\"{}\"{}", message_of(TrapCode::unknown_import), unknown.module,
                                 unknown.name, why)};
}

std::optional<Trap> call_unknown(void* data, runtime::HostCall& call) {
  const auto& unknown = *static_cast<const Unknown*>(data);
  if (unknown.choice == UnknownImports::trap) return trap_of(unknown, "");
  runtime::Slot* slots = call.slots;
  for (const wasm::ValType type : unknown.results) {
    if (type.is_ref() && !type.is_nullable()) {
      return trap_of(unknown, fmt::format(", whose result of type {} has no zero", wasm::to_string(type)));
    }
    for (std::size_t i = 0; i < type.slots(); ++i) *slots++ = {};
  }
  return std::nullopt;
}

// One for each name and type in a store, however often modules are instantiated there.
runtime::FuncRef* function_for(UnknownImports choice, StoreState& store, const wasm::Import& import,
                               wasm::TypeId type) {
  runtime::FuncRef*& function =
      store.unknown_functions[{std::string(import.module), std::string(import.name), type.value, choice}];
  if (function == nullptr) {
    auto unknown = std::make_shared<Unknown>(Unknown{std::string(import.module), std::string(import.name),
                                                     store.engine->registry->at(type).func.results, choice});
    function = &store.store.add_host_function(type, &call_unknown, std::move(unknown))->ref;
  }
  return function;
}

std::unexpected<Error> no_zero(const wasm::Module& module, const wasm::Import& import) {
  return fail(ErrorKind::unlinkable, "missing import \"{}\".\"{}\", a {}: there is no zero of that type", import.module,
              import.name, type_of(module, import).to_string());
}

}  // namespace

Result<std::optional<runtime::External>> stand_in(UnknownImports choice, StoreState& store, const wasm::Module& module,
                                                  const wasm::Import& import) {
  if (choice == UnknownImports::error) return std::nullopt;
  if (const auto* function = std::get_if<wasm::FuncImport>(&import.type)) {
    return runtime::External(function_for(choice, store, import, module.types[function->type.value]));
  }
  if (choice == UnknownImports::trap) return std::nullopt;
  if (const auto* memory = std::get_if<wasm::MemoryType>(&import.type)) {
    if (!memory->is_shared) return runtime::External(WASI_TRY(store.store.add_memory(*memory)));
    const auto storage = WASI_TRY(runtime::MemoryStorage::create(*memory, bounds_checks_of(store.engine->config)));
    return runtime::External(WASI_TRY(store.store.add_memory(storage)));
  }
  if (const auto* table = std::get_if<wasm::TableType>(&import.type)) {
    if (!table->element.is_nullable()) return no_zero(module, import);
    return runtime::External(WASI_TRY(store.store.add_table(*table, nullptr)));
  }
  if (const auto* global = std::get_if<wasm::GlobalType>(&import.type)) {
    if (global->type.is_ref() && !global->type.is_nullable()) return no_zero(module, import);
    return runtime::External(store.store.add_global(*global, {}));
  }
  return runtime::External(store.store.add_tag(module.types[std::get<wasm::TagType>(import.type).type.value]));
}

}  // namespace wasi::detail

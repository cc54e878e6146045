// From what a linker has to what an instance imports.
#pragma once

#include <wasi/error.h>
#include <wasi/linker.h>

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engine/state.h"
#include "runtime/instance.h"
#include "wasm/module.h"

namespace wasi::detail {

using Instantiated = std::expected<runtime::Instance*, InstantiationError>;

// What the linker has for a name, in a store; empty when it has nothing.
Result<std::optional<runtime::External>> find(const LinkerState& linker, StoreState& store, std::string_view module,
                                              std::string_view name);
// What a definition is in a store.
Result<runtime::External> bind(const LinkerState::Definition& definition, StoreState& store, std::string_view module,
                               std::string_view name);
// The same for an import: also what threads are given, and what stands for what nobody defined. Empty when there is
// nothing.
Result<std::optional<runtime::External>> resolve(const LinkerState& linker, StoreState& store,
                                                 const wasm::Module& module, const wasm::Import& import,
                                                 WasiThreads* threads);
// The type that a function of the host has where it stands for an import: its own; or the import's, where that differs
// by saying more of references than a C++ type can, as (ref $t) does for Struct. What guests give fits then, and what
// they get is looked at. `definition` has a type.
wasm::TypeId type_for(const wasm::Module& module, const wasm::Import& import, const HostDefinition& definition);
// The program's state, made when it is first asked for.
Result<std::shared_ptr<preview1::Context>> wasi_context(StoreState& store,
                                                        const std::shared_ptr<const WasiDefinition>& definition);

// The one that `module` needs for its threads, kept by the store; null where it needs none.
Result<WasiThreads*> make_threads(const LinkerState& linker, StoreState& store,
                                  const std::shared_ptr<ModuleState>& module);

// Instantiates with imports that were found.
Instantiated instantiate_with(StoreState& store, const std::shared_ptr<ModuleState>& module,
                              std::span<const runtime::External> imports, bool functions_match);

}  // namespace wasi::detail

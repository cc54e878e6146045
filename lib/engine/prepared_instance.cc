// Prepared instances: what is found out once, and what is left to do in each store.
#include "engine/prepared_instance.h"

#include <algorithm>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/host_function.h"
#include "engine/link.h"
#include "engine/missing_import.h"
#include "engine/unknown_imports.h"
#include "engine/wasi_threads.h"
#include "runtime/import_match.h"

namespace wasi {

using detail::Internals;

namespace {

using detail::BoundImports;
using detail::Instantiated;
using detail::PreparedImport;
using detail::PreparedInstance;
using detail::StoreState;
using Source = detail::PreparedImport::Source;

// A function of a known type may stand for the import.
Result<void> check_type(const wasm::Module& module, const wasm::Import& import, wasm::TypeId type) {
  runtime::FuncRef function{};
  function.type = type;
  return runtime::match_import(module, import, runtime::External(&function));
}

std::uint32_t slots_of(const wasm::FuncType& type) {
  return std::max(wasm::slot_count(type.params), wasm::slot_count(type.results));
}

Result<PreparedImport> prepare_import(const detail::LinkerState& linker, const wasm::Module& module,
                                      const wasm::Import& import) {
  wasm::TypeRegistry& registry = *module.registry;
  PreparedImport prepared;
  const auto found = linker.definitions.find(detail::LinkerState::Less::View(import.module, import.name));
  if (found != linker.definitions.end()) {
    prepared.definition = &found->second;
    prepared.source = Source::in_store;
    if (found->second.host == nullptr) return prepared;
    prepared.source = Source::host;
    prepared.host = found->second.host.get();
    if (!prepared.host->type) return std::unexpected(prepared.host->type.error());
    const bool is_function = import.kind() == wasm::ExternalKind::func;
    const wasm::TypeId type =
        is_function ? detail::type_for(module, import, *prepared.host) : prepared.host->type->id();
    prepared.is_adapted = type != prepared.host->type->id();
    prepared.type = registry.hold(type).value();
  } else if (const auto* function = preview1::find_function(import.module, import.name);
             function != nullptr && linker.wasi != nullptr) {
    prepared.source = Source::wasi;
    prepared.wasi = function;
    auto type = registry.add_func(function->type);
    if (!type) return fail(ErrorKind::limit, "the engine holds too many types");
    prepared.type = std::move(*type);
  } else {
    return prepared;
  }
  WASI_TRY(check_type(module, import, prepared.type.id()));
  prepared.slot_count = slots_of(registry.at(prepared.type.id()).func);
  return prepared;
}

// Whether instantiation will have something for what nobody defined.
bool may_be_unknown(const PreparedInstance& prepared, const wasm::Import& import) {
  switch (prepared.linker.unknown_imports) {
    case UnknownImports::zero:
      return true;
    case UnknownImports::trap:
      if (import.kind() == wasm::ExternalKind::func) return true;
      break;
    case UnknownImports::error:
      break;
  }
  return prepared.needs_threads && detail::is_of_threads(import);
}

Result<std::shared_ptr<const PreparedInstance>> prepare(const detail::LinkerState& linker,
                                                        std::shared_ptr<detail::ModuleState> module_state) {
  auto prepared = std::make_shared<PreparedInstance>();
  prepared->linker = linker;
  // Stores keep what was prepared once it has been instantiated there: it must not keep them.
  for (auto& [name, definition] : prepared->linker.definitions) {
    if (!definition.object) continue;
    const Extern& object = *definition.object;
    definition.object = Internals::external(Internals::store(object).unowned(), Internals::external(object));
  }
  prepared->module = std::move(module_state);
  const wasm::Module& module = *prepared->module->module;
  prepared->needs_threads = linker.wasi != nullptr && detail::needs_threads(linker, module);
  std::vector<const wasm::Import*> missing;
  for (const wasm::Import& import : module.imports) {
    PreparedImport found = WASI_TRY(prepare_import(prepared->linker, module, import));
    prepared->imports_wasi |= found.source == Source::wasi;
    prepared->functions += found.source == Source::wasi || found.source == Source::host ? 1 : 0;
    if (found.source == Source::unknown && !may_be_unknown(*prepared, import)) missing.push_back(&import);
    prepared->imports.push_back(std::move(found));
  }
  if (!missing.empty()) return std::unexpected(detail::missing_import(linker, module, missing));
  return prepared;
}

// Makes the functions in a store.
Result<std::unique_ptr<BoundImports>> bind_functions(StoreState& store,
                                                     const std::shared_ptr<const PreparedInstance>& prepared,
                                                     const std::shared_ptr<const detail::WasiDefinition>& wasi) {
  auto bound = std::make_unique<BoundImports>();
  bound->prepared = prepared;
  if (prepared->imports_wasi) bound->context = WASI_TRY(detail::wasi_context(store, wasi));
  const auto& imports = prepared->module->module->imports;
  bound->bound.reserve(prepared->functions);
  std::vector<runtime::KnownHostFunction> known;
  known.reserve(prepared->functions);
  for (std::size_t i = 0; i < imports.size(); ++i) {
    const PreparedImport& import = prepared->imports[i];
    runtime::KnownHostFunction function{.type = import.type.id(), .slot_count = import.slot_count};
    if (import.source == Source::host) {
      detail::BoundFunction& own =
          bound->bound.emplace_back(detail::bound_function(import.host->thunks, import.host->callable, store));
      function.body = &detail::enter_bound;
      function.data = &own;
      if (import.is_adapted) {
        own.results = &store.engine->registry->at(import.type.id()).func.results;
      } else {
        function.direct = import.host->thunks.direct;
      }
      function.direct_data = static_cast<detail::HostBinding*>(&own);
    } else if (import.source == Source::wasi) {
      function.body = import.wasi->body;
      function.data = bound->context.get();
    } else {
      continue;
    }
    // The module's own texts, which are the same.
    function.module = imports[i].module;
    function.name = imports[i].name;
    known.push_back(function);
  }
  bound->functions.resize(imports.size());
  auto made = store.store.add_host_functions(known).begin();
  for (std::size_t i = 0; i < imports.size(); ++i) {
    const Source source = prepared->imports[i].source;
    if (source != Source::host && source != Source::wasi) continue;
    bound->functions[i] = runtime::External(&made->ref);
    ++made;
  }
  return bound;
}

Instantiated instantiate_in(StoreState& store, const std::shared_ptr<const PreparedInstance>& prepared,
                            const std::shared_ptr<const detail::WasiDefinition>& own_wasi) {
  const auto failed = [](Error error) { return std::unexpected(InstantiationError(std::move(error))); };
  const wasm::Module& module = *prepared->module->module;
  const auto& wasi = own_wasi != nullptr ? own_wasi : prepared->linker.wasi;
  detail::WasiThreads* threads = nullptr;
  if (prepared->needs_threads) {
    detail::LinkerState linker = prepared->linker;
    linker.wasi = wasi;
    const auto made = detail::make_threads(linker, store, prepared->module);
    if (!made) return failed(made.error());
    threads = *made;
  }
  const auto same = [&](const auto& bound) { return bound->prepared == prepared; };
  auto place = own_wasi != nullptr ? store.bound_imports.end() : std::ranges::find_if(store.bound_imports, same);
  if (place == store.bound_imports.end()) {
    auto bound = bind_functions(store, prepared, wasi);
    if (!bound) return failed(std::move(bound).error());
    store.bound_imports.push_back(std::move(*bound));
    place = store.bound_imports.end() - 1;
  }
  const BoundImports& bound = **place;
  if (prepared->functions == module.imports.size()) {
    return detail::instantiate_with(store, prepared->module, bound.functions, true);
  }
  std::vector<runtime::External> imports = bound.functions;
  // What nobody knew before is compared as always.
  bool functions_match = true;
  for (std::size_t i = 0; i < imports.size(); ++i) {
    const PreparedImport& import = prepared->imports[i];
    const wasm::Import& asked = module.imports[i];
    if (import.source == Source::in_store) {
      const auto found = detail::bind(*import.definition, store, asked.module, asked.name);
      if (!found) return failed(found.error());
      imports[i] = *found;
      functions_match = false;
    } else if (import.source == Source::unknown) {
      std::optional<runtime::External> found;
      if (threads != nullptr) {
        auto given = threads->resolve(store, asked);
        if (!given) return failed(std::move(given).error());
        found = *given;
      }
      if (!found) {
        auto given = detail::stand_in(prepared->linker.unknown_imports, store, module, asked);
        if (!given) return failed(std::move(given).error());
        found = *given;
      }
      if (!found) {
        const wasm::Import* const missing[] = {&asked};
        return failed(detail::missing_import(prepared->linker, module, missing));
      }
      imports[i] = *found;
      functions_match = false;
    }
  }
  return detail::instantiate_with(store, prepared->module, imports, functions_match);
}

std::expected<Instance, InstantiationError> instantiate_prepared(
    Store& store, std::shared_ptr<const PreparedInstance> prepared,
    const std::shared_ptr<const detail::WasiDefinition>& wasi) {
  // Copies: the start function may let go of the handles.
  const auto state = Internals::state(store);
  if (state->engine != prepared->module->engine) {
    return std::unexpected(InstantiationError(
        Error{ErrorKind::argument, "the prepared instance and the store belong to different engines", {}}));
  }
  const Instantiated instance =
      guarded([&] { return instantiate_in(*state, prepared, wasi); },
              [](Error error) { return Instantiated(std::unexpected(InstantiationError(std::move(error)))); });
  if (!instance) return std::unexpected(instance.error());
  return Internals::instance(detail::StoreRef(state), *instance);
}

}  // namespace

Result<InstancePre> Linker::prepare(const Module& module) const {
  return guarded([&]() -> Result<InstancePre> {
    const auto& module_state = Internals::state(module);
    if (module_state->engine != state_->engine) {
      return fail(ErrorKind::argument, "the linker and the module belong to different engines");
    }
    if (state_->refused) return std::unexpected(*state_->refused);
    return Internals::prepared(WASI_TRY(::wasi::prepare(*state_, module_state)));
  });
}

Module InstancePre::module() const { return Internals::module(state_->module); }

std::expected<Instance, InstantiationError> InstancePre::instantiate(Store& store) const {
  return instantiate_prepared(store, state_, nullptr);
}

std::expected<Instance, InstantiationError> InstancePre::instantiate(Store& store, WasiConfig config) const {
  return guarded(
      [&] {
        return instantiate_prepared(store, state_, std::make_shared<const detail::WasiDefinition>(std::move(config)));
      },
      [](Error error) {
        return std::expected<Instance, InstantiationError>(std::unexpected(InstantiationError(std::move(error))));
      });
}

}  // namespace wasi

// The linker: from names to objects of a store.
#include <fmt/format.h>
#include <wasi/linker.h>

#include <algorithm>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/host_function.h"
#include "engine/link.h"
#include "engine/missing_import.h"
#include "engine/state.h"
#include "engine/unknown_imports.h"
#include "engine/wasi_threads.h"

namespace wasi {

using detail::Internals;

Result<std::shared_ptr<preview1::Context>> detail::wasi_context(
    StoreState& store, const std::shared_ptr<const WasiDefinition>& definition) {
  WasiState& state = store.wasi_of(definition);
  if (state.context == nullptr) {
    state.context = WASI_TRY(preview1::Context::create(WASI_TRY(Internals::wasi(definition->config))));
  }
  return state.context;
}

namespace {

using detail::HostDefinition;
using detail::Instantiated;
using detail::StoreState;
using detail::WasiDefinition;

Result<runtime::FuncRef*> bind_host(StoreState& store, const std::shared_ptr<const HostDefinition>& definition) {
  if (const auto found = store.host_functions.find(definition); found != store.host_functions.end()) {
    return found->second;
  }
  if (!definition->type) return std::unexpected(definition->type.error());
  runtime::HostFunction* const host =
      detail::add_host_function(store, definition->type->id(), definition->thunks, definition->callable);
  host->module = definition->module;
  host->name = definition->name;
  store.host_functions.emplace(definition, &host->ref);
  return &host->ref;
}

// The same where it stands for an import.
Result<runtime::FuncRef*> bind_host(StoreState& store, const std::shared_ptr<const HostDefinition>& definition,
                                    const wasm::Module& module, const wasm::Import& import) {
  if (!definition->type || import.kind() != wasm::ExternalKind::func) return bind_host(store, definition);
  const wasm::TypeId type = detail::type_for(module, import, *definition);
  if (type == definition->type->id()) return bind_host(store, definition);
  runtime::FuncRef*& adapted = store.adapted_functions[{definition, type.value}];
  if (adapted == nullptr) {
    runtime::HostFunction* const host =
        detail::add_host_function(store, type, definition->thunks, definition->callable, detail::Adapted::yes);
    host->module = definition->module;
    host->name = definition->name;
    adapted = &host->ref;
  }
  return adapted;
}

Result<runtime::FuncRef*> bind_wasi(StoreState& store, const std::shared_ptr<const WasiDefinition>& definition,
                                    const preview1::Function& function, std::string_view module) {
  auto context = WASI_TRY(detail::wasi_context(store, definition));
  runtime::FuncRef*& bound = store.wasi_of(definition).functions[&function];
  if (bound == nullptr) {
    const auto type = store.engine->registry->add_func(function.type);
    if (!type) return fail(ErrorKind::limit, "the engine holds too many types");
    runtime::HostFunction* const host = store.store.add_host_function(type->id(), function.body, std::move(context));
    host->module = module == preview1::kModuleName ? preview1::kModuleName : preview1::kOldModuleName;
    host->name = function.name;
    bound = &host->ref;
  }
  return bound;
}

}  // namespace

wasm::TypeId detail::type_for(const wasm::Module& module, const wasm::Import& import,
                              const HostDefinition& definition) {
  const wasm::TypeRegistry& registry = *module.registry;
  const wasm::TypeId own = definition.type->id();
  const wasm::TypeId asked = module.types[std::get<wasm::FuncImport>(import.type).type.value];
  if (own == asked || registry.at(asked).kind != wasm::CompositeKind::func) return own;
  const auto fits = [&](const std::vector<wasm::ValType>& narrow, const std::vector<wasm::ValType>& wide) {
    return std::ranges::equal(narrow, wide,
                              [&](wasm::ValType one, wasm::ValType other) { return registry.matches(one, other); });
  };
  const wasm::FuncType& host = registry.at(own).func;
  const wasm::FuncType& guest = registry.at(asked).func;
  const bool stands_for = guest != host && fits(guest.params, host.params) && fits(guest.results, host.results);
  return stands_for ? asked : own;
}

Result<runtime::External> detail::bind(const LinkerState::Definition& definition, StoreState& store,
                                       std::string_view module, std::string_view name) {
  if (definition.host != nullptr) return runtime::External(WASI_TRY(bind_host(store, definition.host)));
  if (definition.memory) {
    return runtime::External(WASI_TRY(store.store.add_memory(Internals::storage(*definition.memory))));
  }
  // Neither one of another store nor one whose store is gone.
  if (Internals::store(*definition.object).get() != &store) {
    return fail(ErrorKind::argument, "import \"{}\".\"{}\" is defined as an object of another store", module, name);
  }
  return Internals::external(*definition.object);
}

Result<std::optional<runtime::External>> detail::find(const LinkerState& linker, StoreState& store,
                                                      std::string_view module, std::string_view name) {
  const auto found = linker.definitions.find(LinkerState::Less::View(module, name));
  if (found != linker.definitions.end()) return WASI_TRY(bind(found->second, store, module, name));
  if (linker.wasi == nullptr) return std::nullopt;
  const auto* const function = preview1::find_function(module, name);
  if (function == nullptr) return std::nullopt;
  return runtime::External(WASI_TRY(bind_wasi(store, linker.wasi, *function, module)));
}

Result<std::optional<runtime::External>> detail::resolve(const LinkerState& linker, StoreState& store,
                                                         const wasm::Module& module, const wasm::Import& import,
                                                         WasiThreads* threads) {
  const auto defined = linker.definitions.find(LinkerState::Less::View(import.module, import.name));
  if (defined != linker.definitions.end() && defined->second.host != nullptr) {
    return runtime::External(WASI_TRY(bind_host(store, defined->second.host, module, import)));
  }
  auto external = WASI_TRY(find(linker, store, import.module, import.name));
  if (!external && threads != nullptr) external = WASI_TRY(threads->resolve(store, import));
  if (!external) external = WASI_TRY(stand_in(linker.unknown_imports, store, module, import));
  return external;
}

namespace {

Result<std::vector<runtime::External>> resolve_all(const detail::LinkerState& linker, StoreState& store,
                                                   const wasm::Module& module, detail::WasiThreads* threads) {
  std::vector<runtime::External> imports;
  imports.reserve(module.imports.size());
  std::vector<const wasm::Import*> missing;
  for (const wasm::Import& import : module.imports) {
    const auto external = WASI_TRY(detail::resolve(linker, store, module, import, threads));
    if (external) {
      imports.push_back(*external);
    } else {
      missing.push_back(&import);
    }
  }
  if (!missing.empty()) return std::unexpected(detail::missing_import(linker, module, missing));
  return imports;
}

// The definition's place, or null where its name is taken.
detail::LinkerState::Definition* place_of(detail::LinkerState& linker, std::string_view module, std::string_view name) {
  const auto [place, is_new] = linker.definitions.try_emplace({std::string(module), std::string(name)});
  if (is_new || linker.allows_redefinition) return &place->second;
  if (!linker.refused) {
    linker.refused =
        fail(
            ErrorKind::argument,
            "\"{}\".\"{}\" is defined twice: Linker::allow_redefinition lets a later definition replace an earlier one",
            module, name)
            .error();
  }
  return nullptr;
}

}  // namespace

Linker::Linker(const Engine& engine) : state_(std::make_unique<detail::LinkerState>()) {
  state_->engine = Internals::state(engine);
}
Linker::Linker(Linker&&) noexcept = default;
Linker& Linker::operator=(Linker&&) noexcept = default;
Linker::~Linker() = default;

Linker& Linker::define_host(std::string_view module, std::string_view name, std::span<const ValueType> params,
                            std::span<const ValueType> results, detail::HostThunks thunks,
                            std::shared_ptr<void> callable) {
  detail::LinkerState::Definition* const place = place_of(*state_, module, name);
  if (place == nullptr) return *this;
  auto definition = std::make_shared<HostDefinition>();
  definition->module = module;
  definition->name = name;
  definition->type = detail::add_function_type(*state_->engine->registry, params, results);
  if (!definition->type) {
    std::string& message = definition->type.error().message;
    message = fmt::format("the function \"{}\".\"{}\" cannot be defined: {}", module, name, message);
  }
  definition->thunks = thunks;
  definition->callable = std::move(callable);
  *place = {.host = std::move(definition), .object = {}, .memory = {}};
  return *this;
}

Linker& Linker::define_untyped(std::string_view module, std::string_view name, FunctionType type,
                               UntypedFunction function) {
  auto callable = detail::make_untyped(type.params, type.results, std::move(function));
  return define_host(module, name, type.params, type.results, detail::untyped_thunks(), std::move(callable));
}

Linker& Linker::define(std::string_view module, std::string_view name, const Extern& object) {
  if (auto* const place = place_of(*state_, module, name)) *place = {.host = nullptr, .object = object, .memory = {}};
  return *this;
}

Linker& Linker::define(std::string_view module, std::string_view name, const SharedMemory& memory) {
  if (auto* const place = place_of(*state_, module, name)) *place = {.host = nullptr, .object = {}, .memory = memory};
  return *this;
}

Linker& Linker::define_instance(std::string_view module, const Instance& instance) {
  if (Internals::store(instance).get() == nullptr) return *this;
  runtime::Instance* internal = Internals::instance(instance);
  const auto& exports = internal->module().exports;
  for (std::size_t i = 0; i < exports.size(); ++i) {
    define(module, exports[i].name, Internals::external(Internals::store(instance), internal->export_at(i)));
  }
  return *this;
}

Linker& Linker::define_wasi(WasiConfig config) {
  if (state_->wasi != nullptr && !state_->allows_redefinition) {
    if (!state_->refused) {
      state_->refused = fail(ErrorKind::argument,
                             "WASI is defined twice: Linker::allow_redefinition lets a later configuration replace an "
                             "earlier one")
                            .error();
    }
    return *this;
  }
  state_->wasi = std::make_shared<const WasiDefinition>(std::move(config));
  return *this;
}

Linker& Linker::allow_redefinition(bool allowed) {
  state_->allows_redefinition = allowed;
  return *this;
}

Linker& Linker::unknown_imports(UnknownImports choice) {
  state_->unknown_imports = choice;
  return *this;
}

const Error* Linker::error() const { return state_->refused ? &*state_->refused : nullptr; }

Result<Extern> Linker::get(Store& store, std::string_view module, std::string_view name) const {
  return guarded([&]() -> Result<Extern> {
    const auto& store_state = Internals::state(store);
    if (store_state->engine != state_->engine) {
      return fail(ErrorKind::argument, "the linker and the store belong to different engines");
    }
    if (state_->refused) return std::unexpected(*state_->refused);
    const auto found = WASI_TRY(detail::find(*state_, *store_state, module, name));
    if (!found) return fail(ErrorKind::argument, "nothing is defined as \"{}\".\"{}\"", module, name);
    return Internals::external(detail::StoreRef(store_state), *found);
  });
}

namespace {

std::optional<ExternType> type_of(const detail::LinkerState& linker,
                                  const detail::LinkerState::Definition& definition) {
  if (definition.host != nullptr) {
    if (!definition.host->type) return std::nullopt;
    return ExternType{detail::to_public(linker.engine->registry->at(definition.host->type->id()).func)};
  }
  if (definition.memory) return ExternType{definition.memory->type()};
  const Extern& object = *definition.object;
  if (Internals::store(object).get() == nullptr) return std::nullopt;
  switch (object.kind()) {
    case ExternKind::function:
      return ExternType{object.function()->type()};
    case ExternKind::table:
      return ExternType{object.table()->type()};
    case ExternKind::memory:
      return ExternType{object.memory()->type()};
    case ExternKind::global:
      return ExternType{object.global()->type()};
    case ExternKind::tag:
      break;
  }
  return ExternType{object.tag()->type()};
}

}  // namespace

std::vector<Definition> Linker::definitions() const {
  std::vector<Definition> all;
  for (const auto& [key, definition] : state_->definitions) {
    all.push_back({.module = key.first, .name = key.second, .type = type_of(*state_, definition)});
  }
  if (state_->wasi == nullptr) return all;
  for (const std::string_view module : {preview1::kModuleName, preview1::kOldModuleName}) {
    for (const preview1::Function& function : preview1::functions(module)) {
      if (state_->definitions.contains(detail::LinkerState::Less::View(module, function.name))) continue;
      all.push_back({.module = std::string(module),
                     .name = std::string(function.name),
                     .type = ExternType{detail::to_public(function.type)}});
    }
  }
  return all;
}

Instantiated detail::instantiate_with(StoreState& store, const std::shared_ptr<ModuleState>& module,
                                      std::span<const runtime::External> imports, bool functions_match) {
  if (const auto& cpu = store.engine->cpu) {
    const std::uint32_t missing = cpu->bits() & ~jit::CpuFeatures::host().bits();
    if (missing != 0) {
      return std::unexpected(InstantiationError(
          Error{ErrorKind::unsupported,
                "the engine compiles for another processor, with " + jit::CpuFeatures::names_of(missing),
                {},
                {}}));
    }
  }
  // Before host functions run that may ask for it.
  store.modules.emplace(module->module.get(), module);
  auto instance = store.store.instantiate(module->code(), imports, functions_match);
  if (instance) return *instance;
  auto failure = std::move(instance).error();
  return std::unexpected(failure.trap ? InstantiationError(std::move(*failure.trap))
                                      : InstantiationError(std::move(*failure.error)));
}

Instantiated detail::instantiate(const LinkerState& linker, StoreState& store,
                                 const std::shared_ptr<ModuleState>& module, WasiThreads* threads) {
  return guarded(
      [&]() -> Instantiated {
        const auto imports = resolve_all(linker, store, *module->module, threads);
        if (!imports) return std::unexpected(InstantiationError(imports.error()));
        return instantiate_with(store, module, *imports, false);
      },
      [](Error error) { return Instantiated(std::unexpected(InstantiationError(std::move(error)))); });
}

// Kept although the instantiation may fail: functions of an instance that trapped on the way may be in tables of
// others.
Result<detail::WasiThreads*> detail::make_threads(const LinkerState& linker, StoreState& store,
                                                  const std::shared_ptr<ModuleState>& module) {
  return guarded([&]() -> Result<WasiThreads*> {
    auto threads = std::make_unique<WasiThreads>(linker, store, module);
    return store.threads.emplace_back(std::move(threads)).get();
  });
}

std::expected<Instance, InstantiationError> Linker::instantiate(Store& store, const Module& module) const {
  // Copies: the start function may let go of the handles.
  const auto store_state = Internals::state(store);
  const auto module_state = Internals::state(module);
  if (store_state->engine != module_state->engine || store_state->engine != state_->engine) {
    return std::unexpected(InstantiationError(
        Error{ErrorKind::argument, "the linker, the store and the module belong to different engines", {}}));
  }
  if (state_->refused) return std::unexpected(InstantiationError(*state_->refused));
  detail::WasiThreads* threads = nullptr;
  if (state_->wasi != nullptr && detail::needs_threads(*state_, *module_state->module)) {
    const auto made = detail::make_threads(*state_, *store_state, module_state);
    if (!made) return std::unexpected(InstantiationError(made.error()));
    threads = *made;
  }
  auto instance = detail::instantiate(*state_, *store_state, module_state, threads);
  if (!instance) return std::unexpected(std::move(instance).error());
  return Internals::instance(detail::StoreRef(store_state), *instance);
}

}  // namespace wasi

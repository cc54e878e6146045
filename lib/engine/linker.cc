// The linker: from names to objects of a store.
#include <fmt/format.h>
#include <wasi/linker.h>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/missing_import.h"
#include "engine/state.h"
#include "engine/unknown_imports.h"
#include "engine/wasi_threads.h"

namespace wasi {

using detail::Internals;

namespace {

using detail::HostDefinition;
using detail::StoreState;
using detail::WasiDefinition;

// A host function in a store: the data of its runtime::HostFunction.
struct BoundFunction : detail::HostBinding {
  detail::HostThunk thunk;
  std::shared_ptr<void> owner;  // of `callable`
};

std::optional<Trap> enter_bound(void* data, runtime::HostCall& call) {
  const auto* bound = static_cast<const BoundFunction*>(data);
  Caller caller = Internals::caller(*bound->store, call.caller);
  return bound->thunk(bound->callable, caller, reinterpret_cast<detail::Slot*>(call.slots));
}

// The callable behind a function whose type is known at run time only.
struct UntypedCallable {
  wasm::FuncType type;
  Linker::UntypedFunction function;
};

std::optional<Trap> enter_untyped(void* data, Caller& caller, detail::Slot* raw_slots) {
  const auto* callable = static_cast<const UntypedCallable*>(data);
  auto* slots = reinterpret_cast<runtime::Slot*>(raw_slots);
  std::vector<Value> args(callable->type.params.size());
  runtime::Store& store = Internals::store(caller).store;
  detail::read_values(store, slots, callable->type.params, args);
  std::vector<Value> results;
  results.reserve(callable->type.results.size());
  for (wasm::ValType type : callable->type.results) results.push_back(Value::zero_of(detail::to_public(type)));
  if (auto done = callable->function(caller, args, results); !done) return std::move(done).error();
  if (auto wrong = detail::write_values(slots, results, callable->type.results, store, "result")) {
    return Trap{.code = TrapCode::host_error, .message = "host function: " + std::move(*wrong)};
  }
  return std::nullopt;
}

Result<runtime::FuncRef*> bind_host(StoreState& store, const std::shared_ptr<const HostDefinition>& definition) {
  if (const auto found = store.host_functions.find(definition); found != store.host_functions.end()) {
    return found->second;
  }
  if (!definition->type) return std::unexpected(definition->type.error());
  runtime::ExecState& exec = store.store.exec();
  auto bound = std::make_shared<BoundFunction>(BoundFunction{{.callable = definition->callable.get(),
                                                              .store = &store,
                                                              .interrupt = &exec.interrupt,
                                                              .host_entry = &exec.host_entry,
                                                              .exec = &exec,
                                                              .running_offset = exec.running_offset},
                                                             definition->thunks.by_slots,
                                                             definition->callable});
  detail::HostBinding* const binding = bound.get();
  runtime::HostFunction* const host =
      store.store.add_host_function(definition->type->id(), &enter_bound, std::move(bound));
  host->direct = definition->thunks.direct;
  host->direct_data = binding;
  runtime::FuncRef* const function = &host->ref;
  store.host_functions.emplace(definition, function);
  return function;
}

Result<runtime::FuncRef*> bind_wasi(StoreState& store, const std::shared_ptr<const WasiDefinition>& definition,
                                    const preview1::Function& function) {
  detail::WasiState& state = store.wasi[definition];
  if (state.context == nullptr) {
    state.context = WASI_TRY(preview1::Context::create(WASI_TRY(Internals::wasi(definition->config))));
  }
  runtime::FuncRef*& bound = state.functions[&function];
  if (bound == nullptr) {
    const auto type = store.engine->registry->add_func(function.type);
    if (!type) return fail(ErrorKind::limit, "the engine holds too many types");
    bound = &store.store.add_host_function(type->id(), function.body, state.context)->ref;
  }
  return bound;
}

// What the linker has for an import; empty when it has nothing.
Result<std::optional<runtime::External>> resolve(const detail::LinkerState& linker, StoreState& store,
                                                 const wasm::Import& import, detail::WasiThreads* threads) {
  const auto found = linker.definitions.find(detail::LinkerState::Less::View(import.module, import.name));
  if (found != linker.definitions.end()) {
    const auto& definition = found->second;
    if (definition.host != nullptr) return runtime::External(WASI_TRY(bind_host(store, definition.host)));
    if (definition.memory) {
      return runtime::External(WASI_TRY(store.store.add_memory(Internals::storage(*definition.memory))));
    }
    // Neither one of another store nor one whose store is gone.
    if (Internals::store(*definition.object).get() != &store) {
      return fail(ErrorKind::argument, "import \"{}\".\"{}\" is defined as an object of another store", import.module,
                  import.name);
    }
    return Internals::external(*definition.object);
  }
  if (linker.wasi != nullptr) {
    if (const auto* function = preview1::find_function(import.module, import.name)) {
      return runtime::External(WASI_TRY(bind_wasi(store, linker.wasi, *function)));
    }
  }
  if (threads != nullptr) return threads->resolve(store, import);
  return std::nullopt;
}

Result<std::vector<runtime::External>> resolve_all(const detail::LinkerState& linker, StoreState& store,
                                                   const wasm::Module& module, detail::WasiThreads* threads) {
  std::vector<runtime::External> imports;
  imports.reserve(module.imports.size());
  std::vector<const wasm::Import*> missing;
  for (const wasm::Import& import : module.imports) {
    auto external = WASI_TRY(resolve(linker, store, import, threads));
    if (!external) external = WASI_TRY(stand_in(linker.unknown_imports, store, module, import));
    if (external) {
      imports.push_back(*external);
    } else {
      missing.push_back(&import);
    }
  }
  if (!missing.empty()) return std::unexpected(detail::missing_import(linker, module, missing));
  return imports;
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
  auto definition = std::make_shared<HostDefinition>();
  definition->type = detail::add_function_type(*state_->engine->registry, params, results);
  if (!definition->type) {
    std::string& message = definition->type.error().message;
    message = fmt::format("the function \"{}\".\"{}\" cannot be defined: {}", module, name, message);
  }
  definition->thunks = thunks;
  definition->callable = std::move(callable);
  state_->definitions[{std::string(module), std::string(name)}] = {
      .host = std::move(definition), .object = {}, .memory = {}};
  return *this;
}

Linker& Linker::define_untyped(std::string_view module, std::string_view name, FunctionType type,
                               UntypedFunction function) {
  auto callable =
      std::make_shared<UntypedCallable>(detail::to_internal(type.params, type.results), std::move(function));
  return define_host(module, name, type.params, type.results, {&enter_untyped, nullptr}, std::move(callable));
}

Linker& Linker::define(std::string_view module, std::string_view name, const Extern& object) {
  state_->definitions[{std::string(module), std::string(name)}] = {.host = nullptr, .object = object, .memory = {}};
  return *this;
}

Linker& Linker::define(std::string_view module, std::string_view name, const SharedMemory& memory) {
  state_->definitions[{std::string(module), std::string(name)}] = {.host = nullptr, .object = {}, .memory = memory};
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
  state_->wasi = std::make_shared<const WasiDefinition>(std::move(config));
  return *this;
}

Linker& Linker::unknown_imports(UnknownImports choice) {
  state_->unknown_imports = choice;
  return *this;
}

namespace {

using Instantiated = std::expected<runtime::Instance*, InstantiationError>;

Instantiated instantiate_in(const detail::LinkerState& linker, StoreState& store,
                            const std::shared_ptr<detail::ModuleState>& module, detail::WasiThreads* threads) {
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
  auto imports = resolve_all(linker, store, *module->module, threads);
  if (!imports) return std::unexpected(InstantiationError(std::move(imports).error()));
  // Before host functions run that may ask for it.
  store.modules.emplace(module->module.get(), module);
  auto instance = store.store.instantiate(module->code(), *imports);
  if (instance) return *instance;
  auto failure = std::move(instance).error();
  return std::unexpected(failure.trap ? InstantiationError(std::move(*failure.trap))
                                      : InstantiationError(std::move(*failure.error)));
}

}  // namespace

Instantiated detail::instantiate(const LinkerState& linker, StoreState& store,
                                 const std::shared_ptr<ModuleState>& module, WasiThreads* threads) {
  return guarded([&] { return instantiate_in(linker, store, module, threads); },
                 [](Error error) { return Instantiated(std::unexpected(InstantiationError(std::move(error)))); });
}

std::expected<Instance, InstantiationError> Linker::instantiate(Store& store, const Module& module) const {
  // Copies: the start function may let go of the handles.
  const auto store_state = Internals::state(store);
  const auto module_state = Internals::state(module);
  if (store_state->engine != module_state->engine || store_state->engine != state_->engine) {
    return std::unexpected(InstantiationError(
        Error{ErrorKind::argument, "the linker, the store and the module belong to different engines", {}}));
  }
  // Kept although it may fail: functions of an instance that trapped on the way may be in tables of others.
  detail::WasiThreads* kept = nullptr;
  if (state_->wasi != nullptr && detail::needs_threads(*state_, *module_state->module)) {
    const Result<void> made = guarded([&]() -> Result<void> {
      auto threads = std::make_unique<detail::WasiThreads>(*state_, *store_state, module_state);
      kept = store_state->threads.emplace_back(std::move(threads)).get();
      return {};
    });
    if (!made) return std::unexpected(InstantiationError(made.error()));
  }
  auto instance = detail::instantiate(*state_, *store_state, module_state, kept);
  if (!instance) return std::unexpected(std::move(instance).error());
  return Internals::instance(detail::StoreRef(store_state), *instance);
}

}  // namespace wasi

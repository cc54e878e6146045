// Instances and functions as embedders see them, and the way in and out of guest code.
#include "runtime/instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/link.h"
#include "engine/state.h"
#include "runtime/register_entry.h"

namespace wasi {

using detail::Internals;

static_assert(sizeof(detail::Slot) == sizeof(runtime::Slot) && alignof(detail::Slot) == alignof(runtime::Slot));

bool detail::call(StoreState& store, runtime::FuncRef& function, std::span<Slot> slots) {
  return store.store.try_call(function, {reinterpret_cast<runtime::Slot*>(slots.data()), slots.size()});
}

detail::CallGate* detail::call_gate(StoreState& store, const runtime::FuncRef& function) {
  return function.instance == nullptr ? &runtime::refusing_gate : &store.store.gate();
}

detail::CallOutcome detail::finish_call(StoreState& store, CallGate& gate) {
  return &gate == &runtime::refusing_gate ? CallOutcome::refused : store.store.finish_call();
}

Trap detail::take_trap(StoreState& store) {
  Trap trap = std::exchange(store.store.exec().pending, {});
  store.settle();
  return trap;
}

Trap detail::gone_trap() { return {.code = TrapCode::host_error, .message = gone("function").error().message}; }

detail::CallScope::CallScope(StoreState& store, const CallOptions& options)
    : store_(&store),
      has_deadline_(options.deadline.has_value()),
      has_fuel_(options.fuel.has_value()),
      fuel_left_(options.fuel_left) {
  // Host functions may let go of all else that keeps the store.
  ++store.holds;
  if (has_fuel_ && !store.engine->config.fuel) {
    refusal_ = Trap{.code = TrapCode::host_error,
                    .message = "the engine's code charges no fuel: EngineConfig::fuel is not set"};
    has_deadline_ = false;
    has_fuel_ = false;
    return;
  }
  runtime::ExecState& exec = store.store.exec();
  if (has_deadline_) {
    deadline_ = exec.own_deadline;
    store.store.keep_deadline(runtime::earlier(deadline_, options.deadline));
  }
  if (has_fuel_) fuel_ = std::exchange(exec.fuel, to_fuel(*options.fuel));
}

detail::CallScope::~CallScope() {
  if (has_deadline_) store_->store.keep_deadline(deadline_);
  if (has_fuel_) {
    const std::int64_t left = std::exchange(store_->store.exec().fuel, fuel_);
    if (fuel_left_ != nullptr) *fuel_left_ = static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0));
  }
  --store_->holds;
  store_->settle();
}

namespace {

const wasm::FuncType& type_of(const detail::StoreState& store, const runtime::FuncRef& function) {
  return store.store.registry().at(function.type).func;
}

// "memory, _start, f and 3 more", for messages.
std::string list_exports(const wasm::Module& module) {
  constexpr std::size_t kListed = 12;
  if (module.exports.empty()) return "nothing";
  std::string list;
  for (std::size_t i = 0; i < std::min(kListed, module.exports.size()); ++i) {
    fmt::format_to(std::back_inserter(list), "{}\"{}\"", i == 0 ? "" : ", ", module.exports[i].name);
  }
  if (module.exports.size() > kListed) {
    fmt::format_to(std::back_inserter(list), " and {} more", module.exports.size() - kListed);
  }
  return list;
}

Result<runtime::External> find(runtime::Instance& instance, std::string_view name, wasm::ExternalKind kind) {
  const auto found = instance.find_export(name);
  if (!found) {
    return fail(ErrorKind::argument, "there is no export \"{}\"; the module exports {}", name,
                list_exports(instance.module()));
  }
  if (found->kind != kind) {
    return fail(ErrorKind::argument, "export \"{}\" is a {}, not a {}", name, wasm::name_of(found->kind),
                wasm::name_of(kind));
  }
  return *found;
}

std::expected<std::vector<Value>, Trap> call_function(detail::StoreState& state, runtime::FuncRef& function,
                                                      std::span<const Value> args) {
  const wasm::FuncType& type = type_of(state, function);
  // Most calls fit; others take one allocation.
  std::array<runtime::Slot, 16> few;
  std::vector<runtime::Slot> many;
  std::span<runtime::Slot> slots = few;
  const std::size_t needed = std::max(wasm::slot_count(type.params), wasm::slot_count(type.results));
  if (needed > few.size()) {
    many.resize(needed);
    slots = many;
  }
  if (auto wrong = detail::write_values(slots.data(), args, type.params, state.store, "argument")) {
    return std::unexpected(Trap{.code = TrapCode::host_error, .message = std::move(*wrong)});
  }
  if (auto done = state.store.call(function, slots); !done) return std::unexpected(std::move(done).error());
  std::vector<Value> results(type.results.size());
  detail::read_values(state.store, slots.data(), type.results, results);
  return results;
}

}  // namespace

FunctionType Function::type() const {
  const detail::StoreState* const state = store_.get();
  return state == nullptr ? FunctionType{} : detail::to_public(type_of(*state, *function_));
}

std::expected<std::vector<Value>, Trap> Function::call(std::span<const Value> args) const {
  detail::StoreState* const state = store_.get();
  if (state == nullptr) return std::unexpected(detail::gone_trap());
  // Host functions may let go of this object and of all else that keeps the store.
  const detail::Hold hold(*state);
  return guarded([&] { return call_function(*state, *function_, args); },
                 [](const Error& error) {
                   return std::expected<std::vector<Value>, Trap>(
                       std::unexpected(Trap{.code = TrapCode::allocation_failure, .message = error.message}));
                 });
}

std::expected<std::vector<Value>, Trap> Function::call(std::span<const Value> args, const CallOptions& options) const {
  detail::StoreState* const state = store_.get();
  if (state == nullptr) return std::unexpected(detail::gone_trap());
  const detail::CallScope scope(*state, options);
  if (scope.refusal() != nullptr) return std::unexpected(*scope.refusal());
  return call(args);
}

Result<void> Function::check_type(std::span<const ValueType> params, std::span<const ValueType> results) const {
  const detail::StoreState* const state = store_.get();
  if (state == nullptr) return detail::gone("function");
  const wasm::FuncType& type = type_of(*state, *function_);
  const auto same = [](std::span<const ValueType> asked, const std::vector<wasm::ValType>& actual) {
    return std::ranges::equal(asked, actual, {}, &ValueType::bits, &wasm::ValType::bits);
  };
  if (same(params, type.params) && same(results, type.results)) return {};
  return fail(ErrorKind::argument, "the function has type {}, asked for {}", wasm::to_string(type),
              wasm::to_string(detail::to_internal(params, results)));
}

Value Function::to_value() const {
  const detail::StoreState* const state = store_.get();
  if (state == nullptr) return Value::zero_of(ValueType::funcref());
  Value value = Value::from_bits(ValueType::funcref(), {reinterpret_cast<std::uint64_t>(function_), 0});
  Internals::set_root(value, state->store.function_root());
  return value;
}

std::optional<Function> Function::from_value(const Store& store, const Value& value) {
  const auto& state = Internals::state(store);
  if (value.is_null() || Internals::root(value) != state->store.function_root().get()) return std::nullopt;
  return Function(detail::StoreRef(state), reinterpret_cast<runtime::FuncRef*>(value.bits()[0]));
}

Extern::Extern(const Function& function)
    : store_(function.store_), kind_(ExternKind::function), object_(function.function_) {}
Extern::Extern(const Memory& memory) : store_(memory.store_), kind_(ExternKind::memory), object_(memory.memory_) {}
Extern::Extern(const Global& global) : store_(global.store_), kind_(ExternKind::global), object_(global.global_) {}
Extern::Extern(const Table& table) : store_(table.store_), kind_(ExternKind::table), object_(table.table_) {}
Extern::Extern(const Tag& tag) : store_(tag.store_), kind_(ExternKind::tag), object_(tag.tag_) {}

std::optional<Function> Extern::function() const {
  if (kind_ != ExternKind::function) return std::nullopt;
  return Function(store_, static_cast<runtime::FuncRef*>(object_));
}

std::optional<Memory> Extern::memory() const {
  if (kind_ != ExternKind::memory) return std::nullopt;
  return Internals::memory(store_, static_cast<runtime::Memory*>(object_));
}

std::optional<Global> Extern::global() const {
  if (kind_ != ExternKind::global) return std::nullopt;
  return Global(store_, static_cast<runtime::Global*>(object_));
}

std::optional<Table> Extern::table() const {
  if (kind_ != ExternKind::table) return std::nullopt;
  return Table(store_, static_cast<runtime::Table*>(object_));
}

std::optional<Tag> Extern::tag() const {
  if (kind_ != ExternKind::tag) return std::nullopt;
  return Tag(store_, static_cast<runtime::Tag*>(object_));
}

Extern Internals::external(const StoreRef& store, const runtime::External& object) {
  void* pointer = nullptr;
  switch (object.kind) {
    case wasm::ExternalKind::func:
      pointer = object.func;
      break;
    case wasm::ExternalKind::table:
      pointer = object.table;
      break;
    case wasm::ExternalKind::memory:
      pointer = object.memory;
      break;
    case wasm::ExternalKind::global:
      pointer = object.global;
      break;
    case wasm::ExternalKind::tag:
      pointer = object.tag;
      break;
  }
  return {store, static_cast<ExternKind>(object.kind), pointer};
}

runtime::External Internals::external(const Extern& object) {
  switch (object.kind_) {
    case ExternKind::function:
      return runtime::External(static_cast<runtime::FuncRef*>(object.object_));
    case ExternKind::table:
      return runtime::External(static_cast<runtime::Table*>(object.object_));
    case ExternKind::memory:
      return runtime::External(static_cast<runtime::Memory*>(object.object_));
    case ExternKind::global:
      return runtime::External(static_cast<runtime::Global*>(object.object_));
    case ExternKind::tag:
      break;
  }
  return runtime::External(static_cast<runtime::Tag*>(object.object_));
}

Module Instance::module() const {
  if (const detail::StoreState* const state = store_.get())
    return Internals::module(state->modules.at(&instance_->module()));
  // Of an engine of its own, so that nothing takes it for a module to be instantiated.
  static const auto nothing = [] {
    auto state = std::make_shared<detail::ModuleState>();
    state->engine = std::make_shared<detail::EngineState>();
    state->module = std::make_shared<wasm::Module>();
    return state;
  }();
  return Internals::module(nothing);
}

namespace {

Result<runtime::External> find(const detail::StoreRef& store, runtime::Instance* instance, std::string_view name,
                               wasm::ExternalKind kind) {
  return guarded([&]() -> Result<runtime::External> {
    if (store.get() == nullptr) return detail::gone("instance");
    return find(*instance, name, kind);
  });
}

}  // namespace

Result<Function> Instance::func(std::string_view name) const {
  return Function(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::func)).func);
}

Result<Memory> Instance::memory(std::string_view name) const {
  return Internals::memory(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::memory)).memory);
}

Result<Global> Instance::global(std::string_view name) const {
  return Global(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::global)).global);
}

Result<Table> Instance::table(std::string_view name) const {
  return Table(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::table)).table);
}

Result<Tag> Instance::tag(std::string_view name) const {
  return Tag(store_, WASI_TRY(find(store_, instance_, name, wasm::ExternalKind::tag)).tag);
}

std::optional<Extern> Instance::get(std::string_view name) const {
  if (store_.get() == nullptr) return std::nullopt;
  const auto found = instance_->find_export(name);
  if (!found) return std::nullopt;
  return Internals::external(store_, *found);
}

namespace {

using Nothing = TypedFunction<void()>;

// A function of WASI's conventions, whose name and type are known.
std::expected<Nothing, Trap> convention(const Instance& instance, std::string_view name) {
  auto function = instance.function<void()>(name);
  if (function) return *std::move(function);
  return std::unexpected(Trap{.code = TrapCode::host_error, .message = std::move(function).error().message});
}

}  // namespace

std::expected<void, Trap> Instance::initialize() const {
  constexpr std::string_view kInitialize = "_initialize";
  if (store_.get() == nullptr) return std::unexpected(detail::gone_trap());
  if (!get(kInitialize)) return {};
  const auto function = convention(*this, kInitialize);
  if (!function) return std::unexpected(function.error());
  return (*function)();
}

std::expected<std::int32_t, Trap> Instance::run() const {
  const auto function = convention(*this, "_start");
  if (!function) return std::unexpected(function.error());
  const auto done = (*function)();
  if (done) return 0;
  if (done.error().is_exit()) return done.error().exit_status;
  return std::unexpected(done.error());
}

std::expected<Instance, InstantiationError> Instance::create(Store& store, const Module& module,
                                                             std::span<const Extern> imports) {
  // Copies: the start function may let go of the handles.
  const auto store_state = Internals::state(store);
  const auto module_state = Internals::state(module);
  const auto refuse = [](Error error) { return std::unexpected(InstantiationError(std::move(error))); };
  return guarded(
      [&]() -> std::expected<Instance, InstantiationError> {
        if (store_state->engine != module_state->engine) {
          return refuse(fail(ErrorKind::argument, "the store and the module belong to different engines").error());
        }
        const std::size_t expected = module_state->module->imports.size();
        if (imports.size() != expected) {
          return refuse(
              fail(ErrorKind::argument, "the module has {} imports, {} were given", expected, imports.size()).error());
        }
        std::vector<runtime::External> found;
        found.reserve(expected);
        for (const Extern& import : imports) {
          if (Internals::store(import).get() != store_state.get()) {
            return refuse(fail(ErrorKind::argument, "import {} is an object of another store", found.size()).error());
          }
          found.push_back(Internals::external(import));
        }
        auto instance = detail::instantiate_with(*store_state, module_state, found, false);
        if (!instance) return std::unexpected(std::move(instance).error());
        return Internals::instance(detail::StoreRef(store_state), *instance);
      },
      [&](Error error) -> std::expected<Instance, InstantiationError> { return refuse(std::move(error)); });
}

Caller::Caller(const detail::HostBinding& binding) : Caller(*binding.store, runtime::direct_caller(*binding.exec)) {}

Memory Caller::memory() const {
  return Internals::memory(detail::StoreRef::borrowed(*store_),
                           instance_ == nullptr ? nullptr : instance_->default_memory());
}

std::optional<Instance> Caller::instance() const {
  if (instance_ == nullptr) return std::nullopt;
  return Internals::instance(detail::StoreRef::borrowed(*store_), instance_);
}

std::any& Caller::store_data() const { return store_->data; }

void detail::fail_host_call(const HostBinding& binding, Trap trap) noexcept { binding.exec->pending = std::move(trap); }

void detail::fail_host_call(const HostBinding& binding) noexcept {
  fail_host_call(binding, runtime::trap_of_current_exception());
}

void detail::end_host_call(const HostBinding& binding, const runtime::HostEntry* entry, bool failed) {
  runtime::end_direct_call(*binding.exec, entry, failed);
}

}  // namespace wasi

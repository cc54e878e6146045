// Functions as embedders see them, and the way in and out of guest code.
#include <wasi/function.h>

#include <algorithm>
#include <array>

#include "base/guard.h"
#include "base/result.h"
#include "engine/convert.h"
#include "engine/host_function.h"
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

std::optional<Trap> call_values(detail::StoreState& state, runtime::FuncRef& function, std::span<const Value> args,
                                std::span<Value> results) {
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
    return Trap{.code = TrapCode::host_error, .message = std::move(*wrong)};
  }
  if (auto done = state.store.call(function, slots); !done) return std::move(done).error();
  detail::read_values(state.store, slots.data(), type.results, results);
  return std::nullopt;
}

}  // namespace

std::optional<Trap> detail::call_with_values(StoreState& store, runtime::FuncRef& function, std::span<const Value> args,
                                             std::span<Value> results) {
  // Host functions may let go of whatever handle is called, and of all else that keeps the store. And objects of the
  // host are not destroyed before the results are in roots.
  const Hold hold(store);
  return guarded([&] { return call_values(store, function, args, results); },
                 [](const Error& error) {
                   return std::optional(Trap{.code = TrapCode::allocation_failure, .message = error.message});
                 });
}

Result<Function> Function::create_host(const StoreContext& store, std::span<const ValueType> params,
                                       std::span<const ValueType> results, detail::HostThunks thunks,
                                       std::shared_ptr<void> callable) {
  return guarded([&]() -> Result<Function> {
    const detail::StoreRef& ref = Internals::store(store);
    detail::StoreState* const state = ref.get();
    if (state == nullptr) return detail::gone("context");
    const wasm::TypeRef type = WASI_TRY(detail::add_function_type(*state->engine->registry, params, results));
    if (!state->store.reserve_objects(sizeof(runtime::HostFunction) + sizeof(detail::HostBinding))) {
      return fail(ErrorKind::limit, "the store's memory limit has no room for another function");
    }
    return Function(ref, &detail::add_host_function(*state, type.id(), thunks, std::move(callable))->ref);
  });
}

Result<Function> Function::create(const StoreContext& store, const FunctionType& type, UntypedFunction function) {
  return guarded([&]() -> Result<Function> {
    auto callable = detail::make_untyped(type.params, type.results, std::move(function));
    return create_host(store, type.params, type.results, detail::untyped_thunks(), std::move(callable));
  });
}

FunctionType Function::type() const {
  const detail::StoreState* const state = store_.get();
  return state == nullptr ? FunctionType{} : detail::to_public(type_of(*state, *function_));
}

std::expected<std::vector<Value>, Trap> Function::call(std::span<const Value> args) const {
  detail::StoreState* const state = store_.get();
  if (state == nullptr) return std::unexpected(detail::gone_trap());
  using Results = std::expected<std::vector<Value>, Trap>;
  return guarded(
      [&]() -> Results {
        std::vector<Value> results(type_of(*state, *function_).results.size());
        if (auto trap = detail::call_with_values(*state, *function_, args, results)) {
          return std::unexpected(*std::move(trap));
        }
        return results;
      },
      [](const Error& error) {
        return Results(std::unexpected(Trap{.code = TrapCode::allocation_failure, .message = error.message}));
      });
}

std::expected<std::vector<Value>, Trap> Function::call(std::span<const Value> args, const CallOptions& options) const {
  detail::StoreState* const state = store_.get();
  if (state == nullptr) return std::unexpected(detail::gone_trap());
  const detail::CallScope scope(*state, options);
  if (scope.refusal() != nullptr) return std::unexpected(*scope.refusal());
  return call(args);
}

Result<void> Function::check_type(std::span<const ValueType> params, std::span<const ValueType> results,
                                  std::span<const bool> are_references) const {
  return guarded([&]() -> Result<void> {
    const detail::StoreState* const state = store_.get();
    if (state == nullptr) return detail::gone("function");
    const wasm::FuncType& type = type_of(*state, *function_);
    const wasm::TypeRegistry& registry = state->store.registry();
    bool fits = params.size() == type.params.size() && results.size() == type.results.size();
    for (std::size_t i = 0; fits && i < params.size(); ++i) {
      const wasm::ValType asked = detail::to_internal(params[i]);
      const wasm::ValType actual = type.params[i];
      // References are looked at when they are passed.
      fits = are_references[i] ? actual.is_ref() && registry.top_of(asked.heap()) == registry.top_of(actual.heap())
                               : registry.matches(asked, actual);
    }
    for (std::size_t i = 0; fits && i < results.size(); ++i) {
      fits = registry.matches(type.results[i], detail::to_internal(results[i]));
    }
    if (fits) return {};
    return fail(ErrorKind::argument, "the function has type {}, asked for {}", wasm::to_string(type),
                wasm::to_string(detail::to_internal(params, results)));
  });
}

Value Function::to_value() const {
  const detail::StoreState* const state = store_.get();
  if (state == nullptr) return Value::zero_of(ValueType::funcref());
  Value value = Value::from_bits(ValueType::funcref(), {reinterpret_cast<std::uint64_t>(function_), 0});
  Internals::set_root(value, state->store.function_root());
  return value;
}

std::optional<Function> Function::from_value(const StoreContext& store, const Value& value) {
  const detail::StoreRef& ref = Internals::store(store);
  const detail::StoreState* const state = ref.get();
  if (state == nullptr || value.is_null() || Internals::root(value) != state->store.function_root().get()) {
    return std::nullopt;
  }
  return Function(ref, reinterpret_cast<runtime::FuncRef*>(value.bits()[0]));
}

StoreContext::StoreContext(const Store& store) : store_(Internals::state(store)) {}
StoreContext::StoreContext(const Caller& caller) : store_(detail::StoreRef::borrowed(Internals::store(caller))) {}

}  // namespace wasi

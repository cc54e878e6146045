// What is between guests and functions of the host.
#include "engine/host_function.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "engine/convert.h"
#include "engine/state.h"

namespace wasi {

using detail::Internals;

namespace {

// The callable behind a function whose type is known at run time only.
struct UntypedCallable {
  wasm::FuncType type;
  UntypedFunction function;
};

Trap wrong_result(const std::string& what) {
  return {.code = TrapCode::host_error, .message = "host function: " + what};
}

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
    return wrong_result(*wrong);
  }
  return std::nullopt;
}

// Of a function that has returned what its own type says.
std::optional<Trap> check_results(runtime::Store& store, const runtime::Slot* slots,
                                  const std::vector<wasm::ValType>& types) {
  for (std::size_t i = 0; i < types.size(); slots += types[i++].slots()) {
    if (!types[i].is_ref()) continue;
    if (detail::reference_fits(store, slots->u64, types[i])) continue;
    return wrong_result(fmt::format("result {} is {}, expected {}", i + 1,
                                    slots->u64 == 0 ? "null" : "a reference to something else",
                                    wasm::to_string(types[i])));
  }
  return std::nullopt;
}

}  // namespace

detail::BoundFunction detail::bound_function(HostThunks thunks, std::shared_ptr<void> callable, StoreState& store) {
  runtime::ExecState& exec = store.store.exec();
  void* const function = callable.get();
  return {{.callable = function,
           .store = &store,
           .interrupt = &exec.interrupt,
           .host_entry = &exec.host_entry,
           .exec = &exec,
           .running_offset = exec.running_offset},
          thunks.by_slots,
          std::move(callable)};
}

std::optional<Trap> detail::enter_bound(void* data, runtime::HostCall& call) {
  const auto* bound = static_cast<const BoundFunction*>(data);
  Caller caller = Internals::caller(*bound->store, call.caller);
  auto trap = bound->thunk(bound->callable, caller, reinterpret_cast<Slot*>(call.slots));
  if (bound->results != nullptr && !trap) return check_results(bound->store->store, call.slots, *bound->results);
  return trap;
}

runtime::HostFunction* detail::add_host_function(StoreState& store, wasm::TypeId type, HostThunks thunks,
                                                 std::shared_ptr<void> callable, Adapted adapted) {
  auto bound = std::make_shared<BoundFunction>(bound_function(thunks, std::move(callable), store));
  if (adapted == Adapted::yes) {
    bound->results = &store.engine->registry->at(type).func.results;
    thunks.direct = nullptr;
  }
  HostBinding* const binding = bound.get();
  runtime::HostFunction* const host = store.store.add_host_function(type, &enter_bound, std::move(bound));
  store.store.offer_direct(*host, thunks.direct, binding);
  return host;
}

std::shared_ptr<void> detail::make_untyped(std::span<const ValueType> params, std::span<const ValueType> results,
                                           UntypedFunction function) {
  return std::make_shared<UntypedCallable>(to_internal(params, results), std::move(function));
}

detail::HostThunks detail::untyped_thunks() { return {&enter_untyped, nullptr}; }

void detail::read_arguments(Caller& caller, const Slot* slots, std::span<const ValueType> types,
                            std::span<Value> values) {
  runtime::Store& store = Internals::store(caller).store;
  const auto* slot = reinterpret_cast<const runtime::Slot*>(slots);
  for (std::size_t i = 0; i < types.size(); ++i) {
    const wasm::ValType type = to_internal(types[i]);
    values[i] = read_value(store, slot, type);
    slot += type.slots();
  }
}

std::optional<Trap> detail::write_results(Caller& caller, Slot* slots, std::span<const ValueType> types,
                                          std::span<const Value> values) {
  std::vector<wasm::ValType> internal;
  for (const ValueType type : types) internal.push_back(to_internal(type));
  auto wrong =
      write_values(reinterpret_cast<runtime::Slot*>(slots), values, internal, Internals::store(caller).store, "result");
  if (!wrong) return std::nullopt;
  return wrong_result(*wrong);
}

Trap detail::wrong_reference(const char* what, std::size_t number, const Value& value) {
  return {.code = TrapCode::host_error,
          .message = fmt::format("{} {} is {}, which its C++ type does not stand for", what, number + 1,
                                 value.is_null() ? "null" : "a reference of another kind")};
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

// Functions: handles to those of guests, and functions of the host as values.
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#function-instances
#pragma once

#include <wasi/detail/chrono.h>
#include <wasi/detail/export.h>
#include <wasi/detail/host_thunk.h>
#include <wasi/detail/memory.h>
#include <wasi/detail/references.h>
#include <wasi/detail/register_call.h>
#include <wasi/detail/signature.h>
#include <wasi/detail/store_ref.h>
#include <wasi/error.h>
#include <wasi/store.h>
#include <wasi/store_context.h>
#include <wasi/trap.h>
#include <wasi/types.h>
#include <wasi/values.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace wasi {

namespace runtime {
struct FuncRef;
}  // namespace runtime

namespace detail {
// Arguments and results in `slots`. False: it trapped, and take_trap is to be called next. Until then the store exists,
// whatever handles host functions let go of.
[[nodiscard]] WASI_API bool call(StoreState& store, runtime::FuncRef& function, std::span<Slot> slots);
WASI_API Trap take_trap(StoreState& store);
// The same with values, whose types are looked at; as many results as there is room for.
WASI_API std::optional<Trap> call_with_values(StoreState& store, runtime::FuncRef& function,
                                              std::span<const Value> args, std::span<Value> results);
// Of a call through a handle whose store is gone.
WASI_API Trap gone_trap();

// While it exists, what CallOptions say holds for the store, which exists as long.
class CallScope {
 public:
  WASI_API CallScope(StoreState& store, const CallOptions& options);
  WASI_API ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  // Null, or why there is to be no call.
  [[nodiscard]] const Trap* refusal() const { return refusal_ ? &*refusal_ : nullptr; }

 private:
  StoreState* store_;
  std::optional<Trap> refusal_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // the store's own before
  std::int64_t fuel_ = 0;                                          // the same
  bool has_deadline_;
  bool has_fuel_;
  std::uint64_t* fuel_left_;
};
}  // namespace detail

// A function of which the type was checked when it was got: calls only pass numbers. A handle as Function is.
template <class Signature>
class TypedFunction {};  // only function types have any
template <class R, class... Args>
class TypedFunction<R(Args...)> {
 public:
  // Runs the function; arguments by value, several results as a std::tuple. A trap, or the guest's wish to exit
  // (Trap::is_exit), is the error. May be called from host functions too. References are checked at each call: one of
  // another store, or of a type that the guest's parameter does not have, is a trap with the code `host_error`, and so
  // is a null result for which the C++ type has no room (std::optional has).
  std::expected<R, Trap> operator()(Args... args) const {
    detail::StoreState* const store = store_.get();
    if (store == nullptr) [[unlikely]]
      return std::unexpected(detail::gone_trap());
    // Host functions may let go of this object: nothing reads it once the guest runs.
    if constexpr (!detail::kIsSignature<R(Args...)>) {
      return std::unexpected(detail::gone_trap());  // it does not compile, and whoever made it has said why
    } else if constexpr (detail::has_references<R, Args...>()) {
      return call_with_references(StoreContext(store_), *store, function_, args...);
    } else if constexpr (detail::fits_registers<R, Args...>()) {
      detail::CallGate& gate = *gate_;
      runtime::FuncRef* const function = function_;
      if constexpr (std::is_void_v<R>) {
        detail::enter_with_registers<R, Args...>(gate, function, args...);
        const detail::CallOutcome outcome = outcome_of(*store, gate);
        if (outcome == detail::CallOutcome::done) [[likely]]
          return {};
        return end(outcome, *store, function, args...);
      } else {
        const auto result = detail::enter_with_registers<R, Args...>(gate, function, args...);
        const detail::CallOutcome outcome = outcome_of(*store, gate);
        if (outcome == detail::CallOutcome::done) [[likely]]
          return detail::RegisterResult<R>::unwrap(result);
        return end(outcome, *store, function, args...);
      }
    } else {
      return call_with_slots(*store, function_, args...);
    }
  }

  // The same with a deadline or fuel of its own.
  std::expected<R, Trap> call(const CallOptions& options, Args... args) const {
    detail::StoreState* const store = store_.get();
    if (store == nullptr) [[unlikely]]
      return std::unexpected(detail::gone_trap());
    const detail::CallScope scope(*store, options);
    if (scope.refusal() != nullptr) return std::unexpected(*scope.refusal());
    return (*this)(args...);
  }

 private:
  friend class Function;
  TypedFunction(detail::StoreRef store, runtime::FuncRef* function, detail::CallGate* gate)
      : store_(std::move(store)), function_(function), gate_(gate) {}

  static detail::CallOutcome outcome_of(detail::StoreState& store, detail::CallGate& gate) {
    if (gate.outcome == detail::CallOutcome::done) [[likely]]
      return detail::CallOutcome::done;
    return detail::finish_call(store, gate);
  }
  [[gnu::noinline]] static std::expected<R, Trap> end(detail::CallOutcome outcome, detail::StoreState& store,
                                                      runtime::FuncRef* function, Args... args) {
    if (outcome == detail::CallOutcome::stopped) return std::unexpected(detail::take_trap(store));
    return call_with_slots(store, function, args...);
  }
  static std::expected<R, Trap> call_with_slots(detail::StoreState& store, runtime::FuncRef* function, Args... args) {
    using Types = detail::SignatureOf<R(Args...)>;
    detail::Slot slots[Types::kSlots];
    Types::Params::store(slots, args...);
    if (!detail::call(store, *function, slots)) [[unlikely]]
      return std::unexpected(detail::take_trap(store));
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      return detail::ResultOf<R>::load(slots);
    }
  }
  static std::expected<R, Trap> call_with_references(const StoreContext& context, detail::StoreState& store,
                                                     runtime::FuncRef* function, const Args&... args) {
    std::array<Result<Value>, sizeof...(Args)> made{detail::to_value<Args>(context, args)...};
    std::array<Value, sizeof...(Args)> values;
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (!made[i]) {
        return std::unexpected(Trap{.code = TrapCode::host_error, .message = std::move(made[i].error().message)});
      }
      values[i] = *std::move(made[i]);
    }
    std::array<Value, detail::ResultOf<R>::List::kCount> results;
    if (auto trap = detail::call_with_values(store, *function, values, results)) {
      return std::unexpected(*std::move(trap));
    }
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      return detail::ResultOf<R>::from_values(context, results);
    }
  }

  detail::StoreRef store_;
  runtime::FuncRef* function_;
  detail::CallGate* gate_;
};

// A function of any type. A handle: copies refer to the same function; same thread as the store. Handles that come from
// a Caller do not keep their store alive, all others do. When the store is gone, what the former are asked for is an
// error, or empty. Do not keep an owning handle inside a host function of the same store: the two would keep each other
// alive for ever.
class Function {
 public:
  // A function of the host: a lambda, function object or function pointer. Its parameters, after an optional first
  // Caller&, stand for Wasm values: WasmValues, and references (Function, Struct, Array, AnyRef, I31, HostObject,
  // std::shared_ptr of what HostObjects were made of), which a std::optional around them makes nullable. It returns
  // void, one of these, a std::tuple of them, or std::expected<one of these, Trap> to be able to stop the guest. An
  // exception that leaves it becomes a trap with the code `host_error`, and so does a null reference, or one of another
  // type, for which the C++ type has no room.
  // References have the types that all of their kind have (structref for a Struct): a function that is to have a
  // module's own types, as an import with these wants it, is made with its FunctionType below. As a value it goes
  // wherever funcref does: into tables and globals, as an argument or import. It lives as long as the store. Fails with
  // `limit` where the store's memory limit has no room for it.
  template <class F>
  static Result<Function> create(const StoreContext& store, F&& function) {
    using Callable = std::decay_t<F>;
    if constexpr (detail::check_host_function<Callable>()) {
      using Signature = detail::CallableSignature<Callable>;
      return create_host(store, Signature::Params::kTypes, Signature::Results::kTypes, detail::host_thunks<Callable>(),
                         std::make_shared<Callable>(std::forward<F>(function)));
    } else {
      return std::unexpected(Error());
    }
  }
  // One whose type is known at run time only. `argument` where a type in it is none of the engine.
  WASI_API static Result<Function> create(const StoreContext& store, const FunctionType& type,
                                          UntypedFunction function);

  [[nodiscard]] WASI_API FunctionType type() const;

  // Runs the function. Arguments that do not fit the type in number or kind are a trap with the code
  // `host_error` and a message that says which; nothing has run then.
  [[nodiscard]] WASI_API std::expected<std::vector<Value>, Trap> call(std::span<const Value> args) const;
  // The same: call({1, 2.5}), in which an int is an i32 and a double an f64.
  [[nodiscard]] std::expected<std::vector<Value>, Trap> call(std::initializer_list<Value> args) const {
    return call(std::span<const Value>(args.begin(), args.size()));
  }
  // The same with a deadline or fuel of its own.
  [[nodiscard]] WASI_API std::expected<std::vector<Value>, Trap> call(std::span<const Value> args,
                                                                      const CallOptions& options) const;

  // With the type checked once and for all: fails with `argument` and both types. References stand for whatever
  // function, object or pointer the guest's parameters take, and for what its results may be.
  template <class Signature>
  [[nodiscard]] Result<TypedFunction<Signature>> typed() const {
    if constexpr (detail::check_signature<Signature>()) {
      using Types = detail::SignatureOf<Signature>;
      if (auto checked = check_type(Types::Params::kTypes, Types::Results::kTypes, Types::Params::kAreReferences);
          !checked) {
        return std::unexpected(std::move(checked).error());
      }
      return TypedFunction<Signature>(store_, function_, detail::call_gate(*store_.get(), *function_));
    } else {
      return std::unexpected(Error());
    }
  }

  // As a value of type funcref, and back. Empty for anything but a function reference of the store that is not null.
  [[nodiscard]] WASI_API Value to_value() const;
  WASI_API static std::optional<Function> from_value(const StoreContext& store, const Value& value);

  // The same function.
  friend bool operator==(const Function& a, const Function& b) {
    return a.function_ == b.function_ && a.store_ == b.store_;
  }

 private:
  friend struct detail::Internals;
  friend class Extern;
  friend class Instance;
  Function(detail::StoreRef store, runtime::FuncRef* function) : store_(std::move(store)), function_(function) {}
  WASI_API static Result<Function> create_host(const StoreContext& store, std::span<const ValueType> params,
                                               std::span<const ValueType> results, detail::HostThunks thunks,
                                               std::shared_ptr<void> callable);
  [[nodiscard]] WASI_API Result<void> check_type(std::span<const ValueType> params, std::span<const ValueType> results,
                                                 std::span<const bool> are_references) const;
  detail::StoreRef store_;
  runtime::FuncRef* function_;
};

namespace detail {
template <>
struct Reference<Function> : HandleReference<Function> {
  static constexpr ValueType kType = ValueType::funcref();
};
}  // namespace detail

}  // namespace wasi

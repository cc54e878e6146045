// How guests enter functions of the host. Not for direct use.
//
// From interpreted code, by slots, and from machine code, directly (direct_call.h). Functions that take or return
// references of a store are called with values, whose types are looked at.
#pragma once

#include <wasi/caller.h>
#include <wasi/detail/direct_call.h>
#include <wasi/detail/export.h>
#include <wasi/detail/function.h>
#include <wasi/detail/references.h>
#include <wasi/detail/signature.h>
#include <wasi/trap.h>
#include <wasi/values.h>

#include <array>
#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace wasi {

// A function of the host whose type is known at run time only. `results` holds zeros of the right types and is to be
// filled with values of the same types; another type is a trap.
using UntypedFunction =
    std::function<std::expected<void, Trap>(Caller& caller, std::span<const Value> args, std::span<Value> results)>;

namespace detail {

// `callable` is the function object, `slots` hold arguments and take results.
using HostThunk = std::optional<Trap> (*)(void* callable, Caller& caller, Slot* slots);

// What the thunks have of a function: itself, and its type in the store.
WASI_API void read_arguments(Caller& caller, const Slot* slots, std::span<const ValueType> types,
                             std::span<Value> values);
// A trap where they do not fit.
WASI_API std::optional<Trap> write_results(Caller& caller, Slot* slots, std::span<const ValueType> types,
                                           std::span<const Value> values);

// Plain values.
template <class F>
std::optional<Trap> host_thunk(void* callable, Caller& caller, Slot* slots) {
  using Signature = CallableSignature<F>;
  using Value = typename Signature::Result::Value;
  F& function = *static_cast<F*>(callable);
  auto invoke = [&](auto... args) {
    if constexpr (Signature::kTakesCaller) {
      return function(caller, args...);
    } else {
      return function(args...);
    }
  };
  auto run = [&] { return std::apply(invoke, Signature::Params::load(slots)); };
  if constexpr (Signature::Result::kCanFail) {
    auto result = run();
    if (!result) [[unlikely]]
      return std::move(result).error();
    if constexpr (!std::is_void_v<Value>) ResultOf<Value>::store(slots, *result);
  } else if constexpr (std::is_void_v<Value>) {
    run();
  } else {
    ResultOf<Value>::store(slots, run());
  }
  return std::nullopt;
}

// References among them.
template <class F, class Params, class Results>
struct ReferenceThunk;
template <class F, class... Ts, class... Rs>
struct ReferenceThunk<F, ValueList<Ts...>, ValueList<Rs...>> {
  using Signature = CallableSignature<F>;
  using R = typename Signature::Result::Value;

  static std::optional<Trap> run(void* callable, Caller& caller, Slot* slots) {
    return run(callable, caller, slots, std::index_sequence_for<Ts...>());
  }

 private:
  template <std::size_t... I>
  static std::optional<Trap> run(void* callable, Caller& caller, Slot* slots, std::index_sequence<I...> /*unused*/) {
    const StoreContext store(caller);
    std::array<Value, sizeof...(Ts)> values;
    read_arguments(caller, slots, ValueList<Ts...>::kTypes, values);
    std::tuple<std::optional<Ts>...> args{from_value<Ts>(store, values[I])...};
    std::optional<Trap> wrong;
    ((wrong || std::get<I>(args) ? void() : void(wrong = wrong_reference("argument", I, values[I]))), ...);
    if (wrong) return wrong;
    F& function = *static_cast<F*>(callable);
    auto invoke = [&] {
      if constexpr (Signature::kTakesCaller) {
        return function(caller, *std::get<I>(args)...);
      } else {
        return function(*std::get<I>(args)...);
      }
    };
    if constexpr (Signature::Result::kCanFail) {
      auto result = invoke();
      if (!result) [[unlikely]]
        return std::move(result).error();
      if constexpr (std::is_void_v<R>) {
        return std::nullopt;
      } else {
        return finish(store, caller, slots, *result);
      }
    } else if constexpr (std::is_void_v<R>) {
      invoke();
      return std::nullopt;
    } else {
      return finish(store, caller, slots, invoke());
    }
  }

  template <class Returned>
  static std::optional<Trap> finish(const StoreContext& store, Caller& caller, Slot* slots, const Returned& result) {
    std::array<Result<Value>, sizeof...(Rs)> made = ResultOf<Returned>::to_values(store, result);
    std::array<Value, sizeof...(Rs)> values;
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (!made[i]) return Trap{.code = TrapCode::host_error, .message = std::move(made[i].error().message)};
      values[i] = *std::move(made[i]);
    }
    return write_results(caller, slots, ValueList<Rs...>::kTypes, values);
  }
};

struct HostThunks {
  HostThunk by_slots;
  DirectThunk direct;  // may be null
};

template <class F>
HostThunks host_thunks() {
  using Signature = CallableSignature<F>;
  if constexpr (Signature::Params::kHasReferences || Signature::Results::kHasReferences) {
    return {&ReferenceThunk<F, typename Signature::Params, typename Signature::Results>::run, nullptr};
  } else {
    return {&host_thunk<F>, direct_thunk<F>()};
  }
}

}  // namespace detail
}  // namespace wasi

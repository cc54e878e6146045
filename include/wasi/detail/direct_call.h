// How machine code calls functions of the host without a word in between: the compile-time half. Not for direct use.
//
// Wasm's values are in registers there, where the platform's C convention has those of a C function: the first five
// integers behind the context, and eight floats or vectors; one result, or two that fit into a pair of registers. A
// function of the host whose signature keeps to that gets a C function of its own, which machine code calls. Others,
// and all of them from interpreted code, are called with slots.
#pragma once

#include <wasi/caller.h>
#include <wasi/detail/export.h>
#include <wasi/detail/signature.h>
#include <wasi/trap.h>
#include <wasi/values.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace wasi::detail {

struct StoreState;

// A function of the host in a store: what comes in front of its arguments.
struct HostBinding {
  void* callable = nullptr;
  StoreState* store = nullptr;
};

// What went wrong: the guest is stopped, or gets the exception, as soon as the function has returned.
WASI_API void fail_host_call(const HostBinding& binding, Trap trap) noexcept;
// The same of the C++ exception that is being handled.
WASI_API void fail_host_call(const HostBinding& binding) noexcept;

// Any C function. Null: called with slots.
using DirectThunk = void (*)();

// How a value is passed, and how alone as a result. Integers and floats are their own carriers.
using VectorCarrier = long long __attribute__((vector_size(16)));
template <WasmValue T>
struct Carrier {
  using Type = T;
  static T wrap(T value) { return value; }
  static T unwrap(T value) { return value; }
};
template <>
struct Carrier<V128> {
  using Type = VectorCarrier;
  static Type wrap(const V128& value) { return std::bit_cast<Type>(value); }
  static V128 unwrap(Type value) { return std::bit_cast<V128>(value); }
};
template <>
struct Carrier<ExternRef> {
  using Type = std::uint64_t;
  static Type wrap(ExternRef value) { return to_reference(value); }
  static ExternRef unwrap(Type value) { return to_extern(value); }
};

template <class T>
inline constexpr bool kInVectorRegister =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, V128>;

// A list of arguments: whether each has a register.
template <class List>
struct DirectParams;
template <class... Ts>
struct DirectParams<ValueList<Ts...>> {
  static constexpr std::size_t kVectors = (std::size_t{0} + ... + (kInVectorRegister<Ts> ? 1 : 0));
  static constexpr bool kFits = kVectors <= 8 && sizeof...(Ts) - kVectors <= 5;
};

// What a function returns in registers: void, a carrier, or two words.
template <class R>
struct DirectResult {
  static constexpr bool kFits = true;
  using Type = typename Carrier<R>::Type;
  static Type wrap(const R& value) { return Carrier<R>::wrap(value); }
};
template <>
struct DirectResult<void> {
  static constexpr bool kFits = true;
  using Type = void;
};
template <class... Ts>
struct DirectResult<std::tuple<Ts...>> {
  static constexpr bool kFits = false;
};
template <class A, class B>
  requires(!std::is_same_v<A, V128> && !std::is_same_v<B, V128>)
struct DirectResult<std::tuple<A, B>> {
  static constexpr bool kFits = true;
  template <class T>
  using Word = std::conditional_t<kInVectorRegister<T>, double, std::uint64_t>;
  struct Type {
    Word<A> first;
    Word<B> second;
  };
  static Type wrap(const std::tuple<A, B>& values) { return {word(std::get<0>(values)), word(std::get<1>(values))}; }

 private:
  template <class T>
  static Word<T> word(const T& value) {
    Slot slot = 0;
    to_slot<T>(&slot, value);
    return std::bit_cast<Word<T>>(slot);
  }
};

template <class F, class Params>
struct DirectCall;
template <class F, class... Ts>
struct DirectCall<F, ValueList<Ts...>> {
  using Signature = CallableSignature<F>;
  using Value = typename Signature::Result::Value;

#if defined(__cpp_exceptions)
  static typename DirectResult<Value>::Type run(const HostBinding* binding, typename Carrier<Ts>::Type... args) {
    try {
      return call(*binding, Carrier<Ts>::unwrap(args)...);
    } catch (...) {
      fail_host_call(*binding);
    }
    return typename DirectResult<Value>::Type();
  }
#endif

 private:
  static typename DirectResult<Value>::Type call(const HostBinding& binding, Ts... args) {
    F& function = *static_cast<F*>(binding.callable);
    auto run = [&]() -> decltype(auto) {
      if constexpr (Signature::kTakesCaller) {
        Caller caller(binding);
        return function(caller, args...);
      } else {
        return function(args...);
      }
    };
    if constexpr (Signature::Result::kCanFail) {
      auto result = run();
      if (!result) [[unlikely]] {
        fail_host_call(binding, std::move(result).error());
        return typename DirectResult<Value>::Type();
      }
      if constexpr (!std::is_void_v<Value>) return DirectResult<Value>::wrap(*result);
    } else if constexpr (std::is_void_v<Value>) {
      run();
    } else {
      return DirectResult<Value>::wrap(run());
    }
  }
};

template <class F>
DirectThunk direct_thunk() {
#if defined(__cpp_exceptions)
  using Signature = CallableSignature<F>;
  if constexpr (DirectParams<typename Signature::Params>::kFits &&
                DirectResult<typename Signature::Result::Value>::kFits) {
    return reinterpret_cast<DirectThunk>(&DirectCall<F, typename Signature::Params>::run);
  }
#endif
  return nullptr;
}

}  // namespace wasi::detail

// Which values of typed calls have registers, and how they are passed there. Not for direct use.
//
// In machine code Wasm's values are where the platform's C convention has those of a C function: the first five
// integers behind the context, and eight floats or vectors; one result, or two that fit into a pair of registers.
#pragma once

#include <wasi/detail/signature.h>
#include <wasi/values.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

// Machine code is made for x86-64 only.
#if defined(__x86_64__)
#define WASI_HAS_REGISTER_VALUES 1
#else
#define WASI_HAS_REGISTER_VALUES 0
#endif

namespace wasi::detail {

// How a value is passed, and how alone as a result. Integers and floats are their own carriers.
using VectorCarrier = long long __attribute__((vector_size(16)));
template <class T>
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
struct RegisterParams;
template <class... Ts>
struct RegisterParams<ValueList<Ts...>> {
  static constexpr std::size_t kVectors = (std::size_t{0} + ... + (kInVectorRegister<Ts> ? 1 : 0));
  static constexpr bool kFits = (true && ... && WasmValue<Ts>) && kVectors <= 8 && sizeof...(Ts) - kVectors <= 5;
};

// What a function returns in registers: void, a carrier, or two words.
template <class R>
struct RegisterResult {
  static constexpr bool kFits = WasmValue<R>;
  using Type = typename Carrier<R>::Type;
  static Type wrap(const R& value) { return Carrier<R>::wrap(value); }
  static R unwrap(const Type& value) { return Carrier<R>::unwrap(value); }
};
template <>
struct RegisterResult<void> {
  static constexpr bool kFits = true;
  using Type = void;
};
template <class... Ts>
struct RegisterResult<std::tuple<Ts...>> {
  static constexpr bool kFits = false;
};
template <class A, class B>
  requires(WasmValue<A> && WasmValue<B> && !std::is_same_v<A, V128> && !std::is_same_v<B, V128>)
struct RegisterResult<std::tuple<A, B>> {
  static constexpr bool kFits = true;
  template <class T>
  using Word = std::conditional_t<kInVectorRegister<T>, double, std::uint64_t>;
  struct Type {
    Word<A> first;
    Word<B> second;
  };
  static Type wrap(const std::tuple<A, B>& values) { return {word(std::get<0>(values)), word(std::get<1>(values))}; }
  static std::tuple<A, B> unwrap(const Type& words) { return {value<A>(words.first), value<B>(words.second)}; }

 private:
  template <class T>
  static Word<T> word(const T& value) {
    Slot slot = 0;
    to_slot<T>(&slot, value);
    return std::bit_cast<Word<T>>(slot);
  }
  template <class T>
  static T value(Word<T> word) {
    const auto slot = std::bit_cast<Slot>(word);
    return from_slot<T>(&slot);
  }
};

}  // namespace wasi::detail

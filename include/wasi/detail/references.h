// Which C++ types stand for references that belong to a store, in the signatures of functions. Not for direct use.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/error.h>
#include <wasi/store_context.h>
#include <wasi/trap.h>
#include <wasi/values.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace wasi::detail {

// Specialised where such a type is:
//   kType       its Wasm type, which takes null
//   kTakesNull  whether the C++ type does
//   static Result<Value> to_value(const StoreContext&, const T&)
//   static std::optional<T> from_value(const StoreContext&, const Value&)   // empty: it is no such reference
template <class T>
struct Reference {};

template <class T>
concept ReferenceType = requires { Reference<T>::kType; };

// What a signature is made of.
template <class T>
concept SignatureValue = WasmValue<T> || ReferenceType<T>;

// Null, or a reference.
template <ReferenceType T>
  requires(!Reference<T>::kTakesNull)
struct Reference<std::optional<T>> {
  static constexpr ValueType kType = Reference<T>::kType;
  static constexpr bool kTakesNull = true;
  static Result<Value> to_value(const StoreContext& store, const std::optional<T>& reference) {
    if (!reference) return Value::zero_of(kType);
    return Reference<T>::to_value(store, *reference);
  }
  static std::optional<std::optional<T>> from_value(const StoreContext& store, const Value& value) {
    if (value.is_null()) return std::optional<std::optional<T>>(std::in_place, std::nullopt);
    std::optional<T> reference = Reference<T>::from_value(store, value);
    if (!reference) return std::nullopt;
    return std::optional<std::optional<T>>(std::in_place, std::move(reference));
  }
};

// Of those that are classes with to_value() and from_value() themselves.
template <class T>
struct HandleReference {
  static constexpr bool kTakesNull = false;
  static Result<Value> to_value(const StoreContext& /*store*/, const T& reference) { return reference.to_value(); }
  static std::optional<T> from_value(const StoreContext& store, const Value& value) {
    return T::from_value(store, value);
  }
};

template <SignatureValue T>
constexpr ValueType signature_type_of() {
  if constexpr (ReferenceType<T>) {
    return Reference<T>::kType;
  } else {
    return value_type_of<T>();
  }
}

template <SignatureValue T>
Result<Value> to_value(const StoreContext& store, const T& value) {
  if constexpr (ReferenceType<T>) {
    return Reference<T>::to_value(store, value);
  } else {
    return Value(value);
  }
}
template <SignatureValue T>
std::optional<T> from_value(const StoreContext& store, const Value& value) {
  if constexpr (ReferenceType<T>) {
    return Reference<T>::from_value(store, value);
  } else {
    return value.as<T>();
  }
}

// Of the argument or result (`what`) with this number, from 0 on, that is no reference of the type which C++ asks for.
WASI_API Trap wrong_reference(const char* what, std::size_t number, const Value& value);

}  // namespace wasi::detail

// Objects of the garbage-collected heap, as the host makes, reads and writes them: structures, arrays, i31.
//
// All handles of this header: copies refer to the same object, which lives at least as long as they do and their store
// exists; same thread as the store. Handles made with a Caller do not keep their store alive, all others do (see
// StoreContext). When the store is gone, what the former are asked for is an error, or empty.
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#heap-types
#pragma once

#include <wasi/defined_type.h>
#include <wasi/detail/export.h>
#include <wasi/detail/references.h>
#include <wasi/detail/store_ref.h>
#include <wasi/error.h>
#include <wasi/host_object.h>
#include <wasi/store_context.h>
#include <wasi/types.h>
#include <wasi/values.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

namespace wasi {

class AnyRef;

class Struct {
 public:
  // An object of a structure type, with a value for each field; without values, of zeros and nulls. Fails with
  // `argument` for another type, a value that does not fit, or a field without value that has no default; with `limit`
  // when the store's heap is full. May collect garbage, as everything that makes objects.
  WASI_API static Result<Struct> create(const StoreContext& store, const DefinedType& type,
                                        std::span<const Value> fields);
  static Result<Struct> create(const StoreContext& store, const DefinedType& type,
                               std::initializer_list<Value> fields) {
    return create(store, type, std::span<const Value>(fields.begin(), fields.size()));
  }
  WASI_API static Result<Struct> create(const StoreContext& store, const DefinedType& type);

  // Its own type, which may be below the one that it is known by. `argument` when the store is gone.
  [[nodiscard]] WASI_API Result<DefinedType> type() const;

  // A field, by its number from 0 on. Packed ones are i32, zero-extended; of what is written to them the low bits
  // count. Fail with `argument`: there is no such field, it is immutable, the value does not fit.
  [[nodiscard]] WASI_API Result<Value> get(std::size_t field) const;
  WASI_API Result<void> set(std::size_t field, const Value& value) const;

  // As a value of type structref, and back from any reference. Empty for anything but a structure of the store.
  [[nodiscard]] const Value& to_value() const { return value_; }
  WASI_API static std::optional<Struct> from_value(const StoreContext& store, const Value& value);

  // The same object.
  friend bool operator==(const Struct& a, const Struct& b) { return a.value_ == b.value_ && a.store_ == b.store_; }

 private:
  friend class AnyRef;
  friend struct detail::Internals;
  Struct(detail::StoreRef store, Value value) : store_(std::move(store)), value_(std::move(value)) {}
  detail::StoreRef store_;
  Value value_;
};

class Array {
 public:
  // An object of an array type: `length` elements that hold `init`, or without it zeros or nulls; or one for each
  // value. Fails as Struct::create does.
  WASI_API static Result<Array> create(const StoreContext& store, const DefinedType& type, std::uint32_t length,
                                       const Value& init);
  WASI_API static Result<Array> create(const StoreContext& store, const DefinedType& type, std::uint32_t length);
  WASI_API static Result<Array> create(const StoreContext& store, const DefinedType& type,
                                       std::span<const Value> elements);
  // One of numbers or vectors from the bytes of its elements, little-endian; `argument` too when the last is cut off.
  WASI_API static Result<Array> from_bytes(const StoreContext& store, const DefinedType& type,
                                           std::span<const std::uint8_t> bytes);

  [[nodiscard]] WASI_API Result<DefinedType> type() const;
  [[nodiscard]] WASI_API std::uint32_t size() const;  // in elements
  // As fields of a Struct.
  [[nodiscard]] WASI_API Result<Value> get(std::uint32_t index) const;
  WASI_API Result<void> set(std::uint32_t index, const Value& value) const;
  // The elements of an array of numbers or vectors, little-endian, without copies; valid as long as a handle and the
  // store are there. `argument` for an array of references; mutable_bytes also for one that is immutable.
  [[nodiscard]] WASI_API Result<std::span<const std::uint8_t>> bytes() const;
  [[nodiscard]] WASI_API Result<std::span<std::uint8_t>> mutable_bytes() const;

  // As a value of type arrayref, and back from any reference. Empty for anything but an array of the store.
  [[nodiscard]] const Value& to_value() const { return value_; }
  WASI_API static std::optional<Array> from_value(const StoreContext& store, const Value& value);

  // The same object.
  friend bool operator==(const Array& a, const Array& b) { return a.value_ == b.value_ && a.store_ == b.store_; }

 private:
  friend class AnyRef;
  friend struct detail::Internals;
  Array(detail::StoreRef store, Value value) : store_(std::move(store)), value_(std::move(value)) {}
  detail::StoreRef store_;
  Value value_;
};

// A number of 31 bits as a reference: no object, and no store's. The value is sign-extended, of others the low bits
// count.
struct I31 {
  std::int32_t value = 0;
  [[nodiscard]] Value to_value() const { return Value::from_i31(value); }
  static std::optional<I31> from_value(const StoreContext& /*store*/, const Value& value) {
    const std::optional<std::int32_t> number = value.as_i31();
    if (!number) return std::nullopt;
    return I31{*number};
  }
  friend bool operator==(const I31&, const I31&) = default;
};

// Any reference of the hierarchy of anyref: null, an I31, a Struct, an Array, what any.convert_extern made of an
// externref. Of externref too, by extern.convert_any or from the host. For signatures that take them all.
class AnyRef {
 public:
  AnyRef() : value_(Value::zero_of(ValueType::anyref())) {}  // null
  WASI_API AnyRef(const Struct& object);                     // NOLINT(google-explicit-constructor):
                                                             // each of them is an AnyRef
  WASI_API AnyRef(const Array& object);                      // NOLINT(google-explicit-constructor)
  WASI_API AnyRef(I31 number);                               // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool is_null() const { return value_.is_null(); }
  [[nodiscard]] WASI_API ReferenceKind kind() const;
  // Empty when it is something else.
  [[nodiscard]] WASI_API std::optional<I31> i31() const;
  [[nodiscard]] WASI_API std::optional<Struct> structure() const;
  [[nodiscard]] WASI_API std::optional<Array> array() const;
  [[nodiscard]] WASI_API std::optional<HostObject> host_object() const;

  // As a value of type anyref, and back from any reference that is no function and no exception.
  [[nodiscard]] const Value& to_value() const { return value_; }
  WASI_API static std::optional<AnyRef> from_value(const StoreContext& store, const Value& value);

  // The same reference, as ref.eq has it.
  friend bool operator==(const AnyRef& a, const AnyRef& b) { return a.value_ == b.value_; }

 private:
  detail::StoreRef store_;
  Value value_;
};

namespace detail {
template <>
struct Reference<Struct> : HandleReference<Struct> {
  static constexpr ValueType kType = ValueType::structref();
};
template <>
struct Reference<Array> : HandleReference<Array> {
  static constexpr ValueType kType = ValueType::arrayref();
};
template <>
struct Reference<I31> : HandleReference<I31> {
  static constexpr ValueType kType = ValueType::i31ref();
};
template <>
struct Reference<AnyRef> : HandleReference<AnyRef> {
  static constexpr ValueType kType = ValueType::anyref();
  static constexpr bool kTakesNull = true;
};
}  // namespace detail

}  // namespace wasi

// Values as they go into and come out of guest functions whose types are known at run time only.
//
// Functions of known type take plain C++ numbers instead (instance.h, linker.h).
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#values
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>
#include <wasi/types.h>

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace wasi {

// A 128-bit vector: its bytes, lane 0 first, little-endian.
struct V128 {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const V128&, const V128&) = default;
};

// An opaque pointer of the host, as externref. The engine never looks behind it and does not own it. Of numbers that
// are no addresses, 62 bits are kept.
struct ExternRef {
  void* pointer = nullptr;  // null is the null reference
  friend bool operator==(ExternRef, ExternRef) = default;
};

// What a reference is, whatever its static type says.
enum class ReferenceKind : std::uint8_t {
  null,
  function,
  host,  // an ExternRef
  i31,
  structure,
  array,
  exception,
  host_object,  // a HostObject
};

namespace runtime {
class HostRoot;
}

namespace detail {
struct Internals;

// An integer, enumeration or bool as the 64 bits of a slot, of which narrower ones use the lower half, and back.
template <class T>
constexpr std::uint64_t to_bits(T value) {
  if constexpr (sizeof(T) == 8) return static_cast<std::uint64_t>(value);
  return static_cast<std::uint32_t>(value);
}
template <class T>
constexpr T from_bits(std::uint64_t bits) {
  if constexpr (std::is_same_v<T, bool>) {
    return static_cast<std::uint32_t>(bits) != 0;
  } else if constexpr (sizeof(T) == 8) {
    return static_cast<T>(bits);
  } else {
    return static_cast<T>(static_cast<std::uint32_t>(bits));
  }
}

// A host's pointer as a reference, and back; null for a reference that the guest made.
inline std::uint64_t to_reference(ExternRef value) {
  const auto bits = reinterpret_cast<std::uint64_t>(value.pointer);
  return bits == 0 ? 0 : bits << 2 | 2;
}
inline ExternRef to_extern(std::uint64_t reference) {
  if ((reference & 3) != 2) return {};
  return {reinterpret_cast<void*>(static_cast<std::int64_t>(reference) >> 2)};
}
}  // namespace detail

// C++ types that stand for one Wasm value: 32- and 64-bit integers of either sign, enumerations of these sizes, bool
// (an i32; all that is not 0 reads as true), float, double, V128, ExternRef.
template <class T>
concept WasmValue = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, V128> ||
                    std::same_as<T, ExternRef> || std::same_as<T, bool> ||
                    ((std::integral<T> || std::is_enum_v<T>) && (sizeof(T) == 4 || sizeof(T) == 8) &&
                     !std::same_as<T, wchar_t> && !std::same_as<T, char32_t>);

// The Wasm type of a C++ type.
template <WasmValue T>
constexpr ValueType value_type_of() {
  if constexpr (std::same_as<T, float>) {
    return ValueType::f32();
  } else if constexpr (std::same_as<T, double>) {
    return ValueType::f64();
  } else if constexpr (std::same_as<T, V128>) {
    return ValueType::v128();
  } else if constexpr (std::same_as<T, ExternRef>) {
    return ValueType::externref();
  } else {
    return sizeof(T) == 8 ? ValueType::i64() : ValueType::i32();
  }
}

// A value with its type. A plain value; floats keep every bit, NaN payloads included.
//
// A reference to a function or an object belongs to the store that it comes from; others refuse it. One to an object of
// the heap keeps the object alive as long as there is the store. Like everything that belongs to a store it is used by
// one thread at a time, but any thread may let go of it, also when the store is gone.
class Value {
 public:
  Value() = default;  // i32 0
  template <WasmValue T>
  Value(T value) : type_(value_type_of<T>()) {  // NOLINT(google-explicit-constructor): numbers are values
    if constexpr (std::same_as<T, float>) {
      bits_[0] = std::bit_cast<std::uint32_t>(value);
    } else if constexpr (std::same_as<T, double>) {
      bits_[0] = std::bit_cast<std::uint64_t>(value);
    } else if constexpr (std::same_as<T, V128>) {
      bits_ = std::bit_cast<std::array<std::uint64_t, 2>>(value.bytes);
    } else if constexpr (std::same_as<T, ExternRef>) {
      bits_[0] = detail::to_reference(value);
    } else {
      bits_[0] = detail::to_bits(value);
    }
  }
  // The null reference, or the zero, of a type.
  static Value zero_of(ValueType type) { return from_bits(type, {}); }
  // An i31ref: the low 31 bits of the number.
  static Value from_i31(std::int32_t value) {
    return from_bits(ValueType::i31ref(), {static_cast<std::uint32_t>(value) << 1 | 1U, 0});
  }
  // A host's pointer as anyref, as any.convert_extern would give it.
  static Value any_from_extern(ExternRef value) {
    return from_bits(ValueType::anyref(), {detail::to_reference(value), 0});
  }

  [[nodiscard]] ValueType type() const { return type_; }
  [[nodiscard]] bool is_null() const { return type_.is_reference() && bits_[0] == 0; }
  // Empty for numbers and vectors, and for references made of bits that stand for none.
  [[nodiscard]] WASI_API std::optional<ReferenceKind> reference_kind() const;

  // The value as a C++ type; empty when the value has another Wasm type. An i32 reads as either sign. An externref that
  // is no pointer of the host's reads as none: extern.convert_any makes them of the guest's own references.
  template <WasmValue T>
  [[nodiscard]] std::optional<T> as() const {
    constexpr ValueType expected = value_type_of<T>();
    // A reference that cannot be null is one all the same.
    const ValueType own = type_.is_reference() ? type_.as_nullable() : type_;
    if (own != expected) return std::nullopt;
    if constexpr (std::same_as<T, float>) {
      return std::bit_cast<float>(static_cast<std::uint32_t>(bits_[0]));
    } else if constexpr (std::same_as<T, double>) {
      return std::bit_cast<double>(bits_[0]);
    } else if constexpr (std::same_as<T, V128>) {
      return V128{std::bit_cast<std::array<std::uint8_t, 16>>(bits_)};
    } else if constexpr (std::same_as<T, ExternRef>) {
      if (!is_null() && reference_kind() != ReferenceKind::host) return std::nullopt;
      return detail::to_extern(bits_[0]);
    } else {
      return detail::from_bits<T>(bits_[0]);
    }
  }
  // The number in an i31 reference; empty when the value is none.
  [[nodiscard]] WASI_API std::optional<std::int32_t> as_i31() const;
  // The host's pointer in an externref or anyref; empty when there is none in it.
  [[nodiscard]] WASI_API std::optional<ExternRef> as_host() const;

  // For people: "42", "-0.5", "nan:0x400000" for a NaN with an unusual payload, "null", "0x...." for a v128.
  // Integers are printed signed.
  [[nodiscard]] WASI_API std::string to_string() const;

  // The representation in slots: v128 uses both, everything else the first.
  [[nodiscard]] const std::array<std::uint64_t, 2>& bits() const { return bits_; }
  // For numbers and vectors, and null: bits make no reference to an object that a store would take.
  static Value from_bits(ValueType type, std::array<std::uint64_t, 2> bits) {
    Value value;
    value.type_ = type;
    value.bits_ = bits;
    return value;
  }
  // Bit by bit: a NaN equals itself, 0.0 and -0.0 differ; references are equal when they are the same.
  friend bool operator==(const Value& a, const Value& b) { return a.type_ == b.type_ && a.bits_ == b.bits_; }

 private:
  friend struct detail::Internals;
  ValueType type_;
  std::array<std::uint64_t, 2> bits_{};
  std::shared_ptr<const runtime::HostRoot> root_;  // of a reference to a function or an object
};

}  // namespace wasi

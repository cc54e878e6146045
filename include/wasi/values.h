// Values as they go into and come out of guest functions whose types are known at run time only.
//
// Functions of known type take plain C++ numbers instead (instance.h, linker.h).
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#values
#pragma once

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

// An opaque pointer of the host, as externref. The engine never looks behind it and does not own it.
struct ExternRef {
  void* pointer = nullptr;  // null is the null reference
  friend bool operator==(ExternRef, ExternRef) = default;
};

// C++ types that stand for one Wasm value: 32- and 64-bit integers of either sign, float, double, V128, ExternRef.
template <class T>
concept WasmValue =
    std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, V128> || std::same_as<T, ExternRef> ||
    (std::integral<T> && !std::same_as<T, bool> && (sizeof(T) == 4 || sizeof(T) == 8) && !std::same_as<T, wchar_t> &&
     !std::same_as<T, char32_t>);

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
    return sizeof(T) == 4 ? ValueType::i32() : ValueType::i64();
  }
}

// A value with its type. A plain value; floats keep every bit, NaN payloads included.
// A function reference stays valid as long as the store that it comes from.
class Value {
 public:
  constexpr Value() = default;  // i32 0
  template <WasmValue T>
  constexpr Value(T value) : type_(value_type_of<T>()) {  // NOLINT(google-explicit-constructor): numbers are values
    if constexpr (std::same_as<T, float>) {
      bits_[0] = std::bit_cast<std::uint32_t>(value);
    } else if constexpr (std::same_as<T, double>) {
      bits_[0] = std::bit_cast<std::uint64_t>(value);
    } else if constexpr (std::same_as<T, V128>) {
      bits_ = std::bit_cast<std::array<std::uint64_t, 2>>(value.bytes);
    } else if constexpr (std::same_as<T, ExternRef>) {
      bits_[0] = reinterpret_cast<std::uint64_t>(value.pointer);
    } else {
      bits_[0] = static_cast<std::make_unsigned_t<T>>(value);
    }
  }
  // The null reference, or the zero, of a type.
  static constexpr Value zero_of(ValueType type) { return from_bits(type, {}); }

  [[nodiscard]] constexpr ValueType type() const { return type_; }
  [[nodiscard]] constexpr bool is_null() const { return type_.is_reference() && bits_[0] == 0; }

  // The value as a C++ type; empty when the value has another Wasm type. An i32 reads as either sign.
  template <WasmValue T>
  [[nodiscard]] constexpr std::optional<T> as() const {
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
      return ExternRef{reinterpret_cast<void*>(bits_[0])};
    } else {
      return static_cast<T>(bits_[0]);
    }
  }

  // For people: "42", "-0.5", "nan:0x400000" for a NaN with an unusual payload, "null", "0x...." for a v128.
  // Integers are printed signed.
  [[nodiscard]] std::string to_string() const;

  // The representation in slots: v128 uses both, everything else the first.
  [[nodiscard]] constexpr const std::array<std::uint64_t, 2>& bits() const { return bits_; }
  static constexpr Value from_bits(ValueType type, std::array<std::uint64_t, 2> bits) {
    Value value;
    value.type_ = type;
    value.bits_ = bits;
    return value;
  }
  // Bit by bit: a NaN equals itself, 0.0 and -0.0 differ.
  friend constexpr bool operator==(const Value&, const Value&) = default;

 private:
  ValueType type_;
  std::array<std::uint64_t, 2> bits_{};
};

}  // namespace wasi

// Types of what modules import and export, as plain values.
//
// A ValueType is a 32-bit handle; two are equal when they are the same type in their engine. Comparing types
// of two engines has a meaning only for numbers, vectors and the abstract references named here.
// Source: https://webassembly.github.io/spec/core/syntax/types.html
#pragma once

#include <wasi/detail/export.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wasi {

// A value type. Cheap to copy; use it from any thread.
class ValueType {
 public:
  enum class Kind : std::uint8_t { i32 = 1, i64, f32, f64, v128, ref, ref_null };

  constexpr ValueType() = default;  // i32
  static constexpr ValueType i32() { return ValueType(Kind::i32); }
  static constexpr ValueType i64() { return ValueType(Kind::i64); }
  static constexpr ValueType f32() { return ValueType(Kind::f32); }
  static constexpr ValueType f64() { return ValueType(Kind::f64); }
  static constexpr ValueType v128() { return ValueType(Kind::v128); }
  static constexpr ValueType funcref() { return from_bits(kFuncRefBits); }
  static constexpr ValueType externref() { return from_bits(kExternRefBits); }

  [[nodiscard]] constexpr Kind kind() const { return static_cast<Kind>(bits_ & 7); }
  [[nodiscard]] constexpr bool is_reference() const { return kind() >= Kind::ref; }
  static constexpr ValueType anyref() { return abstract(4); }
  static constexpr ValueType eqref() { return abstract(5); }
  static constexpr ValueType i31ref() { return abstract(6); }
  static constexpr ValueType structref() { return abstract(7); }
  static constexpr ValueType arrayref() { return abstract(8); }
  static constexpr ValueType exnref() { return abstract(10); }

  // What references of the type refer to, from the abstract types of the
  // specification; `defined`: to a DefinedType.
  enum class Heap : std::uint8_t {
    func,
    nofunc,
    extern_,
    noextern,
    any,
    eq,
    i31,
    struct_,
    array,
    none,
    exn,
    noexn,
    defined,
  };
  // Of a reference type.
  [[nodiscard]] constexpr Heap heap() const {
    return bits_ >> 3 < static_cast<std::uint32_t>(Heap::defined) ? static_cast<Heap>(bits_ >> 3) : Heap::defined;
  }
  [[nodiscard]] constexpr bool is_nullable() const { return kind() == Kind::ref_null; }

  // The same reference type, null included.
  [[nodiscard]] constexpr ValueType as_nullable() const { return from_bits(bits_ | kFuncRefBits); }
  // The text format's spelling: "i32", "funcref", "(ref null extern)".
  [[nodiscard]] WASI_API std::string to_string() const;

  // The engine's own representation; stable within a process only, and for a type that a module defines, while that or
  // something of its types exists: later the bits may mean another type. Bits that are no type of an engine are refused
  // wherever a type is given to it: an Error (`argument`), which the linker's definitions tell at `instantiate`.
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  static constexpr ValueType from_bits(std::uint32_t bits) {
    ValueType type;
    type.bits_ = bits;
    return type;
  }
  friend constexpr bool operator==(ValueType, ValueType) = default;

 private:
  static constexpr std::uint32_t kFuncRefBits = 7;
  static constexpr std::uint32_t kExternRefBits = 7 | 2U << 3;
  static constexpr ValueType abstract(std::uint32_t heap) { return from_bits(kFuncRefBits | heap << 3); }
  constexpr explicit ValueType(Kind kind) : bits_(static_cast<std::uint32_t>(kind)) {}
  std::uint32_t bits_ = static_cast<std::uint32_t>(Kind::i32);
};

struct FunctionType {
  std::vector<ValueType> params;
  std::vector<ValueType> results;
  [[nodiscard]] WASI_API std::string to_string() const;  // "(i32, i64) -> (f32)"
  friend bool operator==(const FunctionType&, const FunctionType&) = default;
};

// Bounds of a size: at least `min`, at most `max` where there is one.
struct Limits {
  std::uint64_t min = 0;
  std::optional<std::uint64_t> max = std::nullopt;
  friend bool operator==(const Limits&, const Limits&) = default;
};

// Bytes of a page of linear memory, unless its type says another size.
inline constexpr std::uint64_t kPageSize = 65536;

struct MemoryType {
  Limits limits = {};                   // in pages
  bool is_64 = false;                   // addresses are i64
  bool is_shared = false;               // between threads
  std::uint64_t page_size = kPageSize;  // in bytes: kPageSize, or 1 (the custom-page-sizes proposal)
  [[nodiscard]] WASI_API std::string to_string() const;
  friend bool operator==(const MemoryType&, const MemoryType&) = default;
};

struct TableType {
  ValueType element = ValueType::funcref();
  Limits limits = {};  // in elements
  bool is_64 = false;  // indices are i64
  [[nodiscard]] WASI_API std::string to_string() const;
  friend bool operator==(const TableType&, const TableType&) = default;
};

struct GlobalType {
  ValueType type;
  bool is_mutable = false;
  [[nodiscard]] WASI_API std::string to_string() const;
  friend bool operator==(const GlobalType&, const GlobalType&) = default;
};

struct TagType {
  FunctionType function;  // its results are empty
  [[nodiscard]] WASI_API std::string to_string() const;
  friend bool operator==(const TagType&, const TagType&) = default;
};

enum class ExternKind : std::uint8_t { function, table, memory, global, tag };
// "function", "table", "memory", "global", "tag".
WASI_API std::string_view name_of(ExternKind kind);

// The type of an import or export. The alternatives stand in the order of ExternKind.
struct ExternType {
  std::variant<FunctionType, TableType, MemoryType, GlobalType, TagType> type;
  [[nodiscard]] ExternKind kind() const { return static_cast<ExternKind>(type.index()); }
  // The kind and the type: "function (i32) -> ()".
  [[nodiscard]] WASI_API std::string to_string() const;
};

struct ImportType {
  std::string module;
  std::string name;
  ExternType type;
};

struct ExportType {
  std::string name;
  ExternType type;
};

}  // namespace wasi

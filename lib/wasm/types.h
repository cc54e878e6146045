// Wasm types: 32-bit handles to value types, and the definitions that they point to.
//
// A concrete heap type is an engine-wide TypeId (type_registry.h), never a module's own type index:
// two types are equal when their bits are. While a recursion group is being built, references into
// the group itself are relative (HeapType::in_group); the registry makes them absolute.
// Source: https://webassembly.github.io/spec/core/syntax/types.html
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/index.h"

namespace wasi::wasm {

using TypeId = base::Index<struct TypeIdTag>;        // engine-wide, canonical
using TypeIndex = base::Index<struct TypeIndexTag>;  // in a module
using FuncIndex = base::Index<struct FuncIndexTag>;
using TableIndex = base::Index<struct TableIndexTag>;
using MemoryIndex = base::Index<struct MemoryIndexTag>;
using GlobalIndex = base::Index<struct GlobalIndexTag>;
using TagIndex = base::Index<struct TagIndexTag>;
using ElementIndex = base::Index<struct ElementIndexTag>;
using DataIndex = base::Index<struct DataIndexTag>;
using LocalIndex = base::Index<struct LocalIndexTag>;
using LabelIndex = base::Index<struct LabelIndexTag>;

enum class AbstractHeap : std::uint8_t {
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
  noexn
};
inline constexpr std::uint32_t kAbstractHeapCount = 12;

// An abstract heap type, a TypeId, or (only inside a group that is being built) a member of the group.
class HeapType {
 public:
  constexpr HeapType() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): an abstract heap type is a heap type
  constexpr HeapType(AbstractHeap abstract) : bits_(static_cast<std::uint32_t>(abstract)) {}
  constexpr explicit HeapType(TypeId id) : bits_(kAbstractHeapCount + id.value) {}
  static constexpr HeapType in_group(std::uint32_t member) { return from_bits(kGroupBit | member); }
  static constexpr HeapType from_bits(std::uint32_t bits) {
    HeapType type;
    type.bits_ = bits;
    return type;
  }

  [[nodiscard]] constexpr bool is_abstract() const { return bits_ < kAbstractHeapCount; }
  [[nodiscard]] constexpr bool is_in_group() const { return (bits_ & kGroupBit) != 0; }
  [[nodiscard]] constexpr bool is_concrete() const { return !is_abstract() && !is_in_group(); }
  [[nodiscard]] constexpr AbstractHeap abstract() const { return static_cast<AbstractHeap>(bits_); }
  [[nodiscard]] constexpr TypeId id() const { return TypeId(bits_ - kAbstractHeapCount); }
  [[nodiscard]] constexpr std::uint32_t group_member() const { return bits_ & ~kGroupBit; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  friend constexpr bool operator==(HeapType, HeapType) = default;

 private:
  static constexpr std::uint32_t kGroupBit = 1U << 28;  // the handle keeps 29 bits of a heap type
  std::uint32_t bits_ = 0;
};

// A value type. `bottom` is the validator's type of anything, behind an unconditional branch.
class ValType {
 public:
  enum class Kind : std::uint8_t { bottom, i32, i64, f32, f64, v128, ref, ref_null };

  constexpr ValType() = default;
  constexpr explicit ValType(Kind kind) : bits_(static_cast<std::uint32_t>(kind)) {}
  static constexpr ValType ref(HeapType heap, bool nullable) {
    ValType type;
    type.bits_ = static_cast<std::uint32_t>(nullable ? Kind::ref_null : Kind::ref) | heap.bits() << 3;
    return type;
  }

  [[nodiscard]] constexpr Kind kind() const { return static_cast<Kind>(bits_ & 7); }
  [[nodiscard]] constexpr bool is_ref() const { return kind() >= Kind::ref; }
  [[nodiscard]] constexpr bool is_numeric() const { return kind() >= Kind::i32 && kind() <= Kind::f64; }
  [[nodiscard]] constexpr bool is_vector() const { return kind() == Kind::v128; }
  [[nodiscard]] constexpr bool is_nullable() const { return kind() == Kind::ref_null; }
  [[nodiscard]] constexpr bool is_bottom() const { return kind() == Kind::bottom; }
  // A local of this type can be read before it is set.
  [[nodiscard]] constexpr bool is_defaultable() const { return kind() != Kind::ref; }
  [[nodiscard]] constexpr HeapType heap() const { return HeapType::from_bits(bits_ >> 3); }
  [[nodiscard]] constexpr ValType as_nullable(bool nullable) const { return ref(heap(), nullable); }
  // How many 8-byte slots of a frame it takes.
  [[nodiscard]] constexpr std::uint32_t slots() const { return is_vector() ? 2 : 1; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }
  friend constexpr bool operator==(ValType, ValType) = default;

 private:
  std::uint32_t bits_ = 0;
};

// How many slots values of these types take.
constexpr std::uint32_t slot_count(std::span<const ValType> types) {
  std::uint32_t slots = 0;
  for (const ValType type : types) slots += type.slots();
  return slots;
}

inline constexpr ValType kI32{ValType::Kind::i32};
inline constexpr ValType kI64{ValType::Kind::i64};
inline constexpr ValType kF32{ValType::Kind::f32};
inline constexpr ValType kF64{ValType::Kind::f64};
inline constexpr ValType kV128{ValType::Kind::v128};
inline constexpr ValType kBottom{ValType::Kind::bottom};
inline constexpr ValType kFuncRef = ValType::ref(AbstractHeap::func, true);
inline constexpr ValType kExternRef = ValType::ref(AbstractHeap::extern_, true);
inline constexpr ValType kExnRef = ValType::ref(AbstractHeap::exn, true);

// What a field of a struct or an array holds: a value type, or a packed i8 or i16.
class StorageType {
 public:
  enum class Packed : std::uint8_t { no, i8, i16 };
  constexpr StorageType() = default;
  constexpr StorageType(ValType type) : value_(type) {}  // NOLINT(google-explicit-constructor)
  constexpr explicit StorageType(Packed packed) : value_(kI32), packed_(packed) {}
  [[nodiscard]] constexpr bool is_packed() const { return packed_ != Packed::no; }
  [[nodiscard]] constexpr Packed packed() const { return packed_; }
  [[nodiscard]] constexpr ValType unpacked() const { return value_; }
  friend constexpr bool operator==(StorageType, StorageType) = default;

 private:
  ValType value_;
  Packed packed_ = Packed::no;
};

struct FieldType {
  StorageType storage;
  bool is_mutable = false;
  friend constexpr bool operator==(const FieldType&, const FieldType&) = default;
};

struct FuncType {
  std::vector<ValType> params;
  std::vector<ValType> results;
  friend bool operator==(const FuncType&, const FuncType&) = default;
};

enum class CompositeKind : std::uint8_t { func, struct_, array };

// One definition of a recursion group: a composite type and its place in the subtype order.
struct SubType {
  CompositeKind kind = CompositeKind::func;
  bool is_final = true;
  std::optional<HeapType> super;  // concrete or in_group; at most one, as Wasm 3.0 allows
  FuncType func;                  // kind == func
  std::vector<FieldType> fields;  // kind == struct_; kind == array: exactly one
  friend bool operator==(const SubType&, const SubType&) = default;
};

enum class AddressType : std::uint8_t { i32, i64 };
constexpr ValType value_type(AddressType address) { return address == AddressType::i64 ? kI64 : kI32; }

struct Limits {
  std::uint64_t min = 0;
  std::optional<std::uint64_t> max;
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct TableType {
  ValType element = kFuncRef;
  Limits limits;  // in elements
  AddressType address = AddressType::i32;
};

// Pages of 64 KiB, unless a memory has a size of its own.
inline constexpr std::uint8_t kPageLog2 = 16;

struct MemoryType {
  Limits limits;  // in pages
  AddressType address = AddressType::i32;
  bool is_shared = false;
  std::uint8_t page_log2 = kPageLog2;  // of a page's bytes; 0 or 16 in a valid module, and below 64 in any
  [[nodiscard]] constexpr std::uint64_t page_size() const { return std::uint64_t{1} << page_log2; }
};

struct GlobalType {
  ValType type;
  bool is_mutable = false;
  friend bool operator==(const GlobalType&, const GlobalType&) = default;
};

enum class ExternalKind : std::uint8_t { func, table, memory, global, tag };

// Text-format spellings, for messages. Concrete types print as "(ref null $type17)" with the TypeId.
std::string to_string(ValType type);
std::string to_string(HeapType type);
std::string to_string(const FuncType& type);  // "(i32, i64) -> (f32)"
std::string to_string(const Limits& limits);
std::string to_string(const TableType& type);
std::string to_string(const MemoryType& type);
std::string to_string(const GlobalType& type);
std::string_view name_of(ExternalKind kind);  // "function", "table", ...

}  // namespace wasi::wasm

// Types that modules and hosts define: what is in them, and how they relate.
// Source: https://webassembly.github.io/spec/core/syntax/types.html#type-definitions
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>
#include <wasi/error.h>
#include <wasi/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wasi {

class Engine;
class Module;

namespace detail {
struct Internals;
struct TypeDefinition;
}  // namespace detail

// A field of a structure, or the elements of an array.
struct FieldType {
  enum class Packing : std::uint8_t { none, i8, i16 };
  ValueType type = ValueType::i32();  // i32 where it is packed
  Packing packing = Packing::none;
  bool is_mutable = false;
  [[nodiscard]] WASI_API std::string to_string() const;  // "(mut i8)", "(ref null $type17)"
  friend bool operator==(const FieldType&, const FieldType&) = default;
};

class DefinedType;

struct TypeOptions {
  const DefinedType* supertype = nullptr;  // of the same kind, not final, and with fields that match the first ones
  bool is_final = true;                    // whether nothing can be declared below it
};

// A function, structure or array type of an engine. A handle, which keeps the type and its engine: while one exists,
// ValueTypes that refer to the type mean it. Copies are the same type. Thread-safe.
class DefinedType {
 public:
  enum class Kind : std::uint8_t { function, structure, array };

  // Types of the host's. A module's type is the same one when it is defined in the same way, in a recursion group of
  // its own. Fail with `argument` for types that no module could define, with `limit` where the engine holds too many.
  WASI_API static Result<DefinedType> function(const Engine& engine, const FunctionType& type);
  WASI_API static Result<DefinedType> structure(const Engine& engine, std::span<const FieldType> fields,
                                                const TypeOptions& options = {});
  WASI_API static Result<DefinedType> array(const Engine& engine, const FieldType& element,
                                            const TypeOptions& options = {});
  // What a type of references refers to; empty for other types and for abstract ones, such as structref.
  WASI_API static std::optional<DefinedType> of(const Engine& engine, ValueType reference);
  // Those that a module defines, by their indices.
  WASI_API static std::vector<DefinedType> all_of(const Module& module);

  [[nodiscard]] WASI_API Kind kind() const;
  // Of a function; empty for others.
  [[nodiscard]] WASI_API FunctionType function_type() const;
  // Of a structure; of an array one, its elements'; none of a function.
  [[nodiscard]] WASI_API std::vector<FieldType> fields() const;
  // What it is declared below; empty: nothing.
  [[nodiscard]] WASI_API std::optional<DefinedType> supertype() const;
  [[nodiscard]] WASI_API bool is_final() const;
  // Whether it is `other` or declared below it. False for a type of another engine.
  [[nodiscard]] WASI_API bool is_subtype_of(const DefinedType& other) const;

  // References to it: (ref null $type), or where `nullable` is false (ref $type).
  [[nodiscard]] WASI_API ValueType reference(bool nullable = true) const;

  // The same type of the same engine.
  friend bool operator==(const DefinedType& a, const DefinedType& b) { return a.is_equal(b); }

 private:
  friend struct detail::Internals;
  explicit DefinedType(std::shared_ptr<const detail::TypeDefinition> definition) : definition_(std::move(definition)) {}
  [[nodiscard]] WASI_API bool is_equal(const DefinedType& other) const;
  std::shared_ptr<const detail::TypeDefinition> definition_;
};

// Whether every value of `sub` is one of `super`. False where the bits are no type of the engine.
WASI_API bool is_subtype(const Engine& engine, ValueType sub, ValueType super);

}  // namespace wasi

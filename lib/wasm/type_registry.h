// The engine's type definitions, each recursion group once: equality is an integer compare and
// subtyping a look-up in the ancestors of a type.
//
// Thread-safe. Entries never move and are never removed, so at() takes no lock; the ids that a
// caller holds were published to it by add_group.
// Source: https://webassembly.github.io/spec/core/valid/matching.html
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "wasm/types.h"

namespace wasi::wasm {

class TypeRegistry {
 public:
  TypeRegistry();
  ~TypeRegistry();
  TypeRegistry(const TypeRegistry&) = delete;
  TypeRegistry& operator=(const TypeRegistry&) = delete;

  // Adds a recursion group, or finds the equal one. Members refer to each other by
  // HeapType::in_group, to anything else by TypeId. A member's super is an earlier member or an
  // existing type. Returns the id of the first member; the others follow it. Empty when the
  // registry is full (kMaxTypeIds).
  std::optional<TypeId> add_group(std::span<const SubType> group);

  // The id of a final function type without super in a group of its own, as host functions have.
  std::optional<TypeId> add_func(FuncType type);

  [[nodiscard]] const SubType& at(TypeId id) const;
  // Whether there is a type with this id; for ids that may be anything.
  [[nodiscard]] bool contains(TypeId id) const;

  // How many ancestors a type has.
  [[nodiscard]] std::uint32_t depth(TypeId id) const;
  // `sub` is `super` or declared below it.
  [[nodiscard]] bool is_subtype(TypeId sub, TypeId super) const;
  // Matching as the spec defines it, for heap, value types and function types by structure.
  [[nodiscard]] bool matches(HeapType sub, HeapType super) const;
  [[nodiscard]] bool matches(ValType sub, ValType super) const;
  // The top of the hierarchy that `type` belongs to: any, func, extern or exn.
  [[nodiscard]] AbstractHeap top_of(HeapType type) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wasi::wasm

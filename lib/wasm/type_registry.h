// The engine's type definitions, each recursion group once: equality is an integer compare and
// subtyping a look-up in the ancestors of a type.
//
// A group lives for as long as somebody holds it: references (TypeRef) are counted, and those of other groups count.
// With the last one it goes, and its ids are given out again; so whoever keeps a TypeId keeps a reference, or something
// that has one. Ids of unknown age are asked for with hold().
//
// Thread-safe. Entries do not move, so at() takes no lock, for ids that are held; they were published to the caller by
// whatever gave it the reference.
// Source: https://webassembly.github.io/spec/core/valid/matching.html
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "wasm/types.h"

namespace wasi::wasm {

class TypeRegistry;

// A counted reference to a type, and so to its group and all that this refers to. The registry outlives it.
class TypeRef {
 public:
  TypeRef() = default;  // to nothing
  TypeRef(TypeRef&& other) noexcept : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}
  TypeRef& operator=(TypeRef&& other) noexcept {
    std::swap(registry_, other.registry_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~TypeRef();

  [[nodiscard]] explicit operator bool() const { return registry_ != nullptr; }
  [[nodiscard]] TypeId id() const { return id_; }

 private:
  friend class TypeRegistry;
  friend class TypeList;
  TypeRef(TypeRegistry& registry, TypeId id) : registry_(&registry), id_(id) {}
  TypeRegistry* registry_ = nullptr;
  TypeId id_;
};

// What a module defines, by TypeIndex: whole groups, each held as often as it stands here. The registry outlives it.
class TypeList {
 public:
  TypeList() = default;
  ~TypeList();
  TypeList(const TypeList&) = delete;
  TypeList& operator=(const TypeList&) = delete;

  // Appends the members of a group, whose first one this refers to; nothing for an empty group.
  void add(TypeRef group);
  void reserve(std::size_t count) { ids_.reserve(count); }

  [[nodiscard]] std::size_t size() const { return ids_.size(); }
  [[nodiscard]] bool empty() const { return ids_.empty(); }
  [[nodiscard]] TypeId operator[](std::size_t index) const { return ids_[index]; }
  [[nodiscard]] const TypeId* begin() const { return ids_.data(); }
  [[nodiscard]] const TypeId* end() const { return ids_.data() + ids_.size(); }

 private:
  TypeRegistry* registry_ = nullptr;  // where there are any
  std::vector<TypeId> ids_;
};

class TypeRegistry {
 public:
  TypeRegistry();
  ~TypeRegistry();
  TypeRegistry(const TypeRegistry&) = delete;
  TypeRegistry& operator=(const TypeRegistry&) = delete;

  // Adds a recursion group, or finds the equal one. Members refer to each other by
  // HeapType::in_group, to anything else by TypeId, which the caller holds. A member's super is an earlier member or an
  // existing type. Refers to the first member, whose id the others' follow; to nothing for an empty group. Empty when
  // the registry is full (kMaxTypeIds).
  std::optional<TypeRef> add_group(std::span<const SubType> group);

  // A final function type without super in a group of its own, as host functions have.
  std::optional<TypeRef> add_func(FuncType type);

  // Another reference to a type; empty where there is none with this id, which may be anything.
  [[nodiscard]] std::optional<TypeRef> hold(TypeId id);
  // The same question; the answer may be old when it arrives, unless the caller holds the type.
  [[nodiscard]] bool contains(TypeId id) const;
  // How many types there are.
  [[nodiscard]] std::size_t size() const;

  [[nodiscard]] const SubType& at(TypeId id) const;

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
  friend class TypeRef;
  friend class TypeList;
  void release(TypeId id) noexcept;
  [[nodiscard]] std::uint32_t group_size(TypeId id) const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wasi::wasm

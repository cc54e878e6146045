// Instances, and handles to what they export: globals, tables (functions: function.h, memories: memory.h, tags:
// exception.h).
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#module-instances
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/store_ref.h>
#include <wasi/error.h>
#include <wasi/exception.h>
#include <wasi/function.h>
#include <wasi/memory.h>
#include <wasi/module.h>
#include <wasi/store.h>
#include <wasi/trap.h>
#include <wasi/values.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wasi {

namespace runtime {
struct Global;
struct Table;
class Instance;
}  // namespace runtime

// All handles of this header: copies refer to the same object; same thread as the store. Handles that come from a
// Caller do not keep their store alive, all others do. When the store is gone, what the former are asked for is an
// error, or empty. Do not keep an owning handle inside a host function of the same store: the two would keep each other
// alive for ever.

class Global {
 public:
  // A global of the host's. Fails with `argument` when `value` is not of the type.
  WASI_API static Result<Global> create(Store& store, const GlobalType& type, const Value& value);

  [[nodiscard]] WASI_API GlobalType type() const;
  [[nodiscard]] WASI_API Value get() const;
  // Fails with `argument` when the global is constant or has another type.
  [[nodiscard]] WASI_API Result<void> set(const Value& value) const;

 private:
  friend struct detail::Internals;
  friend class Extern;
  friend class Instance;
  Global(detail::StoreRef store, runtime::Global* global) : store_(std::move(store)), global_(global) {}
  detail::StoreRef store_;
  runtime::Global* global_;
};

class Table {
 public:
  // A table of the host's, filled with `init`. Fails with `argument` for a value of another type, or a type that
  // no module could declare, with `limit` when too large.
  WASI_API static Result<Table> create(Store& store, const TableType& type, const Value& init);

  [[nodiscard]] WASI_API TableType type() const;
  [[nodiscard]] WASI_API std::uint64_t size() const;  // in elements
  [[nodiscard]] WASI_API std::optional<Value> get(std::uint64_t index) const;
  // Fails with `argument` for an index outside or a value of another type.
  [[nodiscard]] WASI_API Result<void> set(std::uint64_t index, const Value& value) const;
  // Adds elements; the old size, or empty when the type's maximum or the store's limit forbids it.
  [[nodiscard]] WASI_API std::optional<std::uint64_t> grow(std::uint64_t delta, const Value& init) const;

 private:
  friend struct detail::Internals;
  friend class Extern;
  friend class Instance;
  Table(detail::StoreRef store, runtime::Table* table) : store_(std::move(store)), table_(table) {}
  detail::StoreRef store_;
  runtime::Table* table_;
};

// Anything that can be imported or exported.
class Extern {
 public:
  WASI_API Extern(const Function& function);  // NOLINT(google-explicit-constructor): each of them is an Extern
  WASI_API Extern(const Memory& memory);      // NOLINT(google-explicit-constructor)
  WASI_API Extern(const Global& global);      // NOLINT(google-explicit-constructor)
  WASI_API Extern(const Table& table);        // NOLINT(google-explicit-constructor)
  WASI_API Extern(const Tag& tag);            // NOLINT(google-explicit-constructor)

  [[nodiscard]] ExternKind kind() const { return kind_; }
  // Empty when it is something else.
  [[nodiscard]] WASI_API std::optional<Function> function() const;
  [[nodiscard]] WASI_API std::optional<Memory> memory() const;
  [[nodiscard]] WASI_API std::optional<Global> global() const;
  [[nodiscard]] WASI_API std::optional<Table> table() const;
  [[nodiscard]] WASI_API std::optional<Tag> tag() const;

 private:
  friend struct detail::Internals;
  Extern(detail::StoreRef store, ExternKind kind, void* object)
      : store_(std::move(store)), kind_(kind), object_(object) {}
  detail::StoreRef store_;
  ExternKind kind_;
  void* object_;  // the runtime's FuncRef, Table, Memory, Global or Tag
};

// Why an instantiation failed: an Error before anything ran, or a Trap of a segment or the start function.
// A plain value.
class InstantiationError {
 public:
  WASI_API explicit InstantiationError(Error error);
  WASI_API explicit InstantiationError(Trap trap);
  // Null when it was a trap. `unlinkable`: an import is missing or has another type; `unsupported`: the module uses a
  // feature that this version does not run; `limit`, `io`: memories or directories could not be had.
  [[nodiscard]] const Error* error() const { return trap_ ? nullptr : &error_; }
  [[nodiscard]] const Trap* trap() const { return trap_ ? &*trap_ : nullptr; }
  [[nodiscard]] WASI_API std::string to_string() const;

 private:
  Error error_;
  std::optional<Trap> trap_;
};

class Instance {
 public:
  // Instantiates without names: `imports` are objects of the store, one for each import in the module's order, and runs
  // the start function. Linker::instantiate finds them by name.
  WASI_API static std::expected<Instance, InstantiationError> create(Store& store, const Module& module,
                                                                     std::span<const Extern> imports);

  [[nodiscard]] WASI_API Module module() const;
  // Tells all instances of the process apart, also those that are gone: StackFrame::instance of its functions. Never 0.
  [[nodiscard]] std::uint64_t id() const { return id_; }

  // An exported function with its type: instance.function<std::int32_t(std::int32_t)>("f"). Fails with `argument`:
  // there is no such export (the message lists those that exist), or it has another type (both types).
  template <class Signature>
  [[nodiscard]] Result<TypedFunction<Signature>> function(std::string_view name) const {
    auto untyped = func(name);
    if (!untyped) return std::unexpected(std::move(untyped).error());
    auto typed = untyped->template typed<Signature>();
    if (!typed) typed.error().message = "export \"" + std::string(name) + "\": " + typed.error().message;
    return typed;
  }
  // Exports by kind and name; fail with `argument`.
  [[nodiscard]] WASI_API Result<Function> func(std::string_view name) const;
  [[nodiscard]] WASI_API Result<Memory> memory(std::string_view name) const;
  [[nodiscard]] WASI_API Result<Global> global(std::string_view name) const;
  [[nodiscard]] WASI_API Result<Table> table(std::string_view name) const;
  [[nodiscard]] WASI_API Result<Tag> tag(std::string_view name) const;
  // Whatever has that name; empty when nothing has.
  [[nodiscard]] WASI_API std::optional<Extern> get(std::string_view name) const;

  // Calls `_initialize`, nothing where there is none. A reactor of WASI wants that before anything else, and only once,
  // which is up to the caller. A trap with `host_error` where it is no function without parameters and results.
  [[nodiscard]] WASI_API std::expected<void, Trap> initialize() const;
  // Runs a command of WASI to its end: `_start`. Its exit status, 0 when it returns; a guest that asks to exit is no
  // error here. Other traps are, `host_error` among them where there is no such function.
  [[nodiscard]] WASI_API std::expected<std::int32_t, Trap> run() const;

 private:
  friend struct detail::Internals;
  Instance(detail::StoreRef store, runtime::Instance* instance, std::uint64_t id)
      : store_(std::move(store)), instance_(instance), id_(id) {}
  detail::StoreRef store_;
  runtime::Instance* instance_;
  std::uint64_t id_;  // also when the store is gone
};

}  // namespace wasi

// Instances, and handles to what they export: functions, globals, tables (memories: memory.h, tags: exception.h).
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#module-instances
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/register_call.h>
#include <wasi/detail/signature.h>
#include <wasi/detail/store_ref.h>
#include <wasi/error.h>
#include <wasi/exception.h>
#include <wasi/memory.h>
#include <wasi/module.h>
#include <wasi/store.h>
#include <wasi/trap.h>
#include <wasi/values.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wasi {

namespace runtime {
struct FuncRef;
struct Global;
struct Table;
class Instance;
}  // namespace runtime

namespace detail {
// Arguments and results in `slots`. False: it trapped, and take_trap is to be called next. Until then the store exists,
// whatever handles host functions let go of.
[[nodiscard]] WASI_API bool call(StoreState& store, runtime::FuncRef& function, std::span<Slot> slots);
WASI_API Trap take_trap(StoreState& store);
// Of a call through a handle whose store is gone.
WASI_API Trap gone_trap();

// While it exists, what CallOptions say holds for the store, which exists as long.
class CallScope {
 public:
  WASI_API CallScope(StoreState& store, const CallOptions& options);
  WASI_API ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  // Null, or why there is to be no call.
  [[nodiscard]] const Trap* refusal() const { return refusal_ ? &*refusal_ : nullptr; }

 private:
  StoreState* store_;
  std::optional<Trap> refusal_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // the store's own before
  std::int64_t fuel_ = 0;                                          // the same
  bool has_deadline_;
  bool has_fuel_;
  std::uint64_t* fuel_left_;
};
}  // namespace detail

// All handles of this header: copies refer to the same object; same thread as the store. Handles that come from a
// Caller do not keep their store alive, all others do. When the store is gone, what the former are asked for is an
// error, or empty. Do not keep an owning handle inside a host function of the same store: the two would keep each other
// alive for ever.

// A function of which the type was checked when it was got: calls only pass numbers.
template <class Signature>
class TypedFunction;
template <class R, class... Args>
class TypedFunction<R(Args...)> {
 public:
  // Runs the function; arguments by value, several results as a std::tuple. A trap, or the guest's wish to exit
  // (Trap::is_exit), is the error. May be called from host functions too.
  std::expected<R, Trap> operator()(Args... args) const {
    detail::StoreState* const store = store_.get();
    if (store == nullptr) [[unlikely]]
      return std::unexpected(detail::gone_trap());
    // Host functions may let go of this object: nothing reads it once the guest runs.
    if constexpr (detail::fits_registers<R, Args...>()) {
      detail::CallGate& gate = *gate_;
      runtime::FuncRef* const function = function_;
      if constexpr (std::is_void_v<R>) {
        detail::enter_with_registers<R, Args...>(gate, function, args...);
        const detail::CallOutcome outcome = outcome_of(*store, gate);
        if (outcome == detail::CallOutcome::done) [[likely]]
          return {};
        return end(outcome, *store, function, args...);
      } else {
        const auto result = detail::enter_with_registers<R, Args...>(gate, function, args...);
        const detail::CallOutcome outcome = outcome_of(*store, gate);
        if (outcome == detail::CallOutcome::done) [[likely]]
          return detail::RegisterResult<R>::unwrap(result);
        return end(outcome, *store, function, args...);
      }
    } else {
      return call_with_slots(*store, function_, args...);
    }
  }

  // The same with a deadline or fuel of its own.
  std::expected<R, Trap> call(const CallOptions& options, Args... args) const {
    detail::StoreState* const store = store_.get();
    if (store == nullptr) [[unlikely]]
      return std::unexpected(detail::gone_trap());
    const detail::CallScope scope(*store, options);
    if (scope.refusal() != nullptr) return std::unexpected(*scope.refusal());
    return (*this)(args...);
  }

 private:
  friend class Function;
  TypedFunction(detail::StoreRef store, runtime::FuncRef* function, detail::CallGate* gate)
      : store_(std::move(store)), function_(function), gate_(gate) {}

  static detail::CallOutcome outcome_of(detail::StoreState& store, detail::CallGate& gate) {
    if (gate.outcome == detail::CallOutcome::done) [[likely]]
      return detail::CallOutcome::done;
    return detail::finish_call(store, gate);
  }
  [[gnu::noinline]] static std::expected<R, Trap> end(detail::CallOutcome outcome, detail::StoreState& store,
                                                      runtime::FuncRef* function, Args... args) {
    if (outcome == detail::CallOutcome::stopped) return std::unexpected(detail::take_trap(store));
    return call_with_slots(store, function, args...);
  }
  static std::expected<R, Trap> call_with_slots(detail::StoreState& store, runtime::FuncRef* function, Args... args) {
    using Types = detail::SignatureOf<R(Args...)>;
    detail::Slot slots[Types::kSlots];
    Types::Params::store(slots, args...);
    if (!detail::call(store, *function, slots)) [[unlikely]]
      return std::unexpected(detail::take_trap(store));
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      return detail::ResultOf<R>::load(slots);
    }
  }

  detail::StoreRef store_;
  runtime::FuncRef* function_;
  detail::CallGate* gate_;
};

// A function of any type.
class Function {
 public:
  [[nodiscard]] WASI_API FunctionType type() const;

  // Runs the function. Arguments that do not fit the type in number or kind are a trap with the code
  // `host_error` and a message that says which; nothing has run then.
  [[nodiscard]] WASI_API std::expected<std::vector<Value>, Trap> call(std::span<const Value> args) const;
  // The same with a deadline or fuel of its own.
  [[nodiscard]] WASI_API std::expected<std::vector<Value>, Trap> call(std::span<const Value> args,
                                                                      const CallOptions& options) const;

  // With the type checked once and for all: fails with `argument` and both types.
  template <class Signature>
  [[nodiscard]] Result<TypedFunction<Signature>> typed() const {
    using Types = detail::SignatureOf<Signature>;
    if (auto checked = check_type(Types::Params::kTypes, Types::Results::kTypes); !checked) {
      return std::unexpected(std::move(checked).error());
    }
    return TypedFunction<Signature>(store_, function_, detail::call_gate(*store_.get(), *function_));
  }

  // As a value of type funcref, and back. Empty for anything but a function reference that is not null.
  [[nodiscard]] WASI_API Value to_value() const;
  WASI_API static std::optional<Function> from_value(const Store& store, const Value& value);

 private:
  friend struct detail::Internals;
  friend class Extern;
  friend class Instance;
  Function(detail::StoreRef store, runtime::FuncRef* function) : store_(std::move(store)), function_(function) {}
  [[nodiscard]] WASI_API Result<void> check_type(std::span<const ValueType> params,
                                                 std::span<const ValueType> results) const;
  detail::StoreRef store_;
  runtime::FuncRef* function_;
};

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
  explicit InstantiationError(Error error) : error_(std::move(error)) {}
  explicit InstantiationError(Trap trap) : trap_(std::move(trap)) {}
  // Null when it was a trap. `unlinkable`: an import is missing or has another type; `unsupported`: the module uses a
  // feature that this version does not run; `limit`, `io`: memories or directories could not be had.
  [[nodiscard]] const Error* error() const { return trap_ ? nullptr : &error_; }
  [[nodiscard]] const Trap* trap() const { return trap_ ? &*trap_ : nullptr; }
  [[nodiscard]] std::string to_string() const { return trap_ ? trap_->to_string() : error_.to_string(); }

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

  // Calls `_initialize`, which a reactor of WASI wants before anything else, once; nothing where there is none. A trap
  // with `host_error` where it is no function without parameters and results.
  [[nodiscard]] WASI_API std::expected<void, Trap> initialize() const;
  // Runs a command of WASI to its end: `_start`. Its exit status, 0 when it returns; a guest that asks to exit is no
  // error here. Other traps are, `host_error` among them where there is no such function.
  [[nodiscard]] WASI_API std::expected<std::int32_t, Trap> run() const;

 private:
  friend struct detail::Internals;
  Instance(detail::StoreRef store, runtime::Instance* instance) : store_(std::move(store)), instance_(instance) {}
  detail::StoreRef store_;
  runtime::Instance* instance_;
};

}  // namespace wasi

// Tags and exceptions: what guests throw and catch, and how hosts take part in it.
//
// An exception that no guest function catches ends the call with a Trap of the code `uncaught_exception`, which carries
// it. A host function throws by returning such a trap: one of its own (Exception::to_trap) or one that it got from a
// call into the guest; guests may catch it then.
// Source: https://webassembly.github.io/spec/core/exec/runtime.html#exception-instances
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>
#include <wasi/detail/references.h>
#include <wasi/detail/store_ref.h>
#include <wasi/error.h>
#include <wasi/store.h>
#include <wasi/store_context.h>
#include <wasi/trap.h>
#include <wasi/types.h>
#include <wasi/values.h>

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wasi {

class Caller;

namespace runtime {
struct Tag;
}

// What kind of exception it is. A handle: copies refer to the same tag; same thread as the store. Unlike others it does
// not keep the store alive, since host functions keep tags. When the store is gone, its type is empty and no exception
// can be made with it.
class Tag {
 public:
  // A tag of the host's, whose exceptions carry values of these types.
  WASI_API static Result<Tag> create(Store& store, std::span<const ValueType> params);

  [[nodiscard]] WASI_API TagType type() const;
  // The same tag, not just one of the same type.
  friend bool operator==(const Tag& a, const Tag& b) { return a.tag_ == b.tag_ && a.store_ == b.store_; }

 private:
  friend struct detail::Internals;
  friend class Exception;
  friend class Extern;
  friend class Instance;
  Tag(const detail::StoreRef& store, runtime::Tag* tag) : store_(store.unowned()), tag_(tag) {}
  detail::StoreRef store_;
  runtime::Tag* tag_;
};

// An exception: its tag and the values that it carries, none when the store is gone. Immutable; a handle as Tag is. In
// the signatures of functions it is an exnref.
class Exception {
 public:
  Exception(const Exception&) = default;  // no moves: a moved-from handle stays valid
  Exception& operator=(const Exception&) = default;

  // Fails with `argument` when the values do not fit the tag or its store is gone, with `limit` when the store has no
  // room for it.
  WASI_API static Result<Exception> create(const Tag& tag, std::span<const Value> values);
  // What a trap carries; empty for other traps, and for those of other stores.
  WASI_API static std::optional<Exception> from_trap(const Store& store, const Trap& trap);
  WASI_API static std::optional<Exception> from_trap(const Caller& caller, const Trap& trap);

  [[nodiscard]] WASI_API Tag tag() const;
  [[nodiscard]] WASI_API std::vector<Value> values() const;
  // What a host function returns to throw it. The backtrace is filled in when nobody catches it.
  [[nodiscard]] WASI_API Trap to_trap() const;

  // As a value of type exnref, and back. Empty for anything but a reference of the store to an exception.
  [[nodiscard]] const Value& to_value() const { return value_; }
  WASI_API static std::optional<Exception> from_value(const StoreContext& store, const Value& value);

 private:
  friend struct detail::Internals;
  Exception(const detail::StoreRef& store, runtime::Tag* tag, Value value,
            std::shared_ptr<const runtime::ThrownException> thrown = nullptr)
      : store_(store.unowned()), tag_(tag), value_(std::move(value)), thrown_(std::move(thrown)) {}
  detail::StoreRef store_;
  runtime::Tag* tag_;
  Value value_;
  std::shared_ptr<const runtime::ThrownException> thrown_;  // null: in no trap so far
};

namespace detail {
template <>
struct Reference<Exception> : HandleReference<Exception> {
  static constexpr ValueType kType = ValueType::exnref();
};
}  // namespace detail

}  // namespace wasi

// Objects of the host in the hands of guests: as externref, owned by the store's collector.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>
#include <wasi/detail/references.h>
#include <wasi/detail/store_ref.h>
#include <wasi/error.h>
#include <wasi/store_context.h>
#include <wasi/types.h>
#include <wasi/values.h>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace wasi {

namespace detail {

// Each type has one: its address tells types apart, without RTTI. Of types that shared libraries show each other it is
// one for all of them; of a type that is hidden inside of a library (-fvisibility=hidden, unnamed namespaces) each
// library has its own, as it has its own type.
template <class T>
struct [[gnu::visibility("default")]] HostTypeTag {
  static inline char tag = 0;
};

template <class T>
inline constexpr bool kIsSharedPointer = false;
template <class T>
inline constexpr bool kIsSharedPointer<std::shared_ptr<T>> = true;

}  // namespace detail

// An object of the host as a reference that guests can pass around and keep, but neither make nor look into: externref,
// and anyref by any.convert_extern. What it was made of is asked back by type, and only by that.
//
// The object lives until neither a guest nor a handle has the reference any more and the collector has seen that, and
// is gone with the store at the latest. Its destructor runs on the store's thread and may use the store: never in the
// middle of a guest's work, but at the end of the outermost call, when the host makes another one, or in
// Store::collect_garbage. What it throws ends the process, as of any destructor. An object that holds an owning handle
// of its own store (StoreContext says which are) keeps the store alive, and the store the object: give it handles that
// were made with a Caller, or none.
//
// A handle: copies are the same reference; same thread as the store.
class HostObject {
 public:
  // For each reference that is made the store counts the size of T, and 64 bytes: they hasten collections, and count
  // for StoreConfig::gc_heap_limit. Fails with `limit` beyond that, with `argument` for a null pointer.
  template <class T>
  static Result<HostObject> create(const StoreContext& store, std::shared_ptr<T> object) {
    const void* const type = &detail::HostTypeTag<T>::tag;
    return create_host(store, std::const_pointer_cast<std::remove_const_t<T>>(std::move(object)), type, size_of<T>());
  }
  // Of an object that is moved, or copied, into the store's care.
  template <class T>
    requires(!detail::kIsSharedPointer<std::remove_cvref_t<T>>)
  static Result<HostObject> create(const StoreContext& store, T&& object) {
    return create(store, std::make_shared<std::remove_cvref_t<T>>(std::forward<T>(object)));
  }

  // What it was made of, when that was exactly a T (neither a base of it nor a const one), else null. Keeps the object
  // alive, also without the store.
  template <class T>
  [[nodiscard]] std::shared_ptr<T> get() const {
    return std::static_pointer_cast<T>(object_of(&detail::HostTypeTag<T>::tag));
  }

  // As a value of type externref, and back from one of externref or anyref. Empty for anything but a reference of the
  // store to an object of the host.
  [[nodiscard]] const Value& to_value() const { return value_; }
  WASI_API static std::optional<HostObject> from_value(const StoreContext& store, const Value& value);

  // The same reference: two that were made of one object are two.
  friend bool operator==(const HostObject& a, const HostObject& b) {
    return a.value_ == b.value_ && a.store_ == b.store_;
  }

 private:
  friend struct detail::Internals;
  HostObject(detail::StoreRef store, Value value) : store_(std::move(store)), value_(std::move(value)) {}
  template <class T>
  static constexpr std::size_t size_of() {
    if constexpr (std::is_void_v<T>) {
      return 0;
    } else {
      return sizeof(T);
    }
  }
  WASI_API static Result<HostObject> create_host(const StoreContext& store, std::shared_ptr<void> object,
                                                 const void* type, std::size_t size);
  [[nodiscard]] WASI_API std::shared_ptr<void> object_of(const void* type) const;
  detail::StoreRef store_;
  Value value_;
};

namespace detail {
template <>
struct Reference<HostObject> : HandleReference<HostObject> {
  static constexpr ValueType kType = ValueType::externref();
};
// Each time that one is passed to a guest, it is by a new reference.
template <class T>
struct Reference<std::shared_ptr<T>> {
  static constexpr ValueType kType = ValueType::externref();
  static constexpr bool kTakesNull = true;
  static Result<Value> to_value(const StoreContext& store, const std::shared_ptr<T>& object) {
    if (object == nullptr) return Value::zero_of(kType);
    Result<HostObject> made = HostObject::create(store, object);
    if (!made) return std::unexpected(std::move(made).error());
    return made->to_value();
  }
  static std::optional<std::shared_ptr<T>> from_value(const StoreContext& store, const Value& value) {
    if (value.is_null()) return std::shared_ptr<T>();
    const std::optional<HostObject> reference = HostObject::from_value(store, value);
    std::shared_ptr<T> object = reference ? reference->template get<T>() : nullptr;
    if (object == nullptr) return std::nullopt;
    return object;
  }
};
}  // namespace detail

}  // namespace wasi

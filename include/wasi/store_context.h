// Where a host makes things, and whose references it takes.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/store_ref.h>

#include <utility>

namespace wasi {

class Caller;
class Store;

namespace detail {
struct Internals;
}

// A store, or inside of a host function the one of its Caller: functions that make or take objects of a store have a
// parameter of this type, and are given either. Handles that they make with a Store keep it alive; those that they
// make with a Caller do not.
class StoreContext {
 public:
  WASI_API StoreContext(const Store& store);    // NOLINT(google-explicit-constructor): that is what it is for
  WASI_API StoreContext(const Caller& caller);  // NOLINT(google-explicit-constructor)

 private:
  friend struct detail::Internals;
  template <class Signature>
  friend class TypedFunction;
  explicit StoreContext(detail::StoreRef store) : store_(std::move(store)) {}
  detail::StoreRef store_;
};

}  // namespace wasi

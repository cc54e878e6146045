// What a host function can reach of the guest that called it.
#pragma once

#include <wasi/detail/export.h>
#include <any>
#include <optional>

namespace wasi {

class Instance;
class Memory;

namespace runtime {
class Instance;
}
namespace detail {
struct HostBinding;
struct Internals;
struct StoreState;
template <class F, class Params>
struct DirectCall;
}  // namespace detail

// Exists during one call of a host function, on the thread of the store. Handles got from it cost nothing to make: they
// do not keep the store alive.
class Caller {
 public:
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // The memory that the calling instance exports as "memory", or else its first one; empty where it has none.
  [[nodiscard]] WASI_API Memory memory() const;
  // The calling instance, for its other exports (to call an allocator, say). Empty when the host itself called.
  [[nodiscard]] WASI_API std::optional<Instance> instance() const;
  // The embedder's data in the store (Store::data) when it is a T, else null.
  template <class T>
  [[nodiscard]] T* data() const {
    return std::any_cast<T>(&store_data());
  }

 private:
  friend struct detail::Internals;
  template <class F, class Params>
  friend struct detail::DirectCall;
  Caller(detail::StoreState& store, runtime::Instance* instance) : store_(&store), instance_(instance) {}
  WASI_API explicit Caller(const detail::HostBinding& binding);
  [[nodiscard]] WASI_API std::any& store_data() const;
  detail::StoreState* store_;
  runtime::Instance* instance_;  // null: the host itself called
};

}  // namespace wasi

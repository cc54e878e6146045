// How handles refer to their store. Not for direct use.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/memory.h>

#include <atomic>
#include <cstdint>

namespace wasi::detail {

struct StoreState;

// Whether a store exists: its number is the store's for as long as it does. Such records are used again for other
// stores, with other numbers, and never freed, so that a handle may ask at any time.
struct StoreLife {
  std::atomic<std::uint64_t> number{0};
};

// Of a handle that owns its store, or of one that does not and finds the store gone one day. It has no move operations:
// a handle that was moved from stays what it was.
class StoreRef {
 public:
  StoreRef() = default;  // of no store
  WASI_API explicit StoreRef(std::shared_ptr<StoreState> owned);
  WASI_API static StoreRef borrowed(StoreState& store);
  StoreRef(const StoreRef&) = default;
  StoreRef& operator=(const StoreRef&) = default;
  ~StoreRef() = default;

  // Null when the store is gone. By the store's thread.
  [[nodiscard]] StoreState* get() const {
    return life_ != nullptr && life_->number.load(std::memory_order_relaxed) == number_ ? state_ : nullptr;
  }
  // The same store, without owning it.
  [[nodiscard]] StoreRef unowned() const {
    StoreRef ref = *this;
    ref.owner_.reset();
    return ref;
  }
  friend bool operator==(const StoreRef& a, const StoreRef& b) { return a.life_ == b.life_ && a.number_ == b.number_; }

 private:
  friend struct Internals;
  std::shared_ptr<StoreState> owner_;
  StoreState* state_ = nullptr;
  const StoreLife* life_ = nullptr;
  std::uint64_t number_ = 0;
};

}  // namespace wasi::detail

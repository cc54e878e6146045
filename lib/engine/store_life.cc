#include "engine/store_life.h"

#include "engine/state.h"

namespace wasi::detail {

namespace {

// Never destroyed: handles may be asked while the process ends.
struct Records {
  std::mutex mutex;
  StoreRecord* free = nullptr;
  std::uint64_t last_number = 0;
};

Records& records() {
  static auto* const all = new Records;
  return *all;
}

}  // namespace

StoreRecord& begin_life(StoreState& store) {
  Records& all = records();
  const std::lock_guard lock(all.mutex);
  StoreRecord* record = all.free;
  if (record == nullptr) {
    record = new StoreRecord;
  } else {
    all.free = record->next_free;
  }
  record->store = &store;
  record->number.store(++all.last_number);
  return *record;
}

void end_life(StoreRecord& record) {
  {
    // Whoever interrupts the store from another thread is done with it then.
    const std::lock_guard lock(record.mutex);
    record.number.store(0);
    record.store = nullptr;
  }
  Records& all = records();
  const std::lock_guard lock(all.mutex);
  record.next_free = all.free;
  all.free = &record;
}

StoreRef::StoreRef(std::shared_ptr<StoreState> owned) : owner_(std::move(owned)) {
  if (owner_ == nullptr) return;
  state_ = owner_.get();
  life_ = &state_->record;
  number_ = life_->number.load(std::memory_order_relaxed);
}

StoreRef StoreRef::borrowed(StoreState& store) {
  StoreRef ref;
  ref.state_ = &store;
  ref.life_ = &store.record;
  ref.number_ = ref.life_->number.load(std::memory_order_relaxed);
  return ref;
}

}  // namespace wasi::detail

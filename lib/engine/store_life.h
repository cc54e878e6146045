// Records of which stores exist, behind detail::StoreRef and Interrupter.
#pragma once

#include <wasi/detail/store_ref.h>

#include <mutex>

namespace wasi::detail {

struct StoreRecord : StoreLife {
  std::mutex mutex;             // held by other threads that use the store, and when it goes
  StoreState* store = nullptr;  // null: the record is free
  StoreRecord* next_free = nullptr;
};

// A record for a new store, with a number that none had before. Thread-safe, as is its return.
StoreRecord& begin_life(StoreState& store);
void end_life(StoreRecord& record);

}  // namespace wasi::detail

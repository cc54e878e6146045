// Handler bodies: atomic accesses, wait and notify. What they do is in atomics.cc.
#pragma once

#include <atomic>

#include "interp/atomics.h"
#include "interp/handlers_table.h"
#include "interp/state.h"

namespace wasi::interp {

// The place that an instruction names: its index in the slot at `at`, offset and memory behind the last slot.
template <std::uint32_t at, std::uint32_t offset_at>
WASI_INLINE AtomicPlace atomic_place(State& s) {
  return {s.ip, s.vm, index_at(s, offset_at + 8), slot_at<at>(s).u64, read_code<std::uint64_t>(s.ip + offset_at)};
}

template <class M>
struct AtomicLoad {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 16;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = atomic_load<M>(atomic_place<kHeadSize + 2, kHeadSize + 4>(s));
    finish_slow(s, kLength);
  }
};

template <class M>
struct AtomicStore {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 16;
  WASI_INLINE static void run(State& s) {
    atomic_store<M>(atomic_place<kHeadSize, kHeadSize + 4>(s), static_cast<M>(slot_at<kHeadSize + 2>(s).u64));
    finish_slow(s, kLength);
  }
};

template <Rmw kOperation, class M>
struct AtomicRmw {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 18;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = atomic_rmw<kOperation, M>(atomic_place<kHeadSize + 2, kHeadSize + 6>(s),
                                                               static_cast<M>(slot_at<kHeadSize + 4>(s).u64));
    finish_slow(s, kLength);
  }
};

template <class M>
struct AtomicCompareExchange {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 20;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = atomic_compare_exchange<M>(atomic_place<kHeadSize + 2, kHeadSize + 8>(s),
                                                                static_cast<M>(slot_at<kHeadSize + 4>(s).u64),
                                                                static_cast<M>(slot_at<kHeadSize + 6>(s).u64));
    finish_slow(s, kLength);
  }
};

template <class M>
struct AtomicWait {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 20;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 =
        atomic_wait<M>(atomic_place<kHeadSize + 2, kHeadSize + 8>(s), static_cast<M>(slot_at<kHeadSize + 4>(s).u64),
                       slot_at<kHeadSize + 6>(s).s64);
    finish_slow(s, kLength);
  }
};

struct AtomicNotify {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 18;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 =
        atomic_notify(atomic_place<kHeadSize + 2, kHeadSize + 6>(s), slot_at<kHeadSize + 4>(s).u32);
    finish_slow(s, kLength);
  }
};

struct AtomicFence {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize;
  WASI_INLINE static void run(State& s) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    s.ip += kLength;
  }
};

}  // namespace wasi::interp

// Handler bodies: atomic accesses, wait and notify. What they do is in lib/runtime/runtime_calls_atomic.cc.
#pragma once

#include <atomic>

#include "interp/handlers_table.h"
#include "interp/slow_path.h"
#include "interp/state.h"

namespace wasi::interp {

template <class M>
struct AtomicLoad {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 16;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 =
        calls::atomic_load<M>(s.vm, s.ip, slot_at<kHeadSize + 2>(s).u64, s.ip + kHeadSize + 4);
    finish_slow(s, kLength);
  }
};

template <class M>
struct AtomicStore {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 16;
  WASI_INLINE static void run(State& s) {
    calls::atomic_store<M>(s.vm, s.ip, slot_at<kHeadSize>(s).u64, s.ip + kHeadSize + 4,
                           static_cast<M>(slot_at<kHeadSize + 2>(s).u64));
    finish_slow(s, kLength);
  }
};

template <Rmw kOperation, class M>
struct AtomicRmw {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 18;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = calls::atomic_rmw<kOperation, M>(
        s.vm, s.ip, slot_at<kHeadSize + 2>(s).u64, s.ip + kHeadSize + 6, static_cast<M>(slot_at<kHeadSize + 4>(s).u64));
    finish_slow(s, kLength);
  }
};

template <class M>
struct AtomicCompareExchange {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 20;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = calls::atomic_compare_exchange<M>(
        s.vm, s.ip, slot_at<kHeadSize + 2>(s).u64, s.ip + kHeadSize + 8, static_cast<M>(slot_at<kHeadSize + 4>(s).u64),
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
        calls::atomic_wait<M>(s.vm, s.ip, slot_at<kHeadSize + 2>(s).u64, s.ip + kHeadSize + 8,
                              static_cast<M>(slot_at<kHeadSize + 4>(s).u64), slot_at<kHeadSize + 6>(s).s64);
    finish_slow(s, kLength);
  }
};

struct AtomicNotify {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 18;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = calls::atomic_notify(s.vm, s.ip, slot_at<kHeadSize + 2>(s).u64,
                                                          s.ip + kHeadSize + 6, slot_at<kHeadSize + 4>(s).u32);
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

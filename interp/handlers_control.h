// Handler bodies: branches.
//
// A target is relative to the place in the code where it stands. Branches that go back take from the budget
// (runtime/budget.h); at loop heads accumulators are dead, so that may call out.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#control-instructions
#pragma once

#include <algorithm>
#include <atomic>

#include "interp/handlers_throw.h"
#include "interp/slow_path.h"
#include "interp/state.h"

namespace wasi::interp {

template <std::uint32_t at>
WASI_INLINE const std::uint8_t* target_of(const State& s) {
  return s.ip + at + read_code<std::int32_t>(s.ip + at);
}
template <std::uint32_t at>
WASI_INLINE void jump(State& s) {
  s.ip = target_of<at>(s);
}

// Takes one from the budget. True: it was spent.
WASI_INLINE bool spend(State& s) { return s.budget-- == 0; }

// A branch back when the budget is spent: stays in the loop, or leaves it for machine code.
WASI_INLINE void branch_back_slowly(State& s, const std::uint8_t* target) {
  const WayOn way = branch_back_spent(s.vm, s.ip, target);
  s.budget = way.budget;
  land(s, way.ip);
}

template <bool back>
struct Branch {
  static constexpr Flow kFlow = Flow::branch;
  static constexpr bool kBack = back;
  static constexpr std::uint32_t kTargetAt = kHeadSize;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static bool run(State& /*s*/) { return true; }
};

template <bool if_non_zero, class L, bool back>
struct BranchIf {
  static constexpr Flow kFlow = Flow::branch;
  static constexpr bool kBack = back;
  static constexpr std::uint32_t kTargetAt = kHeadSize + kOperandSize<L, std::uint32_t>;
  static constexpr std::uint32_t kLength = kTargetAt + 4;
  WASI_INLINE static bool run(State& s) { return (get<std::uint32_t, L, kHeadSize>(s) != 0) == if_non_zero; }
};

template <class T, auto fn, bool back, class L, class R>
struct BranchCompare {
  static constexpr Flow kFlow = Flow::branch;
  static constexpr bool kBack = back;
  static constexpr std::uint32_t kRhsAt = kHeadSize + kOperandSize<L, T>;
  static constexpr std::uint32_t kTargetAt = kRhsAt + kOperandSize<R, T>;
  static constexpr std::uint32_t kLength = kTargetAt + 4;
  WASI_INLINE static bool run(State& s) { return fn(get<T, L, kHeadSize>(s), get<T, R, kRhsAt>(s)); }
};

// If not: comparisons of floats have no inverse.
template <class T, auto fn, class L, class R>
struct BranchUnless : BranchCompare<T, fn, false, L, R> {
  WASI_INLINE static bool run(State& s) { return !BranchCompare<T, fn, false, L, R>::run(s); }
};

// Targets beyond the table mean the last one. Targets that lie behind are reached through a br_back.
struct BranchTable {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kCountAt = kHeadSize + 2;
  static constexpr std::uint32_t kTargetsAt = kCountAt + 4;
  WASI_INLINE static void run(State& s) {
    const std::uint32_t last = index_at(s, kCountAt) - 1;
    const std::uint32_t index = slot_at<kHeadSize>(s).u32;
    const std::uint8_t* target = s.ip + kTargetsAt + std::uint64_t{index < last ? index : last} * 4;
    s.ip = target + read_code<std::int32_t>(target);
  }
};

struct Unreachable {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) { trap_at(s.vm, s.ip, TrapCode::unreachable); }
};

// Stands where code is long without a branch back. Operand: what the code before it takes from the budget, which the
// next branch back finds spent.
struct Poll {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    s.budget -= std::min<std::uint64_t>(s.budget, read_code<std::uint32_t>(s.ip + kHeadSize));
    if (s.vm->exec->interrupt.load(std::memory_order_relaxed) != 0) [[unlikely]]
      s.budget = 0;
    s.ip += kLength;
  }
};

// Pays for the instructions that were run since the last one. Accumulators stay.
struct Charge {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    std::int64_t& fuel = s.vm->exec->fuel;
    fuel -= read_code<std::uint32_t>(s.ip + kHeadSize);
    if (fuel < 0) [[unlikely]]
      trap_at(s.vm, s.ip, TrapCode::out_of_fuel);
    s.ip += kLength;
  }
};

struct Count {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 8;
  WASI_INLINE static void run(State& s) {
    auto* counter = reinterpret_cast<std::atomic<std::uint64_t>*>(read_code<std::uint64_t>(s.ip + kHeadSize));
    counter->fetch_add(1, std::memory_order_relaxed);
    s.ip += kLength;
  }
};

}  // namespace wasi::interp

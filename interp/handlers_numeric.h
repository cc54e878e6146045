// Handler bodies: numbers, and moving values between slots, globals and constants.
//
// The semantics are those of runtime/numeric.h; here they only meet their operands.
// Source: https://webassembly.github.io/spec/core/exec/numerics.html
#pragma once

#include "interp/alu.h"
#include "interp/slow_path.h"
#include "interp/state.h"

namespace wasi::interp {

namespace numeric = runtime::numeric;

// The result, out of a function that may trap instead.
template <class T>
WASI_INLINE T value_or_trap(State& /*s*/, T value) {
  return value;
}
template <class T>
WASI_INLINE T value_or_trap(State& s, const numeric::Checked<T>& checked) {
  if (!checked) [[unlikely]]
    trap_at(s.vm, s.ip, checked.error());
  return *checked;
}
WASI_INLINE std::uint32_t value_or_trap(State& /*s*/, bool value) { return value ? 1 : 0; }

template <class T, auto fn, class L, class R>
struct Binary {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLhsAt = kDestinationAt + 2;
  static constexpr std::uint32_t kRhsAt = kLhsAt + kOperandSize<L, T>;
  static constexpr std::uint32_t kLength = kRhsAt + kOperandSize<R, T>;
  WASI_INLINE static void run(State& s) {
    const T lhs = get<T, L, kLhsAt>(s);
    const T rhs = get<T, R, kRhsAt>(s);
    put(s, value_or_trap(s, fn(lhs, rhs)));
    s.ip += kLength;
  }
};

template <class T, auto fn, class L>
struct Unary {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kAt = kDestinationAt + 2;
  static constexpr std::uint32_t kLength = kAt + kOperandSize<L, T>;
  WASI_INLINE static void run(State& s) {
    put(s, value_or_trap(s, fn(get<T, L, kAt>(s))));
    s.ip += kLength;
  }
};

// Pairs of words: operands and results in slots of their own, the results in two that adjoin. Reads all before it
// writes.
WASI_INLINE void put_wide(State& s, numeric::Wide value) {
  Slot* const result = &slot_at<kDestinationAt>(s);
  result[0].u64 = value.low;
  result[1].u64 = value.high;
}

template <auto fn>
struct WideAddSub {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kAt = kDestinationAt + 2;
  static constexpr std::uint32_t kLength = kAt + 8;
  WASI_INLINE static void run(State& s) {
    const numeric::Wide lhs = {slot_at<kAt>(s).u64, slot_at<kAt + 2>(s).u64};
    const numeric::Wide rhs = {slot_at<kAt + 4>(s).u64, slot_at<kAt + 6>(s).u64};
    put_wide(s, fn(lhs, rhs));
    s.ip += kLength;
  }
};

template <auto fn>
struct WideMul {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kAt = kDestinationAt + 2;
  static constexpr std::uint32_t kLength = kAt + 4;
  WASI_INLINE static void run(State& s) {
    put_wide(s, fn(slot_at<kAt>(s).u64, slot_at<kAt + 2>(s).u64));
    s.ip += kLength;
  }
};

struct Copy {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = slot_at<kDestinationAt + 2>(s).u64;
    s.ip += kLength;
  }
};

struct Const32 {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = get<std::uint64_t, K, kDestinationAt + 2>(s);
    s.ip += kLength;
  }
};

struct Const64 {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 10;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).u64 = read_code<std::uint64_t>(s.ip + kDestinationAt + 2);
    s.ip += kLength;
  }
};

struct GlobalGet {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    put(s, s.vm->globals[index_at(s, kDestinationAt + 2)]->u64);
    s.ip += kLength;
  }
};

template <class L>
struct GlobalSet {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kIndexAt = kHeadSize + kOperandSize<L, std::uint64_t>;
  static constexpr std::uint32_t kLength = kIndexAt + 4;
  WASI_INLINE static void run(State& s) {
    s.vm->globals[index_at(s, kIndexAt)]->u64 = get<std::uint64_t, L, kHeadSize>(s);
    s.ip += kLength;
  }
};

// Moves all 64 bits, whatever the type.
template <class C, class T, class F>
struct Select {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kConditionAt = kDestinationAt + 2;
  static constexpr std::uint32_t kTrueAt = kConditionAt + kOperandSize<C, std::uint32_t>;
  static constexpr std::uint32_t kFalseAt = kTrueAt + kOperandSize<T, std::uint64_t>;
  static constexpr std::uint32_t kLength = kFalseAt + kOperandSize<F, std::uint64_t>;
  WASI_INLINE static void run(State& s) {
    const auto if_true = get<std::uint64_t, T, kTrueAt>(s);
    const auto if_false = get<std::uint64_t, F, kFalseAt>(s);
    put(s, get<std::uint32_t, C, kConditionAt>(s) != 0 ? if_true : if_false);
    s.ip += kLength;
  }
};

// Slots to lower ones, which they may overlap.
struct CopyRange {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    std::memmove(static_cast<void*>(&slot_at<kDestinationAt>(s)), &slot_at<kDestinationAt + 2>(s),
                 read_code<std::uint16_t>(s.ip + kDestinationAt + 4) * sizeof(Slot));
    s.ip += kLength;
    after_slow_call(s);
  }
};

struct CopyVector {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    move_vector(s, get_vector<kDestinationAt + 2>(s));
    s.ip += kLength;
  }
};

struct GlobalGetVector {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    move_vector(s, load_vector(s.vm->globals[index_at(s, kDestinationAt + 2)]));
    s.ip += kLength;
  }
};

struct GlobalSetVector {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    store_vector(s.vm->globals[index_at(s, kHeadSize + 2)], get_vector<kHeadSize>(s));
    s.ip += kLength;
  }
};

struct SelectVector {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kConditionAt = kDestinationAt + 2;
  static constexpr std::uint32_t kLength = kConditionAt + 6;
  WASI_INLINE static void run(State& s) {
    const bool holds = slot_at<kConditionAt>(s).u32 != 0;
    move_vector(s, load_vector(holds ? &slot_at<kConditionAt + 2>(s) : &slot_at<kConditionAt + 4>(s)));
    s.ip += kLength;
  }
};

}  // namespace wasi::interp

// Handler bodies: vectors.
//
// The semantics are those of runtime/simd.h; here they only meet their operands. Where the opcode alone does
// not say what is done, the instruction's lane or its 16 bytes stand in the code.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#vector-instructions
#pragma once

#include <functional>

#include "interp/handlers_memory.h"
#include "interp/slow_path.h"
#include "interp/state.h"

namespace wasi::interp {

namespace simd = runtime::simd;

inline constexpr std::uint32_t kFirstOperandAt = kDestinationAt + 2;
inline constexpr std::uint32_t kLaneSize = 2;
// Bytes that a vector operand takes in the code.
template <class Loc>
inline constexpr std::uint32_t kVectorSize = std::is_same_v<Loc, S> ? 2 : 0;

WASI_INLINE std::uint32_t lane_in_code(const State& s, std::uint32_t at) { return read_code<std::uint16_t>(s.ip + at); }

template <auto fn, class L>
struct VectorUnary {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kFirstOperandAt + kVectorSize<L>;
  WASI_INLINE static void run(State& s) {
    put_vector(s, fn(get_vector<kFirstOperandAt, L>(s)));
    s.ip += kLength;
  }
};

template <auto fn, class L, class R>
struct VectorBinary {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kRhsAt = kFirstOperandAt + kVectorSize<L>;
  static constexpr std::uint32_t kLength = kRhsAt + kVectorSize<R>;
  WASI_INLINE static void run(State& s) {
    put_vector(s, fn(get_vector<kFirstOperandAt, L>(s), get_vector<kRhsAt, R>(s)));
    s.ip += kLength;
  }
};

template <auto fn>
struct VectorTernary {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kFirstOperandAt + 6;
  WASI_INLINE static void run(State& s) {
    put_vector(
        s, fn(get_vector<kFirstOperandAt>(s), get_vector<kFirstOperandAt + 2>(s), get_vector<kFirstOperandAt + 4>(s)));
    s.ip += kLength;
  }
};

template <auto fn, class L, class R>
struct VectorShift {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kCountAt = kFirstOperandAt + kVectorSize<L>;
  static constexpr std::uint32_t kLength = kCountAt + kOperandSize<R, std::uint32_t>;
  WASI_INLINE static void run(State& s) {
    put_vector(s, fn(get_vector<kFirstOperandAt, L>(s), get<std::uint32_t, R, kCountAt>(s)));
    s.ip += kLength;
  }
};

// From a vector to an i32.
template <auto fn>
struct VectorTest {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kFirstOperandAt + 2;
  WASI_INLINE static void run(State& s) {
    put(s, static_cast<std::uint32_t>(fn(get_vector<kFirstOperandAt>(s))));
    s.ip += kLength;
  }
};

// Lanes of type M, in values of type T.
template <class M, class T>
struct VectorSplat {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kFirstOperandAt + 2;
  WASI_INLINE static void run(State& s) {
    put_vector(s, simd::splat<M>(static_cast<M>(get<T, S, kFirstOperandAt>(s))));
    s.ip += kLength;
  }
};

template <class M, class T>
struct VectorExtract {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLaneAt = kFirstOperandAt + 2;
  static constexpr std::uint32_t kLength = kLaneAt + kLaneSize;
  WASI_INLINE static void run(State& s) {
    put(s, extend<T>(simd::lane_at<M>(&slot_at<kFirstOperandAt>(s), lane_in_code(s, kLaneAt))));
    s.ip += kLength;
  }
};

template <class M, class T>
struct VectorReplace {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLaneAt = kFirstOperandAt + 4;
  static constexpr std::uint32_t kLength = kLaneAt + kLaneSize;
  WASI_INLINE static void run(State& s) {
    const auto value = static_cast<M>(get<T, S, kFirstOperandAt + 2>(s));
    put_vector(s, simd::replace_lane<M>(get_vector<kFirstOperandAt>(s), lane_in_code(s, kLaneAt), value));
    s.ip += kLength;
  }
};

struct VectorConst {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kFirstOperandAt + 16;
  WASI_INLINE static void run(State& s) {
    put_vector(s, read_code<V128>(s.ip + kFirstOperandAt));
    s.ip += kLength;
  }
};

struct VectorShuffle {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLanesAt = kFirstOperandAt + 4;
  static constexpr std::uint32_t kLength = kLanesAt + 16;
  WASI_INLINE static void run(State& s) {
    put_vector(s, simd::shuffle(get_vector<kFirstOperandAt>(s), get_vector<kFirstOperandAt + 2>(s),
                                read_code<V128>(s.ip + kLanesAt)));
    s.ip += kLength;
  }
};

// Memory

// Eight bytes as lanes of type T, to lanes of twice the width.
template <class T>
WASI_INLINE V128 extend_loaded(std::uint64_t bytes) {
  return simd::extend_low<T>(simd::zero_extend(bytes));
}

// `make` makes the vector of the M that was read.
template <class M, auto make, class L, bool checked>
struct VectorLoad {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kOffsetAt = kFirstOperandAt + kAddressSize<L>;
  static constexpr std::uint32_t kLength = kOffsetAt + 4;
  WASI_INLINE static void run(State& s) {
    pin(s);
    const std::uint64_t address = effective_address<L, kFirstOperandAt, kOffsetAt, checked, sizeof(M)>(s);
    M value;
    std::memcpy(&value, s.mem + address, sizeof value);
    const V128 result = make(value);
    pin(s);
    put_vector(s, result);
    s.ip += kLength;
  }
};

template <class M, auto make>
struct VectorLoadAny {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kOffsetAt = kFirstOperandAt + 2;
  static constexpr std::uint32_t kLength = kOffsetAt + 12;
  WASI_INLINE static void run(State& s) {
    M value;
    std::memcpy(&value, any_address<kFirstOperandAt, kOffsetAt, sizeof(M)>(s), sizeof value);
    move_vector(s, make(value));
    s.ip += kLength;
    after_slow_call(s);
  }
};

template <class M, class L, bool checked>
struct VectorLoadLane {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kAddressAt = kFirstOperandAt + 2;
  static constexpr std::uint32_t kOffsetAt = kAddressAt + kAddressSize<L>;
  static constexpr std::uint32_t kLaneAt = kOffsetAt + 4;
  static constexpr std::uint32_t kLength = kLaneAt + kLaneSize;
  WASI_INLINE static void run(State& s) {
    pin(s);
    const std::uint64_t address = effective_address<L, kAddressAt, kOffsetAt, checked, sizeof(M)>(s);
    M value;
    std::memcpy(&value, s.mem + address, sizeof value);
    const V128 result = simd::replace_lane<M>(get_vector<kFirstOperandAt>(s), lane_in_code(s, kLaneAt), value);
    pin(s);
    put_vector(s, result);
    s.ip += kLength;
  }
};

template <class M>
struct VectorLoadLaneAny {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kOffsetAt = kFirstOperandAt + 4;
  static constexpr std::uint32_t kLaneAt = kOffsetAt + 12;
  static constexpr std::uint32_t kLength = kLaneAt + kLaneSize;
  WASI_INLINE static void run(State& s) {
    M value;
    std::memcpy(&value, any_address<kFirstOperandAt + 2, kOffsetAt, sizeof(M)>(s), sizeof value);
    move_vector(s, simd::replace_lane<M>(get_vector<kFirstOperandAt>(s), lane_in_code(s, kLaneAt), value));
    s.ip += kLength;
    after_slow_call(s);
  }
};

template <class L, bool checked>
struct VectorStore {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kValueAt = kHeadSize + kAddressSize<L>;
  static constexpr std::uint32_t kOffsetAt = kValueAt + 2;
  static constexpr std::uint32_t kLength = kOffsetAt + 4;
  WASI_INLINE static void run(State& s) {
    pin(s);
    const std::uint64_t address = effective_address<L, kHeadSize, kOffsetAt, checked, sizeof(V128)>(s);
    const V128 value = get_vector<kValueAt>(s);
    std::memcpy(s.mem + address, &value, sizeof value);
    pin(s);
    s.ip += kLength;
  }
};

struct VectorStoreAny {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kOffsetAt = kHeadSize + 4;
  static constexpr std::uint32_t kLength = kOffsetAt + 12;
  WASI_INLINE static void run(State& s) {
    std::uint8_t* to = any_address<kHeadSize, kOffsetAt, sizeof(V128)>(s);
    const V128 value = get_vector<kHeadSize + 2>(s);
    std::memcpy(to, &value, sizeof value);
    s.ip += kLength;
    after_slow_call(s);
  }
};

template <class M, class L, bool checked>
struct VectorStoreLane {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kValueAt = kHeadSize + kAddressSize<L>;
  static constexpr std::uint32_t kOffsetAt = kValueAt + 2;
  static constexpr std::uint32_t kLaneAt = kOffsetAt + 4;
  static constexpr std::uint32_t kLength = kLaneAt + kLaneSize;
  WASI_INLINE static void run(State& s) {
    pin(s);
    const std::uint64_t address = effective_address<L, kHeadSize, kOffsetAt, checked, sizeof(M)>(s);
    const M value = simd::lane_at<M>(&slot_at<kValueAt>(s), lane_in_code(s, kLaneAt));
    std::memcpy(s.mem + address, &value, sizeof value);
    pin(s);
    s.ip += kLength;
  }
};

template <class M>
struct VectorStoreLaneAny {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kOffsetAt = kHeadSize + 4;
  static constexpr std::uint32_t kLaneAt = kOffsetAt + 12;
  static constexpr std::uint32_t kLength = kLaneAt + kLaneSize;
  WASI_INLINE static void run(State& s) {
    std::uint8_t* to = any_address<kHeadSize, kOffsetAt, sizeof(M)>(s);
    const M value = simd::lane_at<M>(&slot_at<kHeadSize + 2>(s), lane_in_code(s, kLaneAt));
    std::memcpy(to, &value, sizeof value);
    s.ip += kLength;
    after_slow_call(s);
  }
};

}  // namespace wasi::interp

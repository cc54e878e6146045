// What a handler works on, and how it reads operands and writes results.
//
// A State lives in registers: dispatch files take it apart into parameters or locals. Handlers' bodies
// are always inlined, so nothing here is ever in memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "interp/dispatch.h"
#include "interp/isa.h"
#include "runtime/exec_state.h"
#include "runtime/frame.h"
#include "runtime/simd.h"
#include "runtime/vmcontext.h"

namespace wasi::interp {

using runtime::ExecState;
using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::Slot;
using runtime::VmContext;
using runtime::simd::V128;

#define WASI_INLINE [[gnu::always_inline]] inline

struct State {
  const std::uint8_t* ip;  // the current instruction
  Slot* fp;                // the frame's first slot
  std::uint64_t budget;    // calls and branches back until runtime::look_around() is due
  VmContext* vm;           // the current instance
  std::uint8_t* mem;       // memory 0
  // Accumulators: each equals the slot that an instruction of its class wrote last. An i32 or f32 lies in
  // the low half of its accumulator, the rest is anything.
  std::uint64_t acc;
  float acc_f32;
  double acc_f64;
  const std::uint8_t* base;  // what the handlers' offsets count from, where the dispatch keeps it in a register
  std::uint64_t mem_size;    // of memory 0; read by the checked forms only
  V128 acc_v128;             // the accumulator of vectors
  // Constant wherever it is read: false where the next part of a fused instruction is the only reader of a
  // result, which then is in its accumulator alone.
  bool keep = true;
};

// Operand locations, the letters of the forms.
struct S {};  // a slot, whose number stands in the code
struct K {};  // a constant in the code
struct A {};  // the accumulator of the operand's class

template <class T>
WASI_INLINE T read_code(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Bytes that an operand takes in the code.
template <class Loc, class T>
inline constexpr std::uint32_t kOperandSize = std::is_same_v<Loc, S>      ? 2
                                              : std::is_same_v<Loc, A>    ? 0
                                              : std::is_same_v<T, double> ? 8
                                                                          : 4;

template <std::uint32_t at>
WASI_INLINE Slot& slot_at(State& s) {
  return s.fp[read_code<std::uint16_t>(s.ip + at)];
}

template <class T>
WASI_INLINE T get_slot(const Slot& slot) {
  if constexpr (std::is_same_v<T, std::uint32_t>) {
    return slot.u32;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return slot.u64;
  } else if constexpr (std::is_same_v<T, float>) {
    return slot.f32;
  } else {
    static_assert(std::is_same_v<T, double>);
    return slot.f64;
  }
}

template <class T>
WASI_INLINE T get_acc(const State& s) {
  if constexpr (std::is_same_v<T, float>) {
    return s.acc_f32;
  } else if constexpr (std::is_same_v<T, double>) {
    return s.acc_f64;
  } else {
    return static_cast<T>(s.acc);
  }
}

// A v128 lies in two slots, which are aligned to 8 bytes.
WASI_INLINE V128 load_vector(const Slot* slots) {
  V128 value;
  std::memcpy(&value, slots, sizeof value);
  return value;
}
WASI_INLINE void store_vector(Slot* slots, V128 value) { std::memcpy(static_cast<void*>(slots), &value, sizeof value); }
template <std::uint32_t at, class Loc = S>
WASI_INLINE V128 get_vector(State& s) {
  if constexpr (std::is_same_v<Loc, A>) {
    return s.acc_v128;
  } else {
    return load_vector(&slot_at<at>(s));
  }
}
// To the instruction's slots and to the accumulator; or, what is only moved, to the slots alone.
WASI_INLINE void put_vector(State& s, V128 value) {
  store_vector(&slot_at<kDestinationAt>(s), value);
  s.acc_v128 = value;
}
WASI_INLINE void move_vector(State& s, V128 value) { store_vector(&slot_at<kDestinationAt>(s), value); }

// The operand of type T that stands `at` bytes behind the instruction's beginning.
template <class T, class Loc, std::uint32_t at>
WASI_INLINE T get(State& s) {
  if constexpr (std::is_same_v<Loc, S>) {
    return get_slot<T>(slot_at<at>(s));
  } else if constexpr (std::is_same_v<Loc, A>) {
    return get_acc<T>(s);
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(read_code<std::int32_t>(s.ip + at)));
  } else {
    return read_code<T>(s.ip + at);
  }
}

// Writes the instruction's result to its slot and to the accumulator of its class.
template <class T>
WASI_INLINE void put(State& s, T value) {
  if constexpr (std::is_same_v<T, std::uint32_t>) {
    if (s.keep) slot_at<kDestinationAt>(s).u32 = value;
    s.acc = value;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (s.keep) slot_at<kDestinationAt>(s).u64 = value;
    s.acc = value;
  } else if constexpr (std::is_same_v<T, float>) {
    if (s.keep) slot_at<kDestinationAt>(s).f32 = value;
    s.acc_f32 = value;
  } else {
    static_assert(std::is_same_v<T, double>);
    if (s.keep) slot_at<kDestinationAt>(s).f64 = value;
    s.acc_f64 = value;
  }
}

WASI_INLINE std::uint32_t index_at(const State& s, std::uint32_t at) { return read_code<std::uint32_t>(s.ip + at); }

// Makes s.ip exact in its register here: a fault in between two pins is found at this instruction
// (Tier::resume_of_fault). Costs nothing, or one addition inside of fused instructions.
WASI_INLINE void pin(State& s) {
#if defined(__x86_64__)
  // In one certain register, since others may still hold the place of an instruction before.
  register const std::uint8_t* ip asm("r12") = s.ip;
  static_assert(kIpRegister == 12);
  asm volatile("" : "+r"(ip) : : "memory");
  s.ip = ip;
#else
  asm volatile("" : "+r"(s.ip) : : "memory");
#endif
}

// After anything that may have moved or grown memory 0.
WASI_INLINE void reload_memory(State& s) {
  s.mem = s.vm->memory0->base;
  s.mem_size = s.vm->memory0->size();
}

// Behind a call out of the handler: the part of State that calls clobber is made anew, which keeps handlers
// from saving it. Accumulators are dead there; the translator counts on nothing else. The budget stays.
WASI_INLINE void after_slow_call(State& s) {
  s.acc = 0;
  s.acc_f32 = 0;
  s.acc_f64 = 0;
  s.acc_v128 = V128{};
  s.base = dispatch_base();
  reload_memory(s);
}

// Behind one that may have taken long: who wants the store to stop is not kept waiting.
WASI_INLINE void after_long_call(State& s) {
  after_slow_call(s);
  if (s.vm->exec->interrupt.load(std::memory_order_relaxed) != 0) s.budget = 0;
}

// How the dispatch goes on behind a body.
enum class Flow : std::uint8_t {
  next,    // run() leaves s.ip at the next instruction
  branch,  // run() says whether the branch is taken; then s.ip += kLength or the target at kTargetAt
  exit,    // back to the native caller
};

}  // namespace wasi::interp

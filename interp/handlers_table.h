// Handler bodies: tables and references.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#table-instructions
#pragma once

#include "interp/slow_path.h"
#include "interp/state.h"

namespace wasi::interp {

WASI_INLINE void finish_slow(State& s, std::uint32_t length) {
  s.ip += length;
  after_slow_call(s);
}
WASI_INLINE void finish_long(State& s, std::uint32_t length) {
  s.ip += length;
  after_long_call(s);
}

struct TableGet {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 8;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).ref =
        *calls::table_element(s.vm, s.ip, index_at(s, kHeadSize + 4), slot_at<kHeadSize + 2>(s).u64);
    finish_slow(s, kLength);
  }
};

struct TableSet {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 8;
  WASI_INLINE static void run(State& s) {
    *calls::table_element(s.vm, s.ip, index_at(s, kHeadSize + 4), slot_at<kHeadSize>(s).u64) =
        slot_at<kHeadSize + 2>(s).ref;
    finish_slow(s, kLength);
  }
};

struct TableSize {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    put(s, s.vm->tables[index_at(s, kHeadSize + 2)]->size);
    s.ip += kLength;
  }
};

struct TableGrow {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 10;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).s64 = calls::table_grow(s.vm, index_at(s, kHeadSize + 6), slot_at<kHeadSize + 2>(s).ref,
                                                       slot_at<kHeadSize + 4>(s).u64);
    finish_long(s, kLength);
  }
};

struct TableFill {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 10;
  WASI_INLINE static void run(State& s) {
    calls::table_fill(s.vm, s.ip, index_at(s, kHeadSize + 6), slot_at<kHeadSize>(s).u64, slot_at<kHeadSize + 2>(s).ref,
                      slot_at<kHeadSize + 4>(s).u64);
    finish_long(s, kLength);
  }
};

struct TableCopy {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 14;
  WASI_INLINE static void run(State& s) {
    calls::table_copy(s.vm, s.ip, index_at(s, kHeadSize + 6), index_at(s, kHeadSize + 10), slot_at<kHeadSize>(s).u64,
                      slot_at<kHeadSize + 2>(s).u64, slot_at<kHeadSize + 4>(s).u64);
    finish_long(s, kLength);
  }
};

struct TableInit {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 14;
  WASI_INLINE static void run(State& s) {
    calls::table_init(s.vm, s.ip, index_at(s, kHeadSize + 6), index_at(s, kHeadSize + 10), slot_at<kHeadSize>(s).u64,
                      slot_at<kHeadSize + 2>(s).u32, slot_at<kHeadSize + 4>(s).u32);
    finish_long(s, kLength);
  }
};

struct ElementDrop {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 4;
  WASI_INLINE static void run(State& s) {
    calls::elem_drop(s.vm, index_at(s, kHeadSize));
    finish_slow(s, kLength);
  }
};

struct RefFunc {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 6;
  WASI_INLINE static void run(State& s) {
    slot_at<kDestinationAt>(s).ref = calls::ref_func(s.vm, index_at(s, kHeadSize + 2));
    finish_slow(s, kLength);
  }
};

// Only checks: the reference stays where it is.
struct RefAsNonNull {
  static constexpr Flow kFlow = Flow::next;
  static constexpr std::uint32_t kLength = kHeadSize + 2;
  WASI_INLINE static void run(State& s) {
    if (slot_at<kHeadSize>(s).ref == nullptr) [[unlikely]]
      trap_at(s.vm, s.ip, TrapCode::null_reference);
    s.ip += kLength;
  }
};

}  // namespace wasi::interp

// Handler bodies: exceptions. Unwinding itself is in unwind.cc.
// Source: https://webassembly.github.io/spec/core/exec/instructions.html#control-instructions
#pragma once

#include "interp/shims.h"
#include "interp/state.h"
#include "interp/unwind.h"

namespace wasi::interp {

// Goes on where unwind.h's functions say.
WASI_INLINE void land(State& s, const std::uint8_t* ip) {
  s.ip = ip;
  if (ip != shims.exit.code) {
    const runtime::Frame& frame = *s.vm->exec->top;
    s.vm = frame.instance;
    s.fp = frame.slots;
  }
  after_slow_call(s);
}

struct Throw {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) {
    land(s, throw_tag(s.ip, s.vm, index_at(s, kHeadSize), &slot_at<kHeadSize + 4>(s)));
  }
};

struct ThrowRef {
  static constexpr Flow kFlow = Flow::next;
  WASI_INLINE static void run(State& s) { land(s, throw_reference(s.ip, s.vm, slot_at<kHeadSize>(s).ref)); }
};

}  // namespace wasi::interp

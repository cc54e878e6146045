// Handler bodies of fused instructions: their parts, one after the other, with no dispatch in between.
#pragma once

#include "interp/handlers_atomic.h"
#include "interp/handlers_call.h"
#include "interp/handlers_control.h"
#include "interp/handlers_gc.h"
#include "interp/handlers_memory.h"
#include "interp/handlers_numeric.h"
#include "interp/handlers_simd.h"
#include "interp/handlers_table.h"

namespace wasi::interp {

// The body of each instruction.
template <Code code>
struct BodyOf;

#define ISA(name, layout, ...) \
  template <>                  \
  struct BodyOf<Code::name> {  \
    using Type = __VA_ARGS__;  \
  };
#include "interp/forms.def"
#undef ISA

// `keep`: whether the result is written to its slot.
template <class Body>
WASI_INLINE auto run_part(State& s, bool keep) {
  if constexpr (requires { Body::run_keeping(s, keep); }) {
    return Body::run_keeping(s, keep);
  } else {
    s.keep = keep;
    struct Reset {
      State& s;
      WASI_INLINE ~Reset() { s.keep = true; }
    } reset{s};
    return Body::run(s);
  }
}

// Goes on as the second part does.
template <class First, class Second, bool temporary>
struct Fused : Second {
  WASI_INLINE static auto run_keeping(State& s, bool keep) {
    run_part<First>(s, !temporary);
    return run_part<Second>(s, keep);
  }
  WASI_INLINE static auto run(State& s) { return run_keeping(s, true); }
};

#define ISA_FUSE(first, second)                                                       \
  template <>                                                                         \
  struct BodyOf<Code::first##__##second> {                                            \
    using Type = Fused<BodyOf<Code::first>::Type, BodyOf<Code::second>::Type, false>; \
  };
#define ISA_FUSE_TEMP(first, second)                                                 \
  template <>                                                                        \
  struct BodyOf<Code::first##_t_##second> {                                          \
    using Type = Fused<BodyOf<Code::first>::Type, BodyOf<Code::second>::Type, true>; \
  };
#include "interp/fused.def"
#undef ISA_FUSE
#undef ISA_FUSE_TEMP

}  // namespace wasi::interp

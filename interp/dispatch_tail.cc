// Dispatch by guaranteed tail calls: each handler is a function that jumps to the next one.
//
// preserve_none gives handlers all registers and no prologue; State travels as parameters, its hot part in
// registers that calls preserve, so a slow path spills nothing.
#include "interp/dispatch.h"

#if defined(WASI_INTERP_TAIL)

#include <algorithm>
#include <iterator>

#include "interp/handlers_fused.h"

// The linker's name for their end. NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" [[gnu::visibility("hidden")]] const std::uint8_t __stop_wasirun_handlers[];

namespace wasi::interp {

namespace {

#define WASI_HANDLER_PARAMETERS                                                                                       \
  const std::uint8_t *ip, Slot *fp, std::uint64_t budget, VmContext *vm, std::uint64_t acc, const std::uint8_t *base, \
      std::uint8_t *mem, std::uint64_t mem_size, float acc_f32, double acc_f64, V128 acc_v128
#define WASI_STATE_ARGUMENTS \
  s.ip, s.fp, s.budget, s.vm, s.acc, s.base, s.mem, s.mem_size, s.acc_f32, s.acc_f64, s.acc_v128
#define WASI_STATE_OF_PARAMETERS ip, fp, budget, vm, mem, acc, acc_f32, acc_f64, base, mem_size, acc_v128

using Handler = __attribute__((preserve_none)) void(WASI_HANDLER_PARAMETERS);

#define WASI_DISPATCH(s)                                                                                          \
  do {                                                                                                            \
    auto* next =                                                                                                  \
        reinterpret_cast<Handler*>(reinterpret_cast<std::uintptr_t>((s).base + read_code<std::int32_t>((s).ip))); \
    [[clang::musttail]] return next(WASI_STATE_ARGUMENTS);                                                        \
  } while (false)

// What all branches back share: the accumulators, which are dead, bring the target.
[[gnu::section("wasirun_handlers"), gnu::cold, gnu::noinline]] WASI_RACES_LIKE_WASM __attribute__((preserve_none)) void
back_slowly(WASI_HANDLER_PARAMETERS) {
  State s{WASI_STATE_OF_PARAMETERS};
  branch_back_slowly(s, reinterpret_cast<const std::uint8_t*>(acc));
  WASI_DISPATCH(s);
}

template <class Body>
[[gnu::section("wasirun_handlers")]] WASI_RACES_LIKE_WASM __attribute__((preserve_none)) void handler(
    WASI_HANDLER_PARAMETERS) {
  State s{WASI_STATE_OF_PARAMETERS};
  if constexpr (Body::kFlow == Flow::exit) {
    Body::run(s);
  } else if constexpr (Body::kFlow == Flow::branch) {
    if (Body::run(s)) {
      // Two dispatches: the paths share nothing, so the next instruction is fetched before the test is known.
      asm volatile("");
      if constexpr (Body::kBack) {
        if (spend(s)) [[unlikely]] {
          s.acc = reinterpret_cast<std::uintptr_t>(target_of<Body::kTargetAt>(s));
          [[clang::musttail]] return back_slowly(WASI_STATE_ARGUMENTS);
        }
      }
      jump<Body::kTargetAt>(s);
      WASI_DISPATCH(s);
    }
    s.ip += Body::kLength;
    WASI_DISPATCH(s);
  } else {
    Body::run(s);
    WASI_DISPATCH(s);
  }
}

constexpr Handler* kHandlers[] = {
#define ISA(name, layout, ...) &handler<__VA_ARGS__>,
#include "interp/forms.def"
#undef ISA
#define ISA_FUSE(first, second) &handler<BodyOf<Code::first##__##second>::Type>,
#define ISA_FUSE_TEMP(first, second) &handler<BodyOf<Code::first##_t_##second>::Type>,
#include "interp/fused.def"
#undef ISA_FUSE
#undef ISA_FUSE_TEMP
};
static_assert(std::size(kHandlers) == kCodeCount);

}  // namespace

void run(const std::uint8_t* ip, Slot* slots, VmContext* vm) {
  State s = first_state(ip, slots, vm);
  auto* first = reinterpret_cast<Handler*>(reinterpret_cast<std::uintptr_t>(s.base + read_code<std::int32_t>(s.ip)));
  first(WASI_STATE_ARGUMENTS);
}

std::int32_t handler_offset(Code code) {
  return static_cast<std::int32_t>(reinterpret_cast<std::uintptr_t>(kHandlers[static_cast<std::uint16_t>(code)]) -
                                   reinterpret_cast<std::uintptr_t>(dispatch_base()));
}

bool is_handler_pc(std::uintptr_t pc) {
  return pc >= reinterpret_cast<std::uintptr_t>(dispatch_base()) &&
         pc < reinterpret_cast<std::uintptr_t>(__stop_wasirun_handlers);
}

}  // namespace wasi::interp

#endif

// Dispatch by computed goto: all handlers in one function, for compilers without guaranteed tail calls.
//
// State's members are locals of that function. Its own handlers' places are known inside of it only, so
// a call with no code hands them out.
#include "interp/dispatch.h"

#if !defined(WASI_INTERP_TAIL)

#include <iterator>

#include "interp/handlers_fused.h"

namespace wasi::interp {

namespace {

#define WASI_DISPATCH(s) goto*(static_cast<const char*>(&&handlers) + read_code<std::int32_t>((s).ip))

#define WASI_OFFSET(name) \
  static_cast<std::int32_t>(static_cast<const char*>(&&name) - static_cast<const char*>(&&handlers))

// Runs one handler; true behind the last one.
template <class Body>
WASI_INLINE bool step(State& s) {
  if constexpr (Body::kFlow == Flow::branch) {
    if (Body::run(s)) {
      if constexpr (Body::kBack) {
        if (spend(s)) [[unlikely]] {
          branch_back_slowly(s, target_of<Body::kTargetAt>(s));
          return false;
        }
      }
      jump<Body::kTargetAt>(s);
    } else {
      s.ip += Body::kLength;
    }
  } else {
    Body::run(s);
  }
  return Body::kFlow == Flow::exit;
}

#define WASI_HANDLER(name, ...)             \
  name:                                     \
  if (step<__VA_ARGS__>(s)) return nullptr; \
  WASI_DISPATCH(s);

// Without code: the handlers' offsets, by Code.
[[gnu::noinline, gnu::section("wasirun_handlers")]] WASI_RACES_LIKE_WASM const std::int32_t* run_or_tell(
    const std::uint8_t* ip, Slot* slots, VmContext* vm) {
  static const std::int32_t offsets[] = {
#define ISA(name, layout, ...) WASI_OFFSET(name),
#include "interp/forms.def"
#undef ISA
#define ISA_FUSE(first, second) WASI_OFFSET(first##__##second),
#define ISA_FUSE_TEMP(first, second) WASI_OFFSET(first##_t_##second),
#include "interp/fused.def"
#undef ISA_FUSE
#undef ISA_FUSE_TEMP
  };
  if (ip == nullptr) return offsets;
  State s = first_state(ip, slots, vm);
handlers:
  WASI_DISPATCH(s);
#define ISA(name, layout, ...) WASI_HANDLER(name, __VA_ARGS__)
#include "interp/forms.def"
#undef ISA
#define ISA_FUSE(first, second) WASI_HANDLER(first##__##second, BodyOf<Code::first##__##second>::Type)
#define ISA_FUSE_TEMP(first, second) WASI_HANDLER(first##_t_##second, BodyOf<Code::first##_t_##second>::Type)
#include "interp/fused.def"
#undef ISA_FUSE
#undef ISA_FUSE_TEMP
}

}  // namespace

extern "C" {
[[gnu::visibility("hidden")]] extern const std::uint8_t __start_wasirun_handlers[];
[[gnu::visibility("hidden")]] extern const std::uint8_t __stop_wasirun_handlers[];
}

void run(const std::uint8_t* ip, Slot* slots, VmContext* vm) { run_or_tell(ip, slots, vm); }

std::int32_t handler_offset(Code code) {
  static const std::int32_t* const offsets = run_or_tell(nullptr, nullptr, nullptr);
  return offsets[static_cast<std::uint16_t>(code)];
}

bool is_handler_pc(std::uintptr_t pc) {
  return pc >= reinterpret_cast<std::uintptr_t>(__start_wasirun_handlers) &&
         pc < reinterpret_cast<std::uintptr_t>(__stop_wasirun_handlers);
}

}  // namespace wasi::interp

#endif

// How the host calls guests with values in registers: the compile-time half. Not for direct use.
//
// A typed call all of whose values have registers (register_values.h) is a call of a C function, which takes the
// guest's FuncRef in front of the values. One piece of code serves all signatures, since it leaves the registers of
// arguments and results alone.
#pragma once

#include <wasi/detail/call_gate.h>
#include <wasi/detail/export.h>
#include <wasi/detail/register_values.h>
#include <wasi/detail/signature.h>

namespace wasi::runtime {
struct FuncRef;
}

namespace wasi::detail {

struct StoreState;

// Never null. Lives as long as the store.
WASI_API CallGate* call_gate(StoreState& store, const runtime::FuncRef& function);
// The last step of a call whose outcome is not `done`. The store may be gone then, unless the call was stopped.
WASI_API CallOutcome finish_call(StoreState& store, CallGate& gate);

template <class R, class... Args>
constexpr bool fits_registers() {
  return WASI_HAS_REGISTER_VALUES && RegisterParams<ValueList<Args...>>::kFits && RegisterResult<R>::kFits;
}

// Machine code has no type in front of it, where clang's sanitizer of function pointers reads one.
#if defined(__clang__)
#define WASI_CALLS_ANY_FUNCTION __attribute__((no_sanitize("function")))
#else
#define WASI_CALLS_ANY_FUNCTION
#endif

template <class R, class... Args>
WASI_CALLS_ANY_FUNCTION typename RegisterResult<R>::Type enter_with_registers(const CallGate& gate,
                                                                              runtime::FuncRef* function,
                                                                              const Args&... args) {
  using Enter = typename RegisterResult<R>::Type (*)(runtime::FuncRef*, typename Carrier<Args>::Type...);
  return reinterpret_cast<Enter>(gate.enter)(function, Carrier<Args>::wrap(args)...);
}

}  // namespace wasi::detail

// How machine code calls functions of the host without a word in between: the compile-time half. register_call.h has
// the other direction. Not for direct use.
//
// A function of the host all of whose values have registers (register_values.h) gets a C function of its own, which
// machine code calls. Others, and all of them from interpreted code, are called with slots.
#pragma once

#include <wasi/caller.h>
#include <wasi/detail/export.h>
#include <wasi/detail/register_values.h>
#include <wasi/detail/signature.h>
#include <wasi/trap.h>
#include <wasi/values.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

// Without exceptions nothing could be caught.
#if defined(__cpp_exceptions) && WASI_HAS_REGISTER_VALUES
#define WASI_HAS_DIRECT_CALLS 1
#else
#define WASI_HAS_DIRECT_CALLS 0
#endif

namespace wasi::runtime {
struct ExecState;
struct HostEntry;
}  // namespace wasi::runtime

namespace wasi::detail {

struct StoreState;

// A function of the host in a store: what comes in front of its arguments.
struct HostBinding {
  void* callable = nullptr;
  StoreState* store = nullptr;
  // What the end of a call looks at: whether somebody wants something of the store, and its innermost entry from the
  // host, which is the same as before when all that the function called is done.
  const std::atomic<std::uint32_t>* interrupt = nullptr;
  runtime::HostEntry* const* host_entry = nullptr;
  // What is stored then: the store's ExecState, so far from each thread's pointer on.
  runtime::ExecState* exec = nullptr;
  std::ptrdiff_t running_offset = 0;
};

// What went wrong: end_host_call is to be told.
WASI_API void fail_host_call(const HostBinding& binding, Trap trap) noexcept;
// The same of the C++ exception that is being handled.
WASI_API void fail_host_call(const HostBinding& binding) noexcept;
// The last deed of a call that failed, or in which somebody wanted something. `entry` was the innermost one before.
// Does not return where the guest is stopped: nothing may be left to destroy.
WASI_API void end_host_call(const HostBinding& binding, const runtime::HostEntry* entry, bool failed);

// Any C function. Null: called with slots.
using DirectThunk = void (*)();

template <class F, class Params>
struct DirectCall;
template <class F, class... Ts>
struct DirectCall<F, ValueList<Ts...>> {
  using Signature = CallableSignature<F>;
  using Value = typename Signature::Result::Value;

#if WASI_HAS_DIRECT_CALLS
  // Nothing but the function itself may be between here and the machine code: end_host_call knows where this returns
  // to.
  static typename RegisterResult<Value>::Type run(const HostBinding* binding, typename Carrier<Ts>::Type... args) {
    const runtime::HostEntry* const entry = *binding->host_entry;
    bool failed = false;
    if constexpr (std::is_void_v<Value>) {
      try {
        call(*binding, failed, Carrier<Ts>::unwrap(args)...);
      } catch (...) {
        fail_host_call(*binding);
        failed = true;
      }
      finish(*binding, entry, failed);
    } else {
      typename RegisterResult<Value>::Type result{};
      try {
        result = call(*binding, failed, Carrier<Ts>::unwrap(args)...);
      } catch (...) {
        fail_host_call(*binding);
        failed = true;
      }
      finish(*binding, entry, failed);
      return result;
    }
  }
#endif

 private:
#if WASI_HAS_DIRECT_CALLS
  static void finish(const HostBinding& binding, const runtime::HostEntry* entry, bool failed) {
    // It may have been left for a while, and other stores have run on this thread, or this one have come from another:
    // so where the thread keeps its variables is asked anew.
    asm volatile("movq %1, %%fs:(%0)" : : "r"(binding.running_offset), "r"(binding.exec));
    if (failed || *binding.host_entry != entry || binding.interrupt->load(std::memory_order_relaxed) != 0) [[unlikely]]
      end_host_call(binding, entry, failed);
  }
#endif
  static typename RegisterResult<Value>::Type call(const HostBinding& binding, bool& failed, Ts... args) {
    F& function = *static_cast<F*>(binding.callable);
    auto run = [&]() -> decltype(auto) {
      if constexpr (Signature::kTakesCaller) {
        Caller caller(binding);
        return function(caller, args...);
      } else {
        return function(args...);
      }
    };
    if constexpr (Signature::Result::kCanFail) {
      auto result = run();
      if (!result) [[unlikely]] {
        fail_host_call(binding, std::move(result).error());
        failed = true;
        return typename RegisterResult<Value>::Type();
      }
      if constexpr (!std::is_void_v<Value>) return RegisterResult<Value>::wrap(*result);
    } else if constexpr (std::is_void_v<Value>) {
      run();
    } else {
      return RegisterResult<Value>::wrap(run());
    }
  }
};

template <class F>
DirectThunk direct_thunk() {
#if WASI_HAS_DIRECT_CALLS
  using Signature = CallableSignature<F>;
  if constexpr (RegisterParams<typename Signature::Params>::kFits &&
                RegisterResult<typename Signature::Result::Value>::kFits) {
    return reinterpret_cast<DirectThunk>(&DirectCall<F, typename Signature::Params>::run);
  }
#endif
  return nullptr;
}

}  // namespace wasi::detail
